// Peers that somebody accepts or refuses while their handshake waits.

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as nodeTls from 'node:tls';

import test from 'ava';
import { type UnverifiedPeer, type VerifyPeer, connect, createContext, metrics } from 'libssl-async';
import * as tls from 'libssl-async/tls';

import { issue } from './support/certificates.ts';
import { authority, clientContext, clientIdentity, serverIdentity } from './support/identities.ts';
import { HOST, accepted, dial, listen, nodeClientSocket, nodeServer, serve } from './support/peers.ts';
import { eventually, isIdle } from './support/waiting.ts';

const ca = authority.cert;
const { key, cert } = serverIdentity;
const context = createContext({ key, cert, ca, requestCert: true });
const revoked = new Error('the certificate is revoked');

/** Refuses in each way that a callback has. */
const REFUSALS: [how: string, refuse: VerifyPeer, cause: object][] = [
  [
    'throws',
    () => {
      throw revoked;
    },
    revoked,
  ],
  ['rejects', () => Promise.reject(revoked), revoked],
  [
    'rejects later',
    async () => {
      await nextTurn();
      throw revoked;
    },
    revoked,
  ],
];

test('a client is told of the chain that OpenSSL has verified, and accepts it by a promise', async (t) => {
  const { port } = await serve(t);
  const peers: UnverifiedPeer[] = [];
  const before = metrics();
  const connection = await dial(t, port, {
    verifyPeer: async (peer) => {
      peers.push(peer);
      await nextTurn();
    },
  });
  t.is(peers.length, 1);
  t.deepEqual(
    peers[0]!.certificates.map(({ raw }) => raw),
    [serverIdentity.der, authority.der],
  );
  t.is(peers[0]!.authorizationError, undefined);
  t.false(peers[0]!.signal.aborted);
  t.true(connection.authorized);
  t.true(metrics().pauses - before.pauses >= 1);
});

