import { once } from 'node:events';

import test from 'ava';
import { type Address, connect, createServer } from 'libssl-async';

import { randomBytes, receive } from '../support/bytes.ts';
import { overDrivers } from '../support/drivers.ts';
import { clientContext } from '../support/identities.ts';
import {
  HOST,
  accepted,
  closed,
  dial,
  nodeClient,
  nodeClientSocket,
  nodeServer,
  serve,
  withResolvers,
} from '../support/peers.ts';
import { proxy, tcpClient, tcpServer } from '../support/proxy.ts';
import { turns } from '../support/waiting.ts';

overDrivers('a client may begin its handshake itself', async (t, recordIO) => {
  const port = await nodeServer(t, (socket) => socket.pipe(socket));
  const connection = await dial(t, port, { recordIO, handshake: false });
  t.is(connection.protocol, undefined);
  t.is(connection.remoteAddress?.port, port);
  t.is(connection.localAddress?.address, HOST);
  await t.throwsAsync(connection.read(), { code: 'ERR_LIBSSL_ASYNC_NOT_CONNECTED' });
  await t.throwsAsync(connection.write('x'), { code: 'ERR_LIBSSL_ASYNC_NOT_CONNECTED' });
  await t.throwsAsync(connection.shutdown(), { code: 'ERR_LIBSSL_ASYNC_NOT_CONNECTED' });
  t.throws(() => connection.exportKeyingMaterial(16, 'label'), { code: 'ERR_LIBSSL_ASYNC_NOT_CONNECTED' });
  const first = connection.handshake();
  t.is(connection.handshake(), first);
  await first;
  await connection.handshake();
  t.is(connection.protocol, 'TLSv1.3');
  await connection.write('hello');
  t.is(String(await connection.read()), 'hello');
});

overDrivers('a server may hand connections out before their handshake', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO, handshake: false });
  const peer = nodeClientSocket(t, port);
  const connection = await accepted(server);
  t.is(connection.protocol, undefined);
  t.is(connection.remoteAddress?.port, peer.localPort);
  t.is(connection.localAddress?.port, port);
  const secure = once(peer, 'secureConnect');
  await connection.handshake();
  await secure;
  await connection.write('hello');
  t.is(String(await receive(peer, 5)), 'hello');
});

overDrivers('a handshake that fails destroys the connection that was handed out before it', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO, handshake: false });
  server.on('tlsClientError', () => t.fail('whoever began the handshake is told'));
  const [connection, peer] = await Promise.all([accepted(server), tcpClient(t, port)]);
  peer.write('GET / HTTP/1.1\r\n\r\n');
  const error = await t.throwsAsync(connection.handshake(), { code: 'ERR_SSL_HTTP_REQUEST' });
  t.is(await connection.closed, error);
  t.true(connection.destroyed);
});

overDrivers('a client that speaks no TLS is told of, and harms nobody', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  for (const [sent, code] of [
    ['GET / HTTP/1.1\r\n\r\n', 'ERR_SSL_HTTP_REQUEST'],
    ['\x16\x03\x01\x00\x04junk', undefined],
    [randomBytes(4096), undefined],
  ] as const) {
    const failed = once(server, 'tlsClientError');
    const peer = await tcpClient(t, port);
    peer.write(sent);
    const [error, address] = (await failed) as [NodeJS.ErrnoException, Address];
    t.is(error.name, 'TlsError');
    if (code) t.is(error.code, code);
    else t.regex(error.code!, /^ERR_SSL_/);
    t.is(address.port, peer.localPort!);
    peer.resume();
    await closed(peer.end());
  }
  const [connection] = await Promise.all([accepted(server), nodeClient(t, port)]);
  t.is(connection.protocol, 'TLSv1.3');
});

overDrivers('a server that speaks no TLS fails the connection', async (t, recordIO) => {
  const answers = ['HTTP/1.1 400 Bad Request\r\n\r\n', '\x16\x03\x01\x00\x04junk', randomBytes(4096)];
  for (const answer of answers) {
    const port = await tcpServer(t, (socket) => socket.end(answer));
    const error = await t.throwsAsync<NodeJS.ErrnoException>(dial(t, port, { recordIO }), { name: 'TlsError' });
    t.regex(error.code!, /^ERR_SSL_/);
  }
});

