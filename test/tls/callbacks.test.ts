// Callbacks of servers that answer at once, later, twice, wrongly, or never.

import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as nodeTls from 'node:tls';

import test, { type ExecutionContext } from 'ava';
import { createContext, metrics } from 'libssl-async';
import * as tls from 'libssl-async/tls';

import { issue } from '../support/certificates.ts';
import { authority, serverIdentity } from '../support/identities.ts';
import { HOST, listen } from '../support/peers.ts';
import { eventually, isIdle } from '../support/waiting.ts';

const ca = authority.cert;
const other = issue({ issuer: authority, names: ['a.example'], subject: 'a.example' });

async function serve(t: ExecutionContext, options: tls.TlsOptions): Promise<{ server: tls.Server; port: number }> {
  const server = tls.createServer({ ...serverIdentity, ...options }, (socket) => {
    socket.on('error', () => {});
    socket.end(String(socket.alpnProtocol));
  });
  return { server, port: await listen(t, server) };
}

function visit(port: number, options: nodeTls.ConnectionOptions & nodeTls.TLSSocketOptions = {}): nodeTls.TLSSocket {
  return nodeTls.connect({ port, host: HOST, ca, servername: 'localhost', ...options });
}

async function subject(port: number, servername: string): Promise<string | undefined> {
  const socket = visit(port, { servername, checkServerIdentity: () => undefined });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  await text(socket);
  return CN as string | undefined;
}

const secure = tls.createSecureContext({ ...other });
const context = createContext({ key: other.key, cert: other.cert });

const ANSWERS: [how: string, callback: tls.SNICallback][] = [
  ['by the callback, at once', (_name, callback) => callback(null, secure)],
  ['by the callback, later', (_name, callback) => void setImmediate(() => callback(null, secure))],
  [
    'by the callback of an asynchronous function',
    async (_name, callback) => {
      await nextTurn();
      callback(null, secure);
    },
  ],
  [
    'by the callback, twice',
    (_name, callback) => {
      callback(null, secure);
      callback(new Error('too late'));
    },
  ],
  ['by its value', () => secure],
  [
    'by a promise',
    async () => {
      await nextTurn();
      return context;
    },
  ],
];

for (const [how, SNICallback] of ANSWERS) {
  test(`a context is chosen for a name ${how}`, async (t) => {
    const { port } = await serve(t, { SNICallback });
    t.is(await subject(port, 'a.example'), 'a.example');
  });
}

test('nothing chosen is the server’s own', async (t) => {
  for (const SNICallback of [
    () => undefined,
    async () => null,
    (_: string, done: (error: null) => void) => done(null),
  ]) {
    const { port } = await serve(t, { SNICallback });
    t.not(await subject(port, 'a.example'), 'a.example');
  }
});

const failure = new Error('no such tenant');
const FAILURES: [how: string, options: tls.TlsOptions, error: object][] = [
  [
    'throws',
    {
      SNICallback: () => {
        throw failure;
      },
    },
    failure,
  ],
  ['rejects', { SNICallback: () => Promise.reject(failure) }, failure],
  ['calls back with an error', { SNICallback: (_name, callback) => callback(failure) }, failure],
  [
    'chooses what is no context',
    { SNICallback: (() => 1) as unknown as tls.SNICallback },
    { code: 'ERR_TLS_INVALID_CONTEXT' },
  ],
  [
    'chooses a protocol that was not offered',
    { ALPNCallback: () => 'c' },
    { code: 'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT' },
  ],
  ['refuses all protocols', { ALPNCallback: () => undefined }, { code: 'ERR_SSL_NO_APPLICATION_PROTOCOL' }],
];

for (const [how, options, expected] of FAILURES) {
  test(`a callback that ${how} fails its connection, and no other`, async (t) => {
    const { server, port } = await serve(t, options);
    const told = once(server, 'tlsClientError') as Promise<[Error, tls.TLSSocket]>;
    const client = visit(port, { ALPNProtocols: ['a', 'b'] }).on('error', () => {});
    const [error, socket] = await told;
    if (expected instanceof Error) t.is(error, expected);
    else t.like(error, expected);
    t.true(socket.destroyed);
    if (!client.closed) await new Promise((resolve) => client.once('close', resolve));
    t.true(server.listening);
    t.true(await eventually(isIdle));
  });
}