for (const [how, refuse, cause] of REFUSALS) {
  for (const rejectUnauthorized of [true, false]) {
    test(`a server is refused by what ${how}, with rejectUnauthorized: ${rejectUnauthorized}`, async (t) => {
      const { server, port } = await serve(t);
      const told = once(server, 'tlsClientError') as Promise<[Error]>;
      const error = await t.throwsAsync(dial(t, port, { verifyPeer: refuse, rejectUnauthorized }), {
        code: 'ERR_LIBSSL_ASYNC_CALLBACK_FAILED',
      });
      t.is(error.cause, cause);
      const [failure] = await told;
      t.like(failure, { alert: 'bad_certificate', alertReceived: true });
      t.true(await eventually(isIdle));
    });
  }
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a client is refused by a promise, with ${maxVersion}, and no other`, async (t) => {
    const other = issue({ issuer: authority, client: true, names: [], subject: 'other' });
    const { server, port } = await serve(t, {
      context,
      verifyPeer: async ({ certificates }) => {
        await nextTurn();
        if (certificates[0]!.subject.includes('other')) throw revoked;
      },
    });
    const told = once(server, 'tlsClientError') as Promise<[Error]>;
    const refused = nodeClientSocket(t, port, { maxVersion, key: other.key, cert: other.cert });
    const heard = once(refused, 'error') as Promise<[NodeJS.ErrnoException]>;
    refused.resume();
    const [failure] = await told;
    t.like(failure, { code: 'ERR_LIBSSL_ASYNC_CALLBACK_FAILED', cause: revoked });
    t.regex((await heard)[0].code!, /ALERT_BAD_CERTIFICATE$/);

    const taken = once(server, 'connection');
    const welcome = nodeClientSocket(t, port, { maxVersion, key: clientIdentity.key, cert: clientIdentity.cert });
    await once(welcome, 'secureConnect');
    t.like((await taken)[0], { authorized: true });
    t.true(await eventually(isIdle));
  });
}

test('of peers that OpenSSL does not accept, only those are told that are put up with', async (t) => {
  const stranger = issue({ client: true, names: [], subject: 'stranger' });
  const errors: (string | undefined)[] = [];
  const verifyPeer: VerifyPeer = ({ authorizationError }) => void errors.push(authorizationError);
  const strict = await serve(t, { context, verifyPeer });
  const refused = once(strict.server, 'tlsClientError') as Promise<[Error]>;
  nodeClientSocket(t, strict.port, { key: stranger.key, cert: stranger.cert }).resume();
  t.like((await refused)[0], { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  t.deepEqual(errors, []);

  const lax = await serve(t, { context, verifyPeer, rejectUnauthorized: false });
  const taken = once(lax.server, 'connection');
  nodeClientSocket(t, lax.port, { key: stranger.key, cert: stranger.cert }).resume();
  t.like((await taken)[0], { authorized: false, authorizationError: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  t.deepEqual(errors.splice(0), ['DEPTH_ZERO_SELF_SIGNED_CERT']);

  const { port } = await serve(t);
  const unknown = createContext({ ca: [] });
  await t.throwsAsync(dial(t, port, { context: unknown, verifyPeer }), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  t.deepEqual(errors, []);
  const put = await dial(t, port, { context: unknown, verifyPeer, rejectUnauthorized: false });
  t.like(put, { authorized: false, authorizationError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  t.deepEqual(errors, ['UNABLE_TO_VERIFY_LEAF_SIGNATURE']);
});

test('nobody is asked of a client without a certificate, nor of a session that is resumed', async (t) => {
  let asked = 0;
  const verifyPeer = (): void => void asked++;
  const { server, port } = await serve(t, { context, verifyPeer, rejectUnauthorized: false });
  server.on('connection', (connection) => void connection.write('ticket'));
  const first = await dial(t, port);
  const told = once(first, 'session') as Promise<[Buffer]>;
  await first.read();
  const [session] = await told;
  t.is(asked, 0);
  await dial(t, port, { verifyPeer });
  t.is(asked, 1);
  const resumed = await dial(t, port, { verifyPeer, session });
  t.true(resumed.sessionReused);
  t.is(asked, 1);
});

test('what nobody answers is given up: by the time-out, the peer, and the signal', async (t) => {
  const signals: AbortSignal[] = [];
  const verifyPeer: VerifyPeer = ({ signal }) => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const { port } = await serve(t);
  await t.throwsAsync(dial(t, port, { verifyPeer, handshakeTimeout: 1000 }), {
    code: 'ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT',
  });
  t.true(await eventually(() => signals[0]!.aborted));

  const controller = new AbortController();
  const given = dial(t, port, { verifyPeer, signal: controller.signal });
  t.true(await eventually(() => signals.length === 2));
  controller.abort();
  await t.throwsAsync(given, { code: 'ABORT_ERR' });
  t.true(await eventually(() => signals[1]!.aborted));

  const patient = await serve(t, { context, verifyPeer });
  const told = once(patient.server, 'tlsClientError') as Promise<[Error]>;
  const leaver = nodeClientSocket(t, patient.port, { key: clientIdentity.key, cert: clientIdentity.cert });
  t.true(await eventually(() => signals.length === 3));
  leaver.destroy();
  await told;
  t.true(await eventually(() => signals[2]!.aborted));
  t.true(await eventually(isIdle));
});

test('the context of asynchronous calls reaches who is asked, on both sides', async (t) => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const verifyPeer = (): void => void seen.push(storage.getStore());
  const { server, port } = await storage.run('server', () => serve(t, { context, verifyPeer }));
  const taken = accepted(server);
  const own = createContext({ ca, key: clientIdentity.key, cert: clientIdentity.cert });
  await storage.run('client', () => dial(t, port, { context: own, verifyPeer }));
  await taken;
  t.deepEqual(seen, ['client', 'server']);
});

test('what is no function is refused', async (t) => {
  const options = { port: 1, verifyPeer: 1 as unknown as VerifyPeer };
  await t.throwsAsync(connect(options), { code: 'ERR_INVALID_ARG_TYPE', message: /options\.verifyPeer/ });
  t.throws(() => createContext({ verifyPeer: () => {} } as object), { message: /connect\(\) and createServer\(\)/ });
});

test('in place of node:tls, both sides verify by promises', async (t) => {
  const asked: string[] = [];
  const verify =
    (side: string): VerifyPeer =>
    async ({ certificates }) => {
      asked.push(`${side}: ${certificates[0]!.subject}`);
      await nextTurn();
      if (asked.length > 2) throw revoked;
    };
  const server = tls.createServer({ key, cert, ca, requestCert: true, verifyPeer: verify('server') }, (socket) =>
    socket.on('error', () => {}).end('welcome'),
  );
  const port = await listen(t, server);
  const options = { port, host: HOST, ca, key: clientIdentity.key, cert: clientIdentity.cert };
  const client = tls.connect({ ...options, verifyPeer: verify('client') });
  await once(client, 'secureConnect');
  t.true(client.authorized);
  await once(client.resume(), 'close');
  t.deepEqual(asked, ['client: CN=localhost', 'server: CN=client']);

  const told = once(server, 'tlsClientError') as Promise<[Error]>;
  const refused = nodeTls.connect(options).on('error', () => {});
  t.is((await told)[0], revoked);
  refused.destroy();

  const theirs = await nodeServer(t, () => {});
  const failed = tls.connect({ port: theirs, host: HOST, ca, verifyPeer: verify('client') });
  const [error] = (await once(failed, 'error')) as [Error];
  t.is(error.cause, revoked);
  t.true(await eventually(isIdle));
});

test('a context that trusts is not asked in place of who verifies', async (t) => {
  const { port } = await serve(t);
  const own = await connect({ port, host: HOST, context: clientContext, verifyPeer: () => undefined });
  t.true(own.authorized);
  own.destroy();
  await t.throwsAsync(dial(t, port, { servername: 'other.example', verifyPeer: () => undefined }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});
