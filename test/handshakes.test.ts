// Many handshakes with a remote key, of clients in another process: nothing is counted twice, and nothing is lost.

import { sign } from 'node:crypto';

import type { ExecutionContext } from 'ava';
import { type Metrics, type RemoteKeyOptions, createContext, metrics } from 'libssl-async';

import { Child } from '../examples/support/child.ts';
import type { ClientHandlers } from './support/clients.ts';
import { type Driver, overDriversSerially } from './support/drivers.ts';
import { authority, serverIdentity } from './support/identities.ts';
import { pair, serve, withResolvers } from './support/peers.ts';
import { growth, remote } from './support/remote-keys.ts';
import { descriptors, eventually, isIdle } from './support/waiting.ts';

/** Over each driver. */
const MANY = 5_000;
const AT_ONCE = 64;
const PAUSED = 2_000;

overDriversSerially('as many pauses as callbacks, resumes and signatures', async (t, recordIO) => {
  // Makes what stays: workers, the event loop's descriptor.
  await pair(t, { server: { recordIO } });
  await serveClients(t, recordIO, { count: MANY, atOnce: AT_ONCE, signer: ({ message }) => signed(message) });
});

overDriversSerially('thousands of handshakes are paused at once, and all of them succeed', async (t, recordIO) => {
  await pair(t, { server: { recordIO } });
  const before = metrics();
  const allArePaused = withResolvers<void>();
  let asked = 0;
  let atMost: Partial<Metrics> = {};
  await serveClients(t, recordIO, {
    count: PAUSED,
    atOnce: PAUSED,
    signer: async ({ message }) => {
      if (++asked === PAUSED) {
        // A signer is asked just before the job pauses.
        await eventually(() => metrics().paused === PAUSED);
        atMost = growth(before);
        allArePaused.resolve();
      }
      await allArePaused.promise;
      return signed(message);
    },
  });
  t.like(atMost, { pauses: PAUSED, paused: PAUSED, inFlight: PAUSED, handshakes: 0, resumes: 0 });
});

overDriversSerially('a signer that hangs for one in a hundred harms none of the others', async (t, recordIO) => {
  const HANGING = 5;
  const before = metrics();
  let aborted = 0;
  const { key, requests } = remote(serverIdentity, {
    sign: ({ message, signal }) => {
      if (requests.length % 100 !== 50) return signed(message);
      signal.addEventListener('abort', () => aborted++);
      return new Promise(() => {});
    },
  });
  const context = createContext({ key, cert: serverIdentity.cert });
  // Longer than any that does not hang takes, on a machine that is busy with something else.
  const { server, port } = await serve(t, { recordIO, context, handshakeTimeout: 6000 });
  const codes: unknown[] = [];
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => codes.push(error.code));
  server.on('connection', (connection) => void connection.read().then(() => connection.shutdown()));
  const clients = new Child<ClientHandlers>(new URL('./support/clients.js', import.meta.url));
  t.teardown(() => clients.stop());

  const visits = { port, ca: authority.cert, count: 100 * HANGING, atOnce: AT_ONCE };
  const { succeeded, failures } = await clients.ask('visit', visits);

  t.is(succeeded, 99 * HANGING);
  t.is(failures.length, HANGING);
  // The clients may hear of the last one before this thread does.
  t.true(
    await eventually(() => isIdle() && server.connections === 0 && aborted === HANGING && codes.length === HANGING),
  );
  t.deepEqual(codes, Array<string>(HANGING).fill('ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT'));
  t.is(key.pending, 0);
  t.like(growth(before), { handshakes: 99 * HANGING, failed: HANGING, drained: HANGING, leaked: 0 });
});

interface Storm {
  readonly count: number;
  readonly atOnce: number;
  readonly signer: RemoteKeyOptions['sign'];
}

/** Serves so many clients, all of which have to succeed with one signature each and leave nothing behind. */
async function serveClients(t: ExecutionContext, recordIO: Driver, { count, atOnce, signer }: Storm): Promise<void> {
  const before = metrics();
  const { key, requests } = remote(serverIdentity, { sign: signer });
  const { server, port } = await serve(t, { recordIO, context: createContext({ key, cert: serverIdentity.cert }) });
  server.on('connection', (connection) => {
    void connection.read().then((end) => {
      t.is(end, null);
      return connection.shutdown();
    });
  });
  const clients = new Child<ClientHandlers>(new URL('./support/clients.js', import.meta.url));
  t.teardown(() => clients.stop());
  const open = descriptors();

  const visited = await clients.ask('visit', { port, ca: authority.cert, count, atOnce });

  t.like(visited, { succeeded: count, failures: [] });

  t.true(await eventually(() => isIdle() && server.connections === 0 && descriptors() <= open));
  t.is(requests.length, count);
  t.is(key.pending, 0);
  const { jobWaits: _, ...grown } = growth(before);
  const none = { failed: 0, refused: 0, waiting: 0, againRetries: 0, drained: 0, leaked: 0, inFlight: 0, paused: 0 };
  t.deepEqual(grown, { handshakes: count, pauses: count, resumes: count, callbacks: count, ...none });
}

function signed(message: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', message, serverIdentity.privateKey, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });
}
