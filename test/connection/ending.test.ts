import { once } from 'node:events';
import type * as tls from 'node:tls';

import type { ExecutionContext } from 'ava';
import type { ConnectOptions, Connection } from 'libssl-async';

import { randomBytes, receive } from '../support/bytes.ts';
import { overDrivers } from '../support/drivers.ts';
import {
  accepted,
  closed,
  dial,
  nodeClient,
  nodeServer,
  pair,
  serve,
  withNodeClient,
  withNodeServer,
  withResolvers,
} from '../support/peers.ts';
import { type Carried, proxy } from '../support/proxy.ts';
import { turns } from '../support/waiting.ts';

const MUCH = 32 * 1024 * 1024;

/** A connection of ours to node:tls, and the proxy between them. */
async function carried(
  t: ExecutionContext,
  options: Partial<ConnectOptions>,
): Promise<{ connection: Connection; peer: tls.TLSSocket; wire: Carried }> {
  const { promise, resolve } = withResolvers<tls.TLSSocket>();
  const target = await nodeServer(t, resolve);
  const between = await proxy(t, target);
  const [connection, peer, wire] = await Promise.all([dial(t, between.port, options), promise, between.carried]);
  return { connection, peer, wire };
}

overDrivers('a shutdown sends what was written, and waits for the peer', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO });
  const bytes = randomBytes(MUCH);
  void connection.write(bytes);
  void connection.write('end');
  const ended = once(peer, 'end');
  const shutdown = connection.shutdown();
  const received = await receive(peer, MUCH + 3);
  t.is(String(received.subarray(MUCH)), 'end');
  peer.resume();
  await ended;
  await shutdown;
  t.true(connection.destroyed);
  t.is(await connection.closed, undefined);
});

overDrivers('both ends may shut down at once', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  await Promise.all([server.shutdown(), client.shutdown(), client.shutdown()]);
  t.is(await server.closed, undefined);
  t.is(await client.closed, undefined);
  await server.shutdown();
});

overDrivers('a shutdown drops what the peer still sends', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO }, { allowHalfOpen: true });
  peer.on('end', () => peer.end(randomBytes(5_000_000))).resume();
  await connection.shutdown();
  t.is(await connection.closed, undefined);
});

overDrivers('a shutdown leaves what the peer sends to a read that waits', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO }, { allowHalfOpen: true });
  peer.on('end', () => peer.end('the last word')).resume();
  const read = connection.read();
  const shutdown = connection.shutdown();
  t.is(String(await read), 'the last word');
  await shutdown;
});

overDrivers('a shutdown that does not wait ends one direction', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO }, { allowHalfOpen: true });
  peer.resume();
  await Promise.all([once(peer, 'end'), connection.shutdown({ wait: false })]);
  t.false(connection.destroyed);
  await t.throwsAsync(connection.write('more'), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
  await connection.shutdown({ wait: false });
  peer.write('still here');
  t.is(String(await connection.read()), 'still here');
  peer.end();
  t.is(await connection.read(), null);
  await connection.shutdown();
  t.is(await connection.closed, undefined);
});

overDrivers('a peer that does not end in time is given up', async (t, recordIO) => {
  const { connection } = await withNodeServer(t, { recordIO }, { allowHalfOpen: true });
  const error = await t.throwsAsync(connection.shutdown({ timeout: 20 }), {
    code: 'ERR_LIBSSL_ASYNC_SHUTDOWN_TIMEOUT',
  });
  t.is(await connection.closed, error);
});

overDrivers('a peer that reads nothing holds up a shutdown no longer than its time', async (t, recordIO) => {
  const { connection } = await withNodeServer(t, { recordIO });
  const write = connection.write(randomBytes(MUCH));
  const shutdown = connection.shutdown({ timeout: 20 });
  await t.throwsAsync(write, { code: 'ERR_LIBSSL_ASYNC_SHUTDOWN_TIMEOUT' });
  await t.throwsAsync(shutdown, { code: 'ERR_LIBSSL_ASYNC_SHUTDOWN_TIMEOUT' });
});

