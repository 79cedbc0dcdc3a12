import { once } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';

import type { ExecutionContext } from 'ava';
import { type RemoteKeyOptions, type Server, createContext, metrics } from 'libssl-async';

import { issue } from '../support/certificates.ts';
import { overDriversSerially } from '../support/drivers.ts';
import { authority, serverIdentity } from '../support/identities.ts';
import { HOST, accepted, dial, nodeClient, nodeServer, serve, withResolvers } from '../support/peers.ts';
import { growth, remote, signatureOf } from '../support/remote-keys.ts';
import { eventually, isIdle, turns } from '../support/waiting.ts';

type KeyFailure = Error & { code: string; cause?: unknown; alert?: string };

/** A server whose signer is `sign`. */
async function serveWith(
  t: ExecutionContext,
  sign: RemoteKeyOptions['sign'],
  options: Partial<RemoteKeyOptions> & { recordIO?: 'loop' | 'worker'; handshakeTimeout?: number } = {},
): Promise<{ server: Server; port: number; key: ReturnType<typeof remote>['key'] }> {
  const { recordIO = 'loop', handshakeTimeout = 0, ...rest } = options;
  const { key } = remote(serverIdentity, { ...rest, sign });
  const context = createContext({ key, cert: serverIdentity.cert });
  return { key, ...(await serve(t, { context, recordIO, handshakeTimeout })) };
}

/** The error of the next handshake that fails, and the one that its client of node:tls has. */
async function failureOf(t: ExecutionContext, server: Server, port: number): Promise<[KeyFailure, Error]> {
  const failed = once(server, 'tlsClientError') as Promise<[KeyFailure]>;
  const [peerError, [error]] = await Promise.all([t.throwsAsync(nodeClient(t, port)), failed]);
  return [error, peerError];
}

const thrown = new Error('the HSM is on fire');

const FAILING: [title: string, sign: RemoteKeyOptions['sign'], isCause: (cause: unknown) => boolean][] = [
  [
    'throws',
    () => {
      throw thrown;
    },
    (cause) => cause === thrown,
  ],
  ['rejects', () => Promise.reject(thrown), (cause) => cause === thrown],
  // eslint-disable-next-line prefer-promise-reject-errors
  ['rejects with what is no error', () => Promise.reject('a string'), (cause) => cause === 'a string'],
  ['rejects with nothing', () => Promise.reject(undefined), (cause) => cause === undefined],
  ['returns nothing', () => undefined as never, (cause) => cause instanceof TypeError],
  ['returns a string', () => 'signature' as never, (cause) => cause instanceof TypeError],
  ['resolves to an object', () => Promise.resolve({}) as never, (cause) => cause instanceof TypeError],
  ['returns nothing at all of a signature', () => Buffer.alloc(0), () => true],
  ['returns a signature of the wrong form', () => Buffer.alloc(71, 0xff), () => true],
  ['returns too long a signature', () => Buffer.alloc(4096), () => true],
];

for (const [title, sign, isCause] of FAILING) {
  overDriversSerially(`a signer that ${title} fails its handshake alone`, async (t, recordIO) => {
    let isFailing = true;
    const before = metrics();
    const { server, port, key } = await serveWith(
      t,
      (request) => (isFailing ? sign(request) : signatureOf(request, serverIdentity.privateKey)),
      { recordIO },
    );
    const [error, peerError] = await failureOf(t, server, port);
    t.is(error.code, 'ERR_LIBSSL_ASYNC_KEY_FAILED');
    t.is(error.name, 'LibsslAsyncError');
    t.true(isCause(error.cause), String(error.cause));
    t.regex(peerError.message, /alert internal error|alert number 80/i);
    isFailing = false;
    const [connection] = await Promise.all([accepted(server), nodeClient(t, port)]);
    t.is(connection.protocol, 'TLSv1.3');
    t.is(key.pending, 0);
    t.like(growth(before), { handshakes: 1, failed: 1, pauses: 2, resumes: 2, callbacks: 2, inFlight: 0, leaked: 0 });
  });
}

overDriversSerially('the cause is told even if somebody has spoken of the connection before', async (t, recordIO) => {
  const { key } = remote(serverIdentity, { sign: () => Promise.reject(thrown) });
  const context = createContext({ key, cert: serverIdentity.cert });
  let called = 0;
  context.setAsyncCallback(() => called++, undefined);
  const { server, port } = await serve(t, { context, recordIO, keylog: true });
  const [error] = await failureOf(t, server, port);
  t.is(error.cause, thrown);
  t.is(called, 1);
  t.true(await eventually(() => server.connections === 0));
});

overDriversSerially('a signature of another key is found by the peer', async (t, recordIO) => {
  const other = issue({ issuer: authority });
  const { server, port } = await serveWith(t, (request) => signatureOf(request, other.privateKey), { recordIO });
  const [error] = await failureOf(t, server, port);
  t.like(error, { name: 'TlsError', alert: 'decrypt_error', alertReceived: true });
});

overDriversSerially('a signature of another key is found here with verifySignatures', async (t, recordIO) => {
  const other = issue({ issuer: authority });
  const { server, port } = await serveWith(t, (request) => signatureOf(request, other.privateKey), {
    recordIO,
    verifySignatures: true,
  });
  const [error] = await failureOf(t, server, port);
  t.is(error.code, 'ERR_LIBSSL_ASYNC_KEY_FAILED');
  t.regex(error.message, /signature/);
});

