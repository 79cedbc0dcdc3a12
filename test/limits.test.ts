// Limits of a server: handshakes at once, those that wait, and those that are told there is no room.

import { once } from 'node:events';

import type { ExecutionContext } from 'ava';
import { type Address, type Connection, type Server, type ServerOptions, createContext, metrics } from 'libssl-async';

import { Child } from '../examples/support/child.ts';
import type { ClientHandlers } from './support/clients.ts';
import { overDriversSerially } from './support/drivers.ts';
import { authority, serverIdentity } from './support/identities.ts';
import { closed, nodeClient, nodeClientSocket, serve, withResolvers } from './support/peers.ts';
import { growth, remote, signatureOf } from './support/remote-keys.ts';
import { descriptors, eventually, isIdle } from './support/waiting.ts';

const TOO_MANY = 'ERR_LIBSSL_ASYNC_TOO_MANY_HANDSHAKES';

/** A server whose signer answers nobody before `answer` is called. */
async function serveHeld(
  t: ExecutionContext,
  options: Partial<ServerOptions>,
): Promise<{ server: Server; port: number; answer: () => void }> {
  const held = withResolvers<void>();
  const { key } = remote(serverIdentity, {
    sign: async (request) => {
      await held.promise;
      return signatureOf(request, serverIdentity.privateKey);
    },
  });
  const context = createContext({ key, cert: serverIdentity.cert });
  return { ...(await serve(t, { context, ...options })), answer: held.resolve };
}

overDriversSerially('as many handshakes run and wait as may, and the rest is told', async (t, recordIO) => {
  const before = metrics();
  const { server, port, answer } = await serveHeld(t, { recordIO, maxHandshakes: 2, maxWaitingHandshakes: 1 });
  let met = 0;
  server.on('connection', () => met++);
  const peers = Array.from({ length: 3 }, () => nodeClient(t, port));
  t.true(await eventually(() => metrics().paused === 2 && metrics().waiting === 1));
  for (let refused = 1; refused <= 3; refused++) {
    const failed = once(server, 'tlsClientError');
    const peer = nodeClientSocket(t, port);
    const gone = closed(peer);
    const localPort = once(peer, 'connect').then(() => peer.localPort);
    const [error, address] = (await failed) as [NodeJS.ErrnoException, Address | undefined];
    t.is(error.code, TOO_MANY);
    t.is(address?.port, await localPort);
    await gone;
    t.is(growth(before).refused, refused);
  }
  answer();
  await Promise.all(peers);
  t.true(await eventually(() => met === 3 && isIdle()));
  t.like(growth(before), { handshakes: 3, failed: 0, refused: 3, waiting: 0, inFlight: 0 });
  // There is room again.
  await nodeClient(t, port);
});

overDriversSerially('handshakes that are begun by hand count too', async (t, recordIO) => {
  const { server, port, answer } = await serveHeld(t, { recordIO, maxHandshakes: 1, handshake: false });
  server.on('tlsClientError', () => t.fail('whoever began the handshake is told'));
  const connections: Connection[] = [];
  server.on('connection', (connection) => connections.push(connection));
  const peers = [nodeClientSocket(t, port), nodeClientSocket(t, port)];
  t.true(await eventually(() => connections.length === 2));
  const [first, second] = connections as [Connection, Connection];
  const running = first.handshake();
  t.true(await eventually(() => metrics().paused === 1));
  const error = await t.throwsAsync(second.handshake(), { code: TOO_MANY });
  t.is(await second.closed, error);
  t.true(await eventually(() => peers.some((peer) => peer.closed)));
  answer();
  await running;
});

overDriversSerially('the limits of one server are none of another', async (t, recordIO) => {
  const full = await serveHeld(t, { recordIO, maxHandshakes: 1 });
  const refused = once(full.server, 'tlsClientError');
  nodeClientSocket(t, full.port);
  nodeClientSocket(t, full.port);
  await refused;
  const other = await serve(t, { recordIO, maxHandshakes: 5 });
  for (let round = 0; round < 5; round++) t.truthy((await nodeClient(t, other.port)).getProtocol());
  full.answer();
});

overDriversSerially('close() gives handshakes up that wait', async (t, recordIO) => {
  const before = metrics();
  const { server, port } = await serveHeld(t, { recordIO, maxHandshakes: 2, maxWaitingHandshakes: 5 });
  server.on('tlsClientError', () => t.fail('it was not the client'));
  const gone = Promise.all(Array.from({ length: 7 }, () => closed(nodeClientSocket(t, port))));
  t.true(await eventually(() => metrics().paused === 2 && metrics().waiting === 5));
  const report = await server.close();
  // Some of those that wait may have been let in by the end of others.
  const { drained } = growth(before);
  t.true(drained >= 2);
  t.deepEqual(report, { destroyed: 0, drained, leaked: 0 });
  t.like(growth(before), { handshakes: 0, failed: 7, waiting: 0, inFlight: 0, paused: 0 });
  await gone;
});

/** Clients in all, in this many processes. */
const STORM = 5_000;
const PROCESSES = 2;
const LIMIT = 500;
const WAITING = 250;

overDriversSerially('a storm: those let in finish, the rest are told so', async (t, recordIO) => {
  const before = metrics();
  const { server, port, answer } = await serveHeld(t, {
    recordIO,
    maxHandshakes: LIMIT,
    maxWaitingHandshakes: WAITING,
  });
  let letIn = 0;
  server.on('connection', (connection) => {
    letIn++;
    void connection.read().then(() => connection.shutdown());
  });
  const told = new Map<unknown, number>();
  server.on('tlsClientError', ({ code }: NodeJS.ErrnoException) => told.set(code, (told.get(code) ?? 0) + 1));
  const children = Array.from({ length: PROCESSES }, () => {
    const clients = new Child<ClientHandlers>(new URL('./support/clients.js', import.meta.url));
    t.teardown(() => clients.stop());
    return clients;
  });
  const open = descriptors();

  const count = STORM / PROCESSES;
  const visits = { port, ca: authority.cert, count, atOnce: count };
  const visited = Promise.all(children.map((clients) => clients.ask('visit', visits)));
  const refused = STORM - LIMIT - WAITING;
  t.true(await eventually(() => growth(before).refused === refused, 60_000), `${growth(before).refused} refused`);
  t.like(growth(before), { handshakes: 0, failed: 0, inFlight: LIMIT + WAITING, waiting: WAITING });
  answer();
  const ends = await visited;

  t.is(sum(ends.map(({ succeeded }) => succeeded)), LIMIT + WAITING);
  const failures = ends.flatMap((end) => end.failures);
  t.is(failures.length, refused);
  t.true(
    failures.every((code) => code === 'ECONNRESET' || code === 'EPIPE'),
    [...new Set(failures)].join(),
  );
  t.true(await eventually(() => isIdle() && server.connections === 0 && descriptors() <= open));
  t.deepEqual([...told], [[TOO_MANY, refused]]);
  t.is(letIn, LIMIT + WAITING);
  t.like(growth(before), { handshakes: LIMIT + WAITING, failed: 0, refused, drained: 0, leaked: 0, waiting: 0 });
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
