// What a remote key tells of its requests.

import { once } from 'node:events';

import type { ExecutionContext } from 'ava';
import { type RemoteKey, type RemoteKeyOptions, createContext } from 'libssl-async';

import { type Driver, overDrivers } from '../support/drivers.ts';
import { serverIdentity } from '../support/identities.ts';
import { nodeClient, nodeClientSocket, serve, withResolvers } from '../support/peers.ts';
import { remote, signatureOf } from '../support/remote-keys.ts';
import { eventually } from '../support/waiting.ts';

/** What a key tells, but for the times. */
function counts(key: RemoteKey): object {
  const { time, ...numbers } = key.stats();
  return { ...numbers, timed: time.counts.reduce((sum, count) => sum + count) };
}

const NONE = { requests: 0, answered: 0, failed: 0, cancelled: 0, timedOut: 0, inFlight: 0, waiting: 0, timed: 0 };

async function serving(
  t: ExecutionContext,
  recordIO: Driver,
  options: Partial<RemoteKeyOptions>,
): Promise<{ key: RemoteKey; port: number; failure: () => Promise<unknown> }> {
  const { key } = remote(serverIdentity, options);
  const { server, port } = await serve(t, { context: createContext({ key, cert: serverIdentity.cert }), recordIO });
  return { key, port, failure: () => once(server, 'tlsClientError') };
}

overDrivers('requests that wait, are answered and fail are counted', async (t, recordIO) => {
  const turn = withResolvers<void>();
  const { key, port, failure } = await serving(t, recordIO, {
    concurrency: 1,
    sign: async (request) => {
      if (key.stats().answered > 0) throw new Error('the HSM is on fire');
      await turn.promise;
      return signatureOf(request, serverIdentity.privateKey);
    },
  });
  t.deepEqual(counts(key), NONE);
  const failed = failure();
  const first = nodeClient(t, port);
  t.true(await eventually(() => key.pending === 1));
  const second = t.throwsAsync(nodeClient(t, port));
  t.true(await eventually(() => key.stats().waiting === 1));
  t.deepEqual(counts(key), { ...NONE, requests: 2, inFlight: 2, waiting: 1 });
  turn.resolve();
  await Promise.all([first, second, failed]);
  t.deepEqual(counts(key), { ...NONE, requests: 2, answered: 1, failed: 1, timed: 1 });
  t.true(key.stats().time.sum > 0);
});

overDrivers('requests that take too long are counted', async (t, recordIO) => {
  const { key, port, failure } = await serving(t, recordIO, { timeout: 1, sign: () => new Promise(() => {}) });
  await Promise.all([failure(), t.throwsAsync(nodeClient(t, port))]);
  t.deepEqual(counts(key), { ...NONE, requests: 1, timedOut: 1 });
});

overDrivers('requests whose client has gone are counted', async (t, recordIO) => {
  const { key, port } = await serving(t, recordIO, { sign: () => new Promise(() => {}) });
  const socket = nodeClientSocket(t, port);
  t.true(await eventually(() => key.pending === 1));
  socket.destroy();
  t.true(await eventually(() => key.stats().cancelled === 1));
  t.deepEqual(counts(key), { ...NONE, requests: 1, cancelled: 1 });
});