overDriversSerially(
  'a signer without an answer is given up after its time, and may answer late',
  async (t, recordIO) => {
    const signal = withResolvers<AbortSignal>();
    const late = withResolvers<Buffer>();
    const { server, port, key } = await serveWith(
      t,
      (request) => {
        signal.resolve(request.signal);
        void late.promise.catch(() => {});
        return late.promise;
      },
      { recordIO, timeout: 20 },
    );
    const [error] = await failureOf(t, server, port);
    t.is(error.code, 'ERR_LIBSSL_ASYNC_KEY_FAILED');
    t.regex(error.message, /time/);
    const aborted = await signal.promise;
    if (!aborted.aborted) await once(aborted, 'abort');
    t.is(key.pending, 0);
    late.resolve(Buffer.alloc(64));
    await turns();
    t.is(metrics().inFlight, 0);
  },
);

for (const [title, leave, code] of [
  ['closes', (peer) => peer.destroy(), 'ERR_LIBSSL_ASYNC_TRUNCATED'],
  ['resets', (peer) => peer.resetAndDestroy(), 'ECONNRESET'],
  ['ends its direction', (peer) => peer.end(), 'ERR_LIBSSL_ASYNC_TRUNCATED'],
] as [title: string, leave: (peer: net.Socket) => void, code: string][]) {
  overDriversSerially(
    `a client that ${title} while its handshake is paused is noticed at once`,
    async (t, recordIO) => {
      const asked = withResolvers<AbortSignal>();
      const { server, port, key } = await serveWith(
        t,
        ({ signal }) => {
          asked.resolve(signal);
          return new Promise(() => {});
        },
        { recordIO },
      );
      const before = metrics();
      const failed = once(server, 'tlsClientError') as Promise<[KeyFailure]>;
      const socket = net.connect({ port, host: HOST, allowHalfOpen: true });
      t.teardown(() => socket.destroy());
      tls.connect({ socket, ca: authority.cert }).on('error', () => {});
      const signal = await asked.promise;
      t.false(signal.aborted);
      const aborted = once(signal, 'abort');
      leave(socket);
      const [[error]] = await Promise.all([failed, aborted]);
      t.is(error.code, code);
      t.is(key.pending, 0);
      t.true(await eventually(() => isIdle() && server.connections === 0));
      t.like(growth(before), { handshakes: 0, failed: 1, pauses: 1, resumes: 1, leaked: 0 });
    },
  );
}

overDriversSerially('the signal aborts when the handshake takes too long', async (t, recordIO) => {
  const asked = withResolvers<AbortSignal>();
  const { server, port } = await serveWith(
    t,
    ({ signal }) => {
      asked.resolve(signal);
      return new Promise(() => {});
    },
    { recordIO, handshakeTimeout: 1000 },
  );
  const [[error], signal] = await Promise.all([
    once(server, 'tlsClientError') as Promise<[KeyFailure]>,
    asked.promise,
    t.throwsAsync(nodeClient(t, port)),
  ]);
  t.is(error.code, 'ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT');
  if (!signal.aborted) await once(signal, 'abort');
  t.true(await eventually(() => metrics().paused === 0));
});

overDriversSerially('the signal aborts when the connection is destroyed', async (t, recordIO) => {
  const asked = withResolvers<AbortSignal>();
  const client = issue({ issuer: authority, client: true, names: [], subject: 'client' });
  const { key } = remote(client, {
    sign: ({ signal }) => {
      asked.resolve(signal);
      return new Promise(() => {});
    },
  });
  const context = createContext({ key, cert: client.cert, ca: authority.cert });
  const port = await nodeServer(t, () => {}, { requestCert: true, ca: authority.cert });
  const connection = await dial(t, port, { recordIO, context, handshake: false });
  const handshake = connection.handshake();
  const signal = await asked.promise;
  t.is(key.pending, 1);
  connection.destroy();
  await t.throwsAsync(handshake, { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
  if (!signal.aborted) await once(signal, 'abort');
  t.is(key.pending, 0);
  t.true(await eventually(() => metrics().paused === 0 && metrics().inFlight === 0));
});

overDriversSerially("a client's signer that fails fails its connection", async (t, recordIO) => {
  const client = issue({ issuer: authority, client: true, names: [], subject: 'client' });
  const { key } = remote(client, { sign: () => Promise.reject(thrown) });
  const context = createContext({ key, cert: client.cert, ca: authority.cert });
  const port = await nodeServer(t, () => {}, { requestCert: true, ca: authority.cert });
  const error = await t.throwsAsync<KeyFailure>(dial(t, port, { recordIO, context }), {
    code: 'ERR_LIBSSL_ASYNC_KEY_FAILED',
  });
  t.is(error.cause, thrown);
});

overDriversSerially('what goes wrong with one harms no other', async (t, recordIO) => {
  let requests = 0;
  const { server, port } = await serveWith(
    t,
    async (request) => {
      if (requests++ % 2 === 0) throw thrown;
      return signatureOf(request, serverIdentity.privateKey);
    },
    { recordIO },
  );
  const causes: unknown[] = [];
  server.on('tlsClientError', (error) => causes.push(error.cause));
  const ends = await Promise.allSettled(Array.from({ length: 40 }, () => nodeClient(t, port)));
  t.is(ends.filter(({ status }) => status === 'fulfilled').length, 20);
  t.true(await eventually(() => causes.length === 20));
  t.true(causes.every((cause) => cause === thrown));
});