overDrivers('a server that closes in the midst of a handshake fails it', async (t, recordIO) => {
  const silent = await tcpServer(t, (socket) => socket.end());
  await t.throwsAsync(dial(t, silent, { recordIO }), { code: 'ERR_LIBSSL_ASYNC_TRUNCATED' });
  const halfway = await tcpServer(t, (socket) => socket.once('data', () => socket.end('\x16\x03\x03\x01\x00half')));
  await t.throwsAsync(dial(t, halfway, { recordIO }), { code: 'ERR_LIBSSL_ASYNC_TRUNCATED' });
  const resetting = await tcpServer(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  await t.throwsAsync(dial(t, resetting, { recordIO }), { code: 'ECONNRESET' });
});

overDrivers('a client that goes in the midst of a handshake is told of', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const going: [string, (peer: Awaited<ReturnType<typeof tcpClient>>) => void][] = [
    ['ERR_LIBSSL_ASYNC_TRUNCATED', (peer) => peer.end()],
    ['ERR_LIBSSL_ASYNC_TRUNCATED', (peer) => peer.end('\x16\x03\x01\x01\x00half')],
    ['ECONNRESET', (peer) => peer.resetAndDestroy()],
  ];
  for (const [code, go] of going) {
    const failed = once(server, 'tlsClientError');
    go(await tcpClient(t, port));
    const [error] = (await failed) as [NodeJS.ErrnoException];
    t.is(error.code, code);
  }
  t.is(server.connections, 0);
});

overDrivers('a handshake that takes too long is given up', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO, handshakeTimeout: 20 });
  const failed = once(server, 'tlsClientError');
  const peer = await tcpClient(t, port);
  const ended = once(peer.resume(), 'end');
  const [error] = (await failed) as [NodeJS.ErrnoException];
  t.is(error.code, 'ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT');
  await ended;

  const silent = await tcpServer(t, () => {});
  await t.throwsAsync(dial(t, silent, { recordIO, handshakeTimeout: 20 }), {
    code: 'ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT',
  });
  const connection = await dial(t, silent, { recordIO, handshakeTimeout: 20, handshake: false });
  await t.throwsAsync(connection.handshake(), { code: 'ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT' });
});

overDrivers('a time that is long enough is no hindrance', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO, handshakeTimeout: 60_000 });
  const [ours] = await Promise.all([accepted(server), dial(t, port, { recordIO, handshakeTimeout: 60_000 })]);
  t.is(ours.protocol, 'TLSv1.3');
});

overDrivers('connecting can be aborted', async (t, recordIO) => {
  const { promise: met, resolve } = withResolvers<void>();
  const silent = await tcpServer(t, (socket) => {
    socket.once('data', () => resolve());
    socket.on('end', () => socket.end());
  });
  const controller = new AbortController();
  const reason = new Error('changed my mind');
  const connecting = dial(t, silent, { recordIO, signal: controller.signal });
  await met;
  controller.abort(reason);
  t.is((await t.throwsAsync(connecting, { code: 'ABORT_ERR' })).cause, reason);
  await t.throwsAsync(dial(t, silent, { recordIO, signal: controller.signal }), { code: 'ABORT_ERR' });
});

overDrivers('a handshake can be aborted, which destroys the connection', async (t, recordIO) => {
  const silent = await tcpServer(t, () => {});
  const connection = await dial(t, silent, { recordIO, handshake: false });
  await t.throwsAsync(connection.handshake({ signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
  t.false(connection.destroyed);
  const controller = new AbortController();
  const handshake = connection.handshake({ signal: controller.signal });
  await turns();
  controller.abort();
  const error = await t.throwsAsync(handshake, { code: 'ABORT_ERR' });
  t.is(await connection.closed, error);
});

overDrivers('a connection can be destroyed while it shakes hands', async (t, recordIO) => {
  const reason = new Error('enough');
  let isGone: Promise<unknown> = Promise.resolve();
  const silent = await tcpServer(t, (socket) => {
    isGone = closed(socket);
    socket.resume().on('end', () => socket.end());
  });
  const connection = await dial(t, silent, { recordIO, handshake: false });
  const handshake = connection.handshake();
  connection.destroy(reason);
  t.is(await t.throwsAsync(handshake), reason);
  t.is(await connection.closed, reason);
  await turns();
  await isGone;
});

overDrivers('what the peer sends right behind its handshake is not lost', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const first = randomBytes(100_000);
  const connections = Array.from({ length: 20 }, async () => {
    const connection = await connect({ host: HOST, port, context: clientContext, recordIO });
    t.teardown(() => connection.destroy());
    void connection.write(first);
    return connection.shutdown();
  });
  let met = 0;
  for await (const connection of server) {
    const chunks: Buffer[] = [];
    for await (const chunk of connection) chunks.push(chunk);
    t.true(Buffer.concat(chunks).equals(first));
    await connection.shutdown();
    if (++met === connections.length) break;
  }
  await Promise.all(connections);
});

overDrivers('a handshake that comes byte by byte succeeds', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const between = await proxy(t, port, ({ client, server: target }) => {
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.unpipe(to);
      to.setNoDelay();
      from.on('data', (bytes: Buffer) => {
        for (const byte of bytes) to.write(Buffer.of(byte));
      });
      from.resume();
    }
  });
  const [ours] = await Promise.all([accepted(server), dial(t, between.port, { recordIO })]);
  t.is(ours.protocol, 'TLSv1.3');
});

test('a server needs a context', (t) => {
  t.throws(() => createServer({} as never), { code: 'ERR_INVALID_ARG_TYPE', message: /options\.context/ });
});
