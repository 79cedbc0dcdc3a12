// Servers of libssl-async/tls, visited by clients of node:tls.

import { once } from 'node:events';
import * as net from 'node:net';
import { text } from 'node:stream/consumers';
import * as nodeTls from 'node:tls';

import test, { type ExecutionContext } from 'ava';
import * as tls from 'libssl-async/tls';

import { issue } from '../support/certificates.ts';
import { authority, clientIdentity, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';
import { freePort } from '../support/proxy.ts';
import { remote } from '../support/remote-keys.ts';

const ca = authority.cert;

async function serve(
  t: ExecutionContext,
  options: tls.TlsOptions = {},
  onSocket: (socket: tls.TLSSocket) => void = (socket) => socket.pipe(socket),
): Promise<{ server: tls.Server; port: number }> {
  const server = tls.createServer({ ...serverIdentity, ...options }, (socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return { server, port: (server.address() as net.AddressInfo).port };
}

async function visit(port: number, options: nodeTls.ConnectionOptions = {}): Promise<nodeTls.TLSSocket> {
  const socket = nodeTls.connect({ port, host: HOST, ca, servername: 'localhost', ...options });
  await once(socket, 'secureConnect');
  return socket;
}

test('a server serves, and closes when its last connection has ended', async (t) => {
  const sockets: tls.TLSSocket[] = [];
  const { server, port } = await serve(t, {}, (socket) => {
    sockets.push(socket);
    socket.pipe(socket);
  });
  t.true(server.listening);
  t.true(server instanceof net.Server);
  const client = await visit(port);
  client.write('hello');
  const [answer] = (await once(client, 'data')) as [Buffer];
  t.is(String(answer), 'hello');
  const [socket] = sockets;
  t.is(socket!.server, server);
  t.like(socket, { encrypted: true, authorized: false, alpnProtocol: false, servername: 'localhost' });
  t.is(socket!.getPeerCertificate() && Object.keys(socket!.getPeerCertificate()).length, 0);
  t.is(await count(server), 1);
  let isClosed = false;
  const closed = once(server, 'close').then(() => (isClosed = true));
  server.close();
  t.false(server.listening);
  t.is(server.address(), null);
  t.false(isClosed);
  client.end();
  await closed;
});

test('a server that does not listen closes with an error', async (t) => {
  const server = tls.createServer();
  const error = await new Promise((resolve) => server.close(resolve));
  t.like(error, { code: 'ERR_SERVER_NOT_RUNNING' });
});

test('a server listens again after it was closed', async (t) => {
  const { server } = await serve(t);
  server.close();
  await once(server, 'close');
  server.listen(0, HOST);
  await once(server, 'listening');
  const socket = await visit((server.address() as net.AddressInfo).port);
  t.true(socket.authorized);
  socket.destroy();
});

test('a server listens as node:net’s does', async (t) => {
  const port = await freePort();
  const listens: [unknown[], (address: net.AddressInfo | string | null) => boolean][] = [
    [[port, HOST, 5], (address) => (address as net.AddressInfo).port === port],
    [[String(port), HOST], (address) => (address as net.AddressInfo).port === port],
    [[{ port, host: HOST, backlog: 5 }], (address) => (address as net.AddressInfo).address === HOST],
    [[], (address) => (address as net.AddressInfo).port > 0],
    [[{ path: `\0libssl-async-${process.pid}` }], (address) => typeof address === 'string'],
  ];
  for (const [args, fits] of listens) {
    const server = tls.createServer({ ...serverIdentity });
    await new Promise<void>((resolve) => (server.listen as (...args: unknown[]) => void)(...args, resolve));
    t.true(fits(server.address()), JSON.stringify(args));
    t.throws(() => server.listen(0), { code: 'ERR_SERVER_ALREADY_LISTEN' });
    server.close();
    await once(server, 'close');
  }
  const server = tls.createServer();
  t.throws(() => server.listen(70_000), { code: 'ERR_SOCKET_BAD_PORT' });
  t.throws(() => server.listen({} as net.ListenOptions), { code: 'ERR_INVALID_ARG_VALUE' });
});

test('a port that is taken is an event', async (t) => {
  const { port } = await serve(t);
  const server = tls.createServer({ ...serverIdentity }).listen(port, HOST);
  const [error] = (await once(server, 'error')) as [NodeJS.ErrnoException];
  t.like(error, { code: 'EADDRINUSE', syscall: 'listen', port, address: HOST });
});

test('a server listens where another was bound', async (t) => {
  const bound = net.createServer();
  bound.listen(0, HOST);
  await once(bound, 'listening');
  const server = tls.createServer({ ...serverIdentity }, (socket) => socket.end('taken over'));
  t.teardown(() => server.close());
  server.listen(bound);
  await once(server, 'listening');
  const { port } = bound.address() as net.AddressInfo;
  t.is((server.address() as net.AddressInfo).port, port);
  t.is(await text(await visit(port)), 'taken over');
});

test('a stream that is emitted as a connection is served', async (t) => {
  const { server } = await serve(t);
  const front = net.createServer((socket) => void server.emit('connection', socket));
  front.listen(0, HOST);
  await once(front, 'listening');
  t.teardown(() => front.close());
  const client = await visit((front.address() as net.AddressInfo).port);
  client.end('through');
  t.is(await text(client), 'through');
});

test('a handshake that fails is told, and harms nobody', async (t) => {
  const { server, port } = await serve(t);
  const told = once(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException, tls.TLSSocket]>;
  net.connect(port, HOST).end('GET / HTTP/1.1\r\n\r\n');
  const [error, socket] = await told;
  t.regex(error.code!, /^ERR_SSL_/);
  t.is(socket.remoteAddress, HOST);
  t.true(socket.destroyed);
  const hangUp = once(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException]>;
  net.connect(port, HOST).end();
  t.like((await hangUp)[0], { code: 'ECONNRESET', message: 'socket hang up' });
  (await visit(port)).destroy();
});

test('a client that says nothing is given up', async (t) => {
  const { server, port } = await serve(t, { handshakeTimeout: 50 });
  const silent = net.connect(port, HOST);
  t.teardown(() => silent.destroy());
  const [error] = (await once(server, 'tlsClientError')) as [Error];
  t.like(error, { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
});

test('clients are asked for certificates', async (t) => {
  const told: unknown[] = [];
  const { server, port } = await serve(t, { ca, requestCert: true, rejectUnauthorized: false }, (socket) => {
    told.push([socket.authorized, socket.authorizationError]);
    socket.end();
  });
  await text(await visit(port, clientIdentity));
  await text(await visit(port));
  await text(await visit(port, issue({ client: true })));
  t.deepEqual(told, [
    [true, null],
    [false, 'UNABLE_TO_GET_ISSUER_CERT'],
    [false, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ]);
  server.close();
  const strict = await serve(t, { ca, requestCert: true });
  const refused = once(strict.server, 'tlsClientError') as Promise<[NodeJS.ErrnoException]>;
  const client = nodeTls.connect({ port: strict.port, host: HOST, ca }).on('error', () => {});
  t.is((await refused)[0].code, 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE');
  client.destroy();
});

test('a certificate is renewed while the server listens', async (t) => {
  const { server, port } = await serve(t, {}, (socket) => socket.end());
  const subject = async (): Promise<unknown> => {
    const client = await visit(port);
    const { CN } = client.getPeerCertificate().subject;
    await text(client);
    return CN;
  };
  t.not(await subject(), 'renewed');
  server.setSecureContext({ ...issue({ issuer: authority, subject: 'renewed' }) });
  t.is(await subject(), 'renewed');
  t.throws(() => server.setSecureContext({ key: 'none' }));
});

test('servers with the same ticket keys resume each other’s sessions', async (t) => {
  const one = await serve(t, {}, (socket) => socket.end());
  const two = await serve(t, {}, (socket) => socket.end());
  const client = nodeTls.connect({ port: one.port, host: HOST, ca, servername: 'localhost' });
  const [session] = (await once(client.resume(), 'session')) as [Buffer];
  const resumes = async (port: number): Promise<boolean> => {
    const again = await visit(port, { session });
    const isReused = again.isSessionReused();
    await text(again);
    return isReused;
  };
  t.true(await resumes(one.port));
  t.false(await resumes(two.port));
  two.server.setTicketKeys(one.server.getTicketKeys());
  t.true(await resumes(two.port));
  const own = one.server.getTicketKeys();
  one.server.setTicketKeys([Buffer.alloc(48), own]);
  t.deepEqual(one.server.getTicketKeys(), Buffer.alloc(48));
  t.true(await resumes(one.port));
  one.server.setTicketKeys(Buffer.alloc(48));
  t.false(await resumes(one.port));
  for (const wrong of [Buffer.alloc(47), [], [own, Buffer.alloc(47)]])
    t.throws(() => one.server.setTicketKeys(wrong), { code: 'ERR_INVALID_ARG_VALUE' });
});

test('secrets are told while somebody listens', async (t) => {
  const { server, port } = await serve(t, {}, (socket) => socket.end());
  const lines: string[] = [];
  server.on('keylog', (line: Buffer) => lines.push(String(line)));
  await text(await visit(port));
  await text(await visit(port));
  t.true(lines.some((line) => line.startsWith('SERVER_TRAFFIC_SECRET_0 ')));
  t.true(lines.every((line) => line.endsWith('\n')));
});

test('a key that is elsewhere serves', async (t) => {
  const { key } = remote(serverIdentity);
  const { port } = await serve(t, { key, cert: serverIdentity.cert }, (socket) => socket.end('signed elsewhere'));
  t.is(await text(await visit(port)), 'signed elsewhere');
});

const WRONG: [what: string, options: object, code: string][] = [
  [
    'both ways to choose a protocol',
    { ALPNCallback: () => 'a', ALPNProtocols: ['a'] },
    'ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS',
  ],
  ['a callback that is none', { SNICallback: 'none' }, 'ERR_INVALID_ARG_TYPE'],
  ['a time that is none', { handshakeTimeout: 'long' }, 'ERR_INVALID_ARG_TYPE'],
  ['ticket keys that are too short', { ticketKeys: Buffer.alloc(1) }, 'ERR_INVALID_ARG_VALUE'],
  ['a key that is none', { key: 'none' }, 'ERR_LIBSSL_ASYNC_INVALID_KEY'],
];

for (const [what, options, code] of WRONG) {
  test(`wrong options throw: ${what}`, (t) => {
    t.throws(() => tls.createServer({ cert: serverIdentity.cert, key: serverIdentity.key, ...options }), { code });
  });
}

test('a socket is the server’s end over a stream', async (t) => {
  const server = net.createServer((below) => {
    const socket = new tls.TLSSocket(below, {
      isServer: true,
      ...serverIdentity,
      requestCert: true,
      ca,
      rejectUnauthorized: false,
    });
    socket.on('error', () => {});
    socket.once('secure', () => socket.end(`${socket.authorized} ${String(socket.getPeerCertificate().subject?.CN)}`));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  t.is(await text(await visit(port, clientIdentity)), 'true client');
  t.throws(() => new tls.TLSSocket({} as net.Socket), { code: 'ERR_INVALID_ARG_TYPE' });
});

function count(server: tls.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, connections) => (error ? reject(error) : resolve(connections)));
  });
}
