// One in a hundred handshakes whose source never answers: what the others notice of it, and what is left.

import {
  type Address,
  type ContextOptions,
  createContext,
  createServer,
  loadEngine,
  metrics,
  versions,
} from 'libssl-async';

import { Child } from '../../examples/support/child.ts';
import { METHODS, PAUSES, compiledEngine } from '../host/support/accelerator.ts';
import { issue, issueAuthority } from '../support/certificates.ts';
import type { ClientHandlers } from '../support/clients.ts';
import { growth, remote, signatureOf } from '../support/remote-keys.ts';
import { descriptors, eventually, isIdle } from '../support/waiting.ts';
import { Ledger } from './ledger.ts';

/** One in so many hangs. */
const ONE_IN = 100;
/** Milliseconds between two clients: the machine has time left. */
const EVERY = 8;
const HANDSHAKE_TIMEOUT = 5000;
/** How long it may take until the drain has given up what is lost, in milliseconds. */
const GIVEN_UP = 60_000;
/** Of either kind, in turn. */
const ROUNDS = 2;

/** What signs, and can be made to hang. */
interface Source {
  readonly name: string;
  readonly options: ContextOptions;
  hang(oneIn: number): void;
  /** Says what is wrong after so many have hung. */
  faults(hung: number): string[];
}

const authority = issueAuthority();
const identity = issue({ issuer: authority, type: 'rsa-2048' });

/** Serves so many clients with a remote key and, in Node's OpenSSL, with an engine; in half of the rounds one in a hundred hangs. */
export async function hanging(count: number): Promise<Ledger> {
  const ledger = new Ledger();
  await watch(ledger, remoteKey(), count);
  const path = versions.build === 'host' ? compiledEngine('losing.so') : undefined;
  if (path !== undefined) await watch(ledger, await engine(path), count);
  return ledger;
}

/** A remote key: nothing is left of what hangs. */
function remoteKey(): Source {
  let [oneIn, asked, aborted] = [0, 0, 0];
  const { key } = remote(identity, {
    sign(request) {
      if (oneIn === 0 || ++asked % oneIn !== 0) return Promise.resolve(signatureOf(request, identity.privateKey));
      request.signal.addEventListener('abort', () => void aborted++);
      return new Promise(() => {});
    },
  });
  return {
    name: 'remote key',
    options: { key, cert: identity.cert },
    hang: (given) => void (oneIn = given),
    faults: (hung) =>
      metrics().leaked > 0 || key.pending > 0 || aborted !== hung
        ? [`${metrics().leaked} left, ${key.pending} pending, ${aborted} aborted of ${hung}`]
        : [],
  };
}

/** An engine: what hangs stays allocated, and is told. */
async function engine(path: string): Promise<Source> {
  const loaded = await loadEngine({ path, methods: METHODS });
  const before = metrics();
  return {
    name: 'engine',
    options: { key: identity.key, cert: identity.cert },
    hang: (oneIn) => loaded.control('LOSE', oneIn * PAUSES),
    faults(hung) {
      const { leaked } = growth(before);
      return leaked === hung ? [] : [`${leaked} left of ${hung}`];
    },
  };
}

async function watch(ledger: Ledger, source: Source, count: number): Promise<void> {
  const { name } = source;
  const context = createContext({ groups: 'X25519', minVersion: 'TLSv1.3', ...source.options });
  const server = createServer({ context, handshakeTimeout: HANDSHAKE_TIMEOUT });
  server.on('connection', (connection) => void connection.read().finally(() => connection.destroy()));
  server.on('tlsClientError', (error) => ledger.fail(`${name}: server handshake`, error));
  const { port } = (await server.listen({ host: '127.0.0.1' })) as Address;
  const clients = new Child<ClientHandlers>(new URL('../support/clients.js', import.meta.url));
  const arrive = (oneIn: number, visits: number): ReturnType<typeof clients.ask<'arrive'>> => {
    source.hang(oneIn);
    return clients.ask('arrive', { port, ca: authority.cert, count: visits, every: EVERY });
  };
  // Until everything is loaded and compiled.
  await arrive(0, ONE_IN);
  await eventually(isIdle);
  const [before, open] = [metrics(), descriptors()];

  const took: Record<'one in a hundred hangs' | 'none hangs', number[]> = {
    'none hangs': [],
    'one in a hundred hangs': [],
  };
  const visits = Math.ceil(count / ROUNDS / ONE_IN) * ONE_IN;
  const hung = (ROUNDS * visits) / ONE_IN;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, oneIn] of [
      ['none hangs', 0],
      ['one in a hundred hangs', ONE_IN],
    ] as const) {
      const visited = await arrive(oneIn, visits);
      took[kind].push(...visited.took);
      if (visited.failures.length !== (oneIn && visits / oneIn)) ledger.fault(`${name}: ${visited.failures.join()}`);
    }
  }
  await clients.stop();
  // What a foreign source has not completed is left when the drain has given it up.
  await eventually(() => source.faults(hung).length === 0, GIVEN_UP);
  for (const fault of source.faults(hung)) ledger.fault(`${name}: ${fault}`);
  const { inFlight, paused, leaked } = metrics();
  if (inFlight > 0 || paused > leaked) ledger.fault(`${name}: ${inFlight} under way, ${paused} paused`);
  const { handshakes, failed } = growth(before);
  if (failed !== hung) ledger.fault(`${name}: ${failed} failed of ${handshakes + failed}`);
  await server.close();
  if (source.name === 'remote key' && descriptors() > open)
    ledger.fault(`${descriptors()} descriptors, ${open} before`);
  for (const [kind, times] of Object.entries(took)) {
    const sorted = times.toSorted((one, other) => one - other);
    const told = [0.5, 0.99].map((part) => sorted[Math.ceil(part * sorted.length) - 1]!.toFixed(2));
    ledger.count(`${name}: ${kind}`, `${times.length} ok, ms: median ${told[0]}, 99 % ${told[1]}`);
  }
}
