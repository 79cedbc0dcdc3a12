// A storm of TLS clients on two echo servers: one of node:tls, with its private key in memory, and one of libssl-async,
// whose private key is a promise that another thread fulfils. Every byte that comes back is compared.

import { versions } from 'libssl-async';

import { issue } from '../test/support/certificates.ts';
import { type Contender, type Outcome, report } from './storm/report.ts';
import type { ClientHandlers, Pair, ServerHandlers } from './storm/storm.ts';
import { Child } from './support/child.ts';

const ROUNDS = 3;
const SECONDS = 4;
const CONNECTIONS = 128;
const BYTES = 16 * 1024;

const { key, cert } = issue();
const clients = new Child<ClientHandlers>(new URL('storm/clients.js', import.meta.url));
const contenders = [await start('node:tls', { key, cert }), await start('libssl-async', { key, cert })];

// The processes end with this one.
setTimeout(() => fail('the storm does not end'), 60_000).unref();

console.log(`libssl-async ${versions.package} on OpenSSL ${versions.openssl}, Node ${process.versions.node}
${CONNECTIONS} clients of node:tls at once, each with a full TLS 1.3 handshake and ${BYTES / 1024} KiB echoed

idle, ${SECONDS / 2} s`);
const idle = await measureIdle(contenders[1]!);
for (let round = 1; round <= ROUNDS; round++) {
  for (const contender of contenders) contender.rounds.push(await storm(contender, round));
}

const outcome: Outcome = { idle, contenders, counts: await contenders[1]!.server.ask('counts') };
const { text, mistakes } = report(outcome);
console.log(`\n${text}\n`);
for (const child of [clients, ...contenders.map(({ server }) => server)]) await child.stop();
if (mistakes.length > 0) fail(mistakes.join('\n'));
console.log('Every byte was right; each handshake of libssl-async was one pause, one callback and one signature.');

async function start(name: string, pair: Pair): Promise<Contender> {
  const server = new Child<ServerHandlers>(new URL('storm/server.js', import.meta.url), { args: [name] });
  return { name, server, port: await server.ask('listen', pair), rounds: [] };
}

async function measureIdle({ server }: Contender): Promise<Outcome['idle']> {
  await server.ask('begin');
  await new Promise((resolve) => setTimeout(resolve, (SECONDS / 2) * 1000));
  return server.ask('end');
}

async function storm({ name, server, port }: Contender, round: number): Promise<Contender['rounds'][number]> {
  await server.ask('begin');
  const result = await clients.ask('storm', { port, cert, connections: CONNECTIONS, seconds: SECONDS, bytes: BYTES });
  const spent = await server.ask('end');
  const rate = Math.round(result.right / result.seconds);
  console.log(`round ${round} of ${ROUNDS}, ${name.padEnd(12)} ${rate} handshakes per second`);
  return { ...result, spent };
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