overDrivers('a shutdown that is aborted ends the connection', async (t, recordIO) => {
  const { connection } = await withNodeServer(t, { recordIO }, { allowHalfOpen: true });
  await t.throwsAsync(connection.shutdown({ signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
  t.false(connection.destroyed);
  const controller = new AbortController();
  const shutdown = connection.shutdown({ signal: controller.signal });
  await turns();
  controller.abort();
  const error = await t.throwsAsync(shutdown, { code: 'ABORT_ERR' });
  t.is(await connection.closed, error);
});

overDrivers("a shutdown takes the peer's FIN for its end", async (t, recordIO) => {
  const { connection, peer, wire } = await carried(t, { recordIO });
  peer.pause();
  wire.server.unpipe(wire.client);
  const shutdown = connection.shutdown();
  await turns();
  wire.client.end();
  await shutdown;
  t.is(await connection.closed, undefined);
});

overDrivers('an end without close_notify is an error', async (t, recordIO) => {
  const { connection, peer, wire } = await carried(t, { recordIO });
  peer.write('half a message');
  t.is(String(await connection.read()), 'half a message');
  const read = connection.read();
  wire.client.end();
  const error = await t.throwsAsync(read, { code: 'ERR_LIBSSL_ASYNC_TRUNCATED' });
  t.is(await connection.closed, error);
});

overDrivers('an end without close_notify comes after what was sent before it', async (t, recordIO) => {
  const { connection, peer, wire } = await carried(t, { recordIO });
  await new Promise<void>((done) => peer.write('half a message', () => done()));
  await turns();
  wire.client.end();
  await turns();
  t.is(String(await connection.read()), 'half a message');
  await t.throwsAsync(connection.read(), { code: 'ERR_LIBSSL_ASYNC_TRUNCATED' });
});

overDrivers('an end behind session tickets, which are no data, is noticed', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  server.destroy();
  // All of it is there before somebody reads.
  await turns(100);
  await t.throwsAsync(client.read(), { code: 'ERR_LIBSSL_ASYNC_TRUNCATED' });
});

overDrivers("an end without close_notify is an end with truncation: 'end'", async (t, recordIO) => {
  const { connection, peer, wire } = await carried(t, { recordIO, truncation: 'end' });
  peer.write('half a message');
  t.is(String(await connection.read()), 'half a message');
  wire.client.end();
  t.is(await connection.read(), null);
  t.is(await connection.read(Buffer.alloc(1)), 0);
  t.false(connection.destroyed);
});

overDrivers("the server's connections have its truncation", async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO, truncation: 'end' });
  const between = await proxy(t, port);
  const [connection, , wire] = await Promise.all([accepted(server), nodeClient(t, between.port), between.carried]);
  wire.server.end();
  t.is(await connection.read(), null);
});

overDrivers('a reset fails a read with ECONNRESET', async (t, recordIO) => {
  const { connection, wire } = await carried(t, { recordIO });
  const read = connection.read();
  wire.client.resetAndDestroy();
  const error = await t.throwsAsync(read, { code: 'ECONNRESET' });
  t.is(error.message, 'read ECONNRESET');
  t.is(await connection.closed, error);
});

overDrivers('junk in place of records fails a read, and tells the peer', async (t, recordIO) => {
  const { connection, peer, wire } = await carried(t, { recordIO });
  const read = connection.read();
  wire.client.write('this is no record at all');
  const error = await t.throwsAsync<NodeJS.ErrnoException>(read, { name: 'TlsError' });
  t.regex(error.code!, /^ERR_SSL_/);
  t.is(await connection.closed, error);
  await closed(peer);
});

overDrivers('destroying fails all that waits, and says why', async (t, recordIO) => {
  for (const reason of [undefined, new Error('enough')]) {
    const { connection, peer } = await withNodeServer(t, { recordIO });
    const told = once(connection, 'close');
    const pending = [
      connection.read(),
      connection.write(randomBytes(MUCH)),
      connection.write('queued'),
      connection.shutdown(),
    ];
    t.is(connection.destroy(reason), connection);
    t.true(connection.destroyed);
    for (const operation of pending) {
      const error = await t.throwsAsync(operation);
      if (reason) t.is(error, reason);
      else t.is((error as NodeJS.ErrnoException).code, 'ERR_LIBSSL_ASYNC_CLOSED');
    }
    t.is(await connection.closed, reason);
    t.deepEqual(await told, [reason]);
    connection.destroy(new Error('too late'));
    t.is(await connection.closed, reason);
    peer.resume();
    await closed(peer);
  }
});

overDrivers('leaving a scope destroys a connection, without close_notify', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const ended = closed(peer);
  {
    await using scoped = connection;
    await scoped.write('half a message');
  }
  t.true(connection.destroyed);
  t.is(await connection.closed, undefined);
  peer.resume();
  await ended;
});

overDrivers('a destroyed connection tells nothing any more', async (t, recordIO) => {
  const { connection } = await withNodeClient(t, { recordIO });
  connection.destroy();
  t.is(connection.protocol, undefined);
  t.is(connection.cipher, undefined);
  t.is(connection.peerCertificate, undefined);
  t.deepEqual(connection.peerCertificates, []);
  t.is(connection.getSession(), undefined);
  t.is(connection.writableLength, 0);
  t.throws(() => connection.exportKeyingMaterial(16, 'label'), { code: 'ERR_LIBSSL_ASYNC_NOT_CONNECTED' });
  await t.throwsAsync(connection.handshake(), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
});
