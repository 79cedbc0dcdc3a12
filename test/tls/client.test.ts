// What a client of libssl-async/tls tells, beside what node:tls's tells of the same server.

import { once } from 'node:events';
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import * as nodeTls from 'node:tls';

import test, { type ExecutionContext } from 'ava';
import * as tls from 'libssl-async/tls';

import { issue } from '../support/certificates.ts';
import { authority, clientIdentity, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';
import { turns } from '../support/waiting.ts';

/** What both packages have, as far as these tests go. */
type Tls = Pick<typeof nodeTls, 'connect'>;
type Socket = nodeTls.TLSSocket;

const OURS = tls as unknown as Tls;
const BOTH: readonly [name: string, implementation: Tls][] = [
  ['node:tls', nodeTls],
  ['libssl-async/tls', OURS],
];
const ca = authority.cert;

async function serve(
  t: ExecutionContext,
  options: nodeTls.TlsOptions = {},
  onSocket: (socket: Socket) => void = (socket) => socket.pipe(socket),
): Promise<number> {
  const server = nodeTls.createServer({ ...serverIdentity, ...options }, (socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.on('tlsClientError', () => {});
  return listen(t, server);
}

async function listen(t: ExecutionContext, server: net.Server): Promise<number> {
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

test('a client’s events come in the order of node:tls’s', async (t) => {
  const port = await serve(t);
  const orders: string[][] = [];
  for (const [, implementation] of BOTH) {
    const order: string[] = [];
    const socket = implementation.connect({ port, host: HOST, ca, servername: 'localhost' });
    for (const event of ['connect', 'ready', 'secureConnect', 'secure', 'end', 'finish', 'close']) {
      socket.on(event, () => order.push(event));
    }
    await once(socket, 'secureConnect');
    socket.resume().end();
    await once(socket, 'close');
    orders.push(order);
  }
  t.deepEqual(orders[1], orders[0]);
});

test('a client tells the same of a connection as node:tls’s', async (t) => {
  const port = await serve(t, { ca, requestCert: true, ALPNProtocols: ['b', 'a'], ecdhCurve: 'X25519' });
  const told = [];
  for (const [, implementation] of BOTH) {
    const socket = implementation.connect({ port, host: HOST, ca, ...clientIdentity, ALPNProtocols: ['a', 'b'] });
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerCertificate(true);
    told.push({
      authorized: socket.authorized,
      authorizationError: socket.authorizationError,
      encrypted: socket.encrypted,
      alpnProtocol: socket.alpnProtocol,
      servername: (socket as { servername?: unknown }).servername,
      protocol: socket.getProtocol(),
      cipher: socket.getCipher(),
      ephemeralKey: socket.getEphemeralKeyInfo(),
      finished: socket.getFinished()?.length,
      peerFinished: socket.getPeerFinished()?.length,
      reused: socket.isSessionReused(),
      certificate: certificate.fingerprint256,
      issuer: certificate.issuerCertificate.fingerprint256,
      x509: socket.getPeerX509Certificate()?.fingerprint256,
      own: (socket.getCertificate() as nodeTls.PeerCertificate).fingerprint256,
      ownX509: socket.getX509Certificate()?.fingerprint256,
      fragment: [socket.setMaxSendFragment(511), socket.setMaxSendFragment(512)],
      material: socket.exportKeyingMaterial(32, 'label', Buffer.alloc(0)).length,
      remote: [socket.remoteAddress, socket.remoteFamily, socket.remotePort],
      local: [socket.localAddress, socket.localFamily, typeof socket.localPort],
      state: [socket.connecting, socket.pending, socket.readyState, socket.destroyed],
    });
    socket.destroy();
    await once(socket, 'close');
    told.push([socket.getPeerCertificate(), socket.getProtocol(), socket.getCipher(), socket.readyState]);
  }
  t.deepEqual(told.slice(2), told.slice(0, 2));
});

test('signature algorithms that both sides have are told as node:tls tells them', async (t) => {
  const sigalgs = 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:ed25519:RSA+SHA384';
  const told: unknown[] = [];
  const servers = [nodeTls.createServer, tls.createServer as unknown as typeof nodeTls.createServer];
  for (const createServer of servers) {
    const server = createServer({ ...serverIdentity }, (socket) => {
      told.push(socket.getSharedSigalgs());
      socket.end();
    });
    const port = await listen(t, server);
    const socket = nodeTls.connect({ port, host: HOST, ca, sigalgs });
    await once(socket.resume(), 'close');
  }
  t.is((told[0] as string[]).length, 4);
  t.deepEqual(told[1], told[0]);
});

const other = issue({ issuer: authority, names: ['other.example'] });
const stranger = issue({});

const FAILURES: [what: string, server: nodeTls.TlsOptions, client: nodeTls.ConnectionOptions][] = [
  ['a certificate of nobody', stranger, {}],
  ['a certificate for another name', other, {}],
  ['a certificate that has expired', issue({ issuer: authority, expired: true }), {}],
  ['no common version', { maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }],
];

for (const [what, server, client] of FAILURES) {
  test(`an error is node:tls’s: ${what}`, async (t) => {
    const port = await serve(t, server);
    const errors = [];
    for (const [, implementation] of BOTH) {
      const socket = implementation.connect({ port, host: HOST, ca, servername: 'localhost', ...client });
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      t.true(socket.destroyed);
      t.false(socket.authorized);
      const { code } = error;
      errors.push({ code, authorizationError: String(socket.authorizationError ?? null) });
    }
    t.is(typeof errors[0]!.code, 'string');
    t.deepEqual(errors[1], errors[0]);
  });

  test(`it may be overlooked as with node:tls: ${what}`, async (t) => {
    if (client.minVersion) return t.pass();
    const port = await serve(t, server);
    const told = [];
    for (const [, implementation] of BOTH) {
      const socket = implementation.connect({
        port,
        host: HOST,
        ca,
        servername: 'localhost',
        rejectUnauthorized: false,
      });
      await once(socket, 'secureConnect');
      const error: unknown = socket.authorizationError;
      told.push([socket.authorized, error instanceof Error ? (error as NodeJS.ErrnoException).code : error]);
      socket.destroy();
    }
    t.deepEqual(told[1], told[0]);
    return undefined;
  });
}

test('an error of the socket is node:tls’s', async (t) => {
  const closed = net.createServer();
  const port = await listen(t, closed);
  closed.close();
  await once(closed, 'close');
  const rude = net.createServer((socket) => socket.end());
  const rudePort = await listen(t, rude);
  for (const place of [{ port }, { port: rudePort }]) {
    const errors = [];
    for (const [, implementation] of BOTH) {
      const socket = implementation.connect({ ...place, host: HOST, ca });
      const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
      const { code, syscall, message } = error;
      errors.push({ code, syscall, message });
      t.true(socket.destroyed);
    }
    t.deepEqual(errors[1], errors[0]);
  }
});

const WRONG: [what: string, options: object][] = [
  ['a function is none', { checkServerIdentity: 'none' }],
  ['a certificate is none', { ca: 'none at all', port: 1 }],
  ['a version is none', { minVersion: 'TLSv9', port: 1 }],
  ['a method is none', { secureProtocol: 'SSLv99_method', port: 1 }],
];

for (const [what, options] of WRONG) {
  test(`wrong options throw: ${what}`, (t) => {
    t.throws(() => OURS.connect({ host: HOST, ...options } as nodeTls.ConnectionOptions));
  });
}

test('what is written before the connection is there is sent', async (t) => {
  const port = await serve(t);
  const socket = OURS.connect(port, HOST, { ca });
  socket.cork();
  socket.write('first ');
  socket.write('second ');
  socket.uncork();
  socket.end('third');
  t.is(await text(socket), 'first second third');
  t.is(socket.bytesWritten, 18);
  t.is(socket.bytesRead, 18);
});

const PIECES: readonly [chunk: string | Buffer, encoding?: BufferEncoding][] = [
  ['é€😀', 'utf8'],
  ['ÿ', 'latin1'],
  ['68656c6c6f', 'hex'],
  ['aGVs', 'base64'],
  ['hé', 'utf16le'],
  ['ascii', 'ascii'],
  [Buffer.from([0, 255, 128])],
];

for (const [how, repeated, isCorked] of [
  ['one by one', 1, false],
  ['together', 1, true],
  // More than is put together, and more than the system takes at once.
  ['with much behind them', 300_000, true],
  ['one by one, with much behind each', 300_000, false],
] as const) {
  test(`strings of each encoding are sent as their bytes: ${how}`, async (t) => {
    const port = await serve(t);
    const socket = OURS.connect(port, HOST, { ca });
    await once(socket, 'secureConnect');
    const pieces = PIECES.map(([chunk, encoding]) =>
      typeof chunk === 'string'
        ? { chunk: chunk.repeat(repeated), encoding }
        : { chunk: Buffer.concat(Array.from({ length: repeated }, () => chunk)), encoding },
    );
    const expected = Buffer.concat(
      pieces.map(({ chunk, encoding }) => (typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk)),
    );
    if (isCorked) socket.cork();
    for (const { chunk, encoding } of pieces) socket.write(chunk, encoding as BufferEncoding);
    t.is(socket.bytesWritten, expected.length);
    socket.end();
    t.true(expected.equals(await buffer(socket)));
    t.is(socket.bytesWritten, expected.length);
  });
}

test('streams are piped through it', async (t) => {
  const port = await serve(t);
  const socket = OURS.connect({ port, host: HOST, ca });
  const bytes = Buffer.alloc(3_000_000, 'abc');
  const received: Buffer[] = [];
  await Promise.all([
    pipeline(async function* () {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    }, socket),
    pipeline(socket, async (source) => {
      for await (const chunk of source) received.push(chunk as Buffer);
    }),
  ]);
  t.true(Buffer.concat(received).equals(bytes));
});

test('a session is resumed', async (t) => {
  const port = await serve(t, {}, (socket) => socket.end('bye'));
  const first = OURS.connect({ port, host: HOST, ca });
  const [session] = (await once(first.resume(), 'session')) as [Buffer];
  const second = OURS.connect({ port, host: HOST, ca, session });
  await once(second, 'secureConnect');
  t.true(second.isSessionReused());
  t.true(second.authorized);
  second.destroy();
});

test('silence is told, and nothing else happens', async (t) => {
  const port = await serve(t, {}, () => {});
  const socket = OURS.connect({ port, host: HOST, ca });
  await once(socket, 'secureConnect');
  socket.setTimeout(20);
  t.is((socket as { timeout?: number }).timeout, 20);
  await once(socket, 'timeout');
  t.false(socket.destroyed);
  socket.destroy();
});

test('options of the socket may be set at any time', async (t) => {
  const port = await serve(t);
  const socket = tls.connect({ port, host: HOST, ca, keepAlive: true, noDelay: true });
  t.is(socket.setNoDelay(true), socket);
  t.is(socket.setKeepAlive(true, 1000), socket);
  await once(socket, 'secureConnect');
  socket.setNoDelay(false).setKeepAlive(false);
  socket.resetAndDestroy();
  await once(socket, 'close');
});

test('a reset reaches the peer', async (t) => {
  let told: (code: string | undefined) => void;
  const reset = new Promise<string | undefined>((resolve) => (told = resolve));
  const port = await serve(t, {}, (socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => told(error.code));
    socket.resume().write('there');
  });
  const socket = OURS.connect({ port, host: HOST, ca });
  await once(socket, 'data');
  socket.resetAndDestroy();
  t.is(await reset, 'ECONNRESET');
});

test('a socket that is destroyed meanwhile connects no more', async (t) => {
  const port = await serve(t);
  const socket = OURS.connect({ port, host: HOST, ca }, () => t.fail());
  socket.destroy();
  const [failed] = (await once(socket, 'close')) as [boolean];
  t.false(failed);
  const controller = new AbortController();
  const aborted = OURS.connect({ port, host: HOST, ca, signal: controller.signal } as nodeTls.ConnectionOptions);
  controller.abort();
  await t.throwsAsync(once(aborted, 'secureConnect'), { code: 'ABORT_ERR' });
});

for (const [name, over] of [
  ['a socket that is connected', connectedSocket],
  ['a socket that connects', (port: number) => net.connect(port, HOST)],
  ['a stream that is no socket', async (port: number) => duplexOver(await connectedSocket(port))],
] as const) {
  test(`TLS goes over ${name}`, async (t) => {
    const port = await serve(t);
    const below = await over(port);
    const socket = OURS.connect({ socket: below, ca, servername: 'localhost' });
    await once(socket, 'secureConnect');
    t.true(socket.authorized);
    const sent = Buffer.alloc(500_000, 'x');
    socket.end(sent);
    t.is((await text(socket)).length, sent.length);
    if (!below.closed) await once(below, 'close');
    t.true(below.destroyed);
  });

  test(`a failure comes out of ${name}`, async (t) => {
    const port = await serve(t, {}, () => {});
    const below = await over(port);
    const socket = OURS.connect({ socket: below, ca, servername: 'localhost' });
    await once(socket, 'secureConnect');
    const failure = new Error('cut');
    below.destroy(failure);
    const [error] = (await once(socket, 'error')) as [Error];
    t.is(error, failure);
  });
}

test('TLS goes over TLS', async (t) => {
  const inner = await serve(t);
  const outer = await serve(t, {}, (socket) => {
    const forward = net.connect(inner, HOST);
    pipeline(socket, forward, socket).catch(() => {});
  });
  for (const [name, { connect }] of BOTH) {
    const tunnel = connect({ port: outer, host: HOST, ca, servername: 'localhost' });
    await once(tunnel, 'secureConnect');
    const socket = OURS.connect({ socket: tunnel, ca, servername: 'localhost' });
    socket.end('through');
    t.is(await text(socket), 'through', name);
  }
});

test('a socket that nobody reads keeps the peer’s bytes where they are', async (t) => {
  let sent = 0;
  const chunk = Buffer.alloc(65_536);
  const port = await serve(t, {}, (socket) => {
    const more = (): void => {
      while (sent < 64 * 1024 * 1024 && socket.write(chunk)) sent += chunk.length;
    };
    socket.on('drain', more);
    more();
  });
  const socket = OURS.connect({ port, host: HOST, ca });
  await once(socket, 'secureConnect');
  await turns(200);
  t.true(socket.readableLength <= 2 * 65_536);
  t.true(sent < 32 * 1024 * 1024);
  socket.destroy();
});

async function connectedSocket(port: number): Promise<net.Socket> {
  const socket = net.connect(port, HOST);
  await once(socket, 'connect');
  return socket;
}

/** A stream that hides the socket below. */
function duplexOver(socket: net.Socket): Duplex {
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (bytes: Buffer, _encoding, done) => void socket.write(bytes, done),
    final: (done) => void (socket.writableEnded ? done() : socket.end(done)),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (bytes) => stream.push(bytes) || socket.pause());
  socket.on('end', () => stream.push(null));
  return stream;
}