test('a callback that never answers is given up, and a client that goes away ends the wait', async (t) => {
  let asked = 0;
  const SNICallback: tls.SNICallback = (_name, _callback) => void asked++;
  const { server, port } = await serve(t, { SNICallback, handshakeTimeout: 100 });
  const told = once(server, 'tlsClientError') as Promise<[Error]>;
  const client = visit(port).on('error', () => {});
  t.like((await told)[0], { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
  client.destroy();

  const patient = await serve(t, { SNICallback, handshakeTimeout: 0 });
  const gone = once(patient.server, 'tlsClientError') as Promise<[Error]>;
  const before = asked;
  const leaver = visit(patient.port).on('error', () => {});
  t.true(await eventually(() => asked > before));
  leaver.destroy();
  t.like((await gone)[0], { code: 'ECONNRESET' });
  t.true(await eventually(isIdle));
});

test('contexts are added for names, while the server listens', async (t) => {
  const { server, port } = await serve(t, {});
  t.not(await subject(port, 'x.a.example'), 'a.example');
  server.addContext('*.A.example', { ...other });
  t.is(await subject(port, 'x.a.example'), 'a.example');
  t.is(await subject(port, 'X.a.EXAMPLE'), 'a.example');
  t.not(await subject(port, 'x.y.a.example'), 'a.example');
  t.not(await subject(port, 'xaa.example'), 'a.example');
  server.addContext('x.a.example', secure);
  t.is(await subject(port, 'x.a.example'), 'a.example');
  t.throws(() => server.addContext('', {}), { code: 'ERR_TLS_REQUIRED_SERVER_NAME' });
});

test('a protocol is chosen by the server’s list also where a context was chosen', async (t) => {
  const { port } = await serve(t, { SNICallback: () => secure, ALPNProtocols: ['b', 'a'] });
  t.is(await text(visit(port, { servername: 'a.example', ALPNProtocols: ['a', 'b'] })), 'b');
});

test('a protocol is chosen by a callback, which may be a promise', async (t) => {
  const offers: unknown[] = [];
  const { port } = await serve(t, {
    ALPNCallback: async (offer) => {
      offers.push(offer);
      await nextTurn();
      return offer.protocols[1];
    },
  });
  t.is(await text(visit(port, { ALPNProtocols: ['a', 'b'] })), 'b');
  t.is(await text(visit(port)), 'false');
  t.deepEqual(offers, [{ servername: 'localhost', protocols: ['a', 'b'] }]);
});

test('each question pauses the job of its handshake once', async (t) => {
  const { port } = await serve(t, { SNICallback: async () => secure });
  const before = metrics();
  await Promise.all(Array.from({ length: 20 }, () => subject(port, 'a.example')));
  t.true(await eventually(isIdle));
  const after = metrics();
  t.true(after.pauses - before.pauses >= 20);
  t.is(after.pauses - before.pauses, after.resumes - before.resumes);
});

test('sessions of TLS 1.2 are kept by listeners, and resumed by another server', async (t) => {
  const sessions = new Map<string, Buffer>();
  const store = (server: tls.Server): void => {
    server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      sessions.set(id.toString('hex'), session);
      setImmediate(done);
    });
    server.on('resumeSession', (id: Buffer, done: (error: null, session?: Buffer) => void) => {
      setImmediate(() => done(null, sessions.get(id.toString('hex'))));
    });
  };
  const options = { maxVersion: 'TLSv1.2', secureOptions: 0x4000 } as const;
  const one = await serve(t, options);
  const two = await serve(t, options);
  store(one.server);
  store(two.server);
  await nextTurn();
  const first = visit(one.port, { maxVersion: 'TLSv1.2' });
  await once(first, 'secureConnect');
  const session = first.getSession()!;
  await text(first);
  t.is(sessions.size, 1);
  const second = visit(two.port, { maxVersion: 'TLSv1.2', session });
  await once(second, 'secureConnect');
  t.true(second.isSessionReused());
  await text(second);
  sessions.clear();
  const third = visit(two.port, { maxVersion: 'TLSv1.2', session });
  await once(third, 'secureConnect');
  t.false(third.isSessionReused());
  await text(third);
});

test('listeners of OCSPRequest give the response for the certificate that was chosen', async (t) => {
  const response = Buffer.from('30030a0106', 'hex');
  const asked: [Buffer, Buffer | null][] = [];
  const { server, port } = await serve(t, { SNICallback: (name) => (name === 'a.example' ? secure : undefined), ca });
  const stapled = async (servername: string): Promise<Buffer | null> => {
    const client = visit(port, { servername, requestOCSP: true, checkServerIdentity: () => undefined });
    const [given] = (await once(client, 'OCSPResponse')) as [Buffer | null];
    await text(client);
    return given;
  };
  t.is(await stapled('localhost'), null);
  server.on('OCSPRequest', (leaf: Buffer, issuer: Buffer | null, done: (error: null, given?: Buffer) => void) => {
    asked.push([leaf, issuer]);
    setImmediate(() => done(null, issuer ? response : undefined));
  });
  await nextTurn();
  t.deepEqual(await stapled('localhost'), response);
  t.is(await stapled('a.example'), null);
  await subject(port, 'localhost');
  t.deepEqual(asked, [
    [serverIdentity.der, authority.der],
    [other.der, null],
  ]);

  server.removeAllListeners('OCSPRequest');
  server.on('OCSPRequest', (_leaf: Buffer, _issuer: Buffer | null, done: (error: Error) => void) => done(failure));
  await nextTurn();
  const told = once(server, 'tlsClientError') as Promise<[Error]>;
  const refused = visit(port, { requestOCSP: true }).on('error', () => {});
  t.is((await told)[0], failure);
  refused.destroy();
});

test('the context of asynchronous calls reaches callbacks', async (t) => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const { port } = await storage.run('server', () =>
    serve(t, {
      SNICallback: () => {
        seen.push(storage.getStore());
        return undefined;
      },
    }),
  );
  await subject(port, 'localhost');
  t.deepEqual(seen, ['server']);
});
