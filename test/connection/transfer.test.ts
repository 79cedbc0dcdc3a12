import { createHash } from 'node:crypto';
import type * as tls from 'node:tls';

import test from 'ava';

import { echo, randomBytes, readExactly, receive } from '../support/bytes.ts';
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
} from '../support/peers.ts';
import { eventually, turns } from '../support/waiting.ts';

const MIB = 1024 * 1024;
const VERSIONS: tls.SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];

for (const version of VERSIONS) {
  const only = { minVersion: version, maxVersion: version };

  overDrivers(`a server echoes to a client of node:tls with ${version}`, async (t, recordIO) => {
    const { server, port } = await serve(t, { recordIO });
    const [connection, peer] = await Promise.all([accepted(server), nodeClient(t, port, only)]);
    t.is(connection.protocol, version);
    const echoed = echo(connection);
    const bytes = randomBytes(3 * MIB + 17);
    const received = receive(peer, bytes.length + 1);
    peer.end(bytes);
    t.true((await received).equals(bytes));
    await echoed;
    t.is(await connection.closed, undefined);
  });

  overDrivers(`a client is echoed to by a server of node:tls with ${version}`, async (t, recordIO) => {
    const port = await nodeServer(t, (socket) => socket.pipe(socket), only);
    const connection = await dial(t, port, { recordIO });
    t.is(connection.protocol, version);
    const bytes = randomBytes(3 * MIB + 17);
    const written = connection.write(bytes);
    t.true((await readExactly(connection, bytes.length)).equals(bytes));
    await written;
    await connection.shutdown();
    t.is(await connection.closed, undefined);
  });
}

overDrivers('both ends may be ours', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  const echoed = echo(server);
  const bytes = randomBytes(2 * MIB);
  const written = client.write(bytes);
  t.true((await readExactly(client, bytes.length)).equals(bytes));
  await written;
  await client.shutdown();
  await echoed;
});

overDrivers('many small messages go to and fro', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  const echoed = echo(server);
  for (let length = 1; length <= 500; length++) {
    const bytes = randomBytes(length);
    await client.write(bytes);
    t.deepEqual(await readExactly(client, length), bytes);
  }
  await client.shutdown();
  await echoed;
});

overDrivers('a peer that does not read holds up writes, and everything arrives when it does', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO });
  const chunk = randomBytes(MIB);
  const count = 48;
  const hash = createHash('sha256');
  let written = 0;
  const writes = Array.from({ length: count }, () => {
    hash.update(chunk);
    return connection.write(chunk).then(() => written++);
  });
  await turns(200);
  t.true(written < count, 'more was taken than a socket can hold');
  t.true(connection.writableLength > 0);
  const received = await receive(peer, count * MIB);
  await Promise.all(writes);
  t.is(connection.writableLength, 0);
  t.is(createHash('sha256').update(received).digest('hex'), hash.digest('hex'));
});

overDrivers('what nobody reads holds up the peer, and everything arrives when it is read', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const bytes = randomBytes(48 * MIB);
  let isSent = false;
  peer.write(bytes, () => (isSent = true));
  await turns(200);
  t.false(isSent, 'more was taken than a socket can hold');
  t.true((await readExactly(connection, bytes.length)).equals(bytes));
  t.true(await eventually(() => isSent));
});

overDrivers('both directions go on while both are full', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  const [up, down] = [randomBytes(16 * MIB), randomBytes(16 * MIB)];
  const writes = [client.write(up), server.write(down)];
  await turns(50);
  const [fromClient, fromServer] = await Promise.all([
    readExactly(server, up.length),
    readExactly(client, down.length),
  ]);
  t.true(fromClient.equals(up));
  t.true(fromServer.equals(down));
  await Promise.all(writes);
});

overDrivers('writes keep their order without being awaited, and copy what they are given', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO });
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(40_000);
  let length = 0;
  for (let round = 0; round < 1000; round++) {
    const bytes = buffer.subarray(0, (round * 7919) % buffer.length);
    bytes.fill(round);
    hash.update(bytes);
    length += bytes.length;
    void connection.write(bytes);
  }
  buffer.fill(0xff);
  const received = await receive(peer, length);
  t.is(createHash('sha256').update(received).digest('hex'), hash.digest('hex'));
});

overDrivers('strings are written as UTF-8, and nothing is nothing', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO });
  await connection.write('');
  await connection.write(new Uint8Array(0));
  await connection.write('ü€😀');
  t.is(String(await receive(peer, 9)), 'ü€😀');
});

overDrivers('a read returns what fits, and the next one the rest', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  peer.write('abcdefgh');
  const target = Buffer.alloc(3);
  const chunks: string[] = [];
  for (let length = 0; length < 8;) {
    const count = await connection.read(target);
    chunks.push(String(target.subarray(0, count)));
    length += count;
  }
  t.is(chunks.join(''), 'abcdefgh');
  t.true(chunks.every((chunk) => chunk.length <= 3));
});

overDrivers('buffers that are read belong to the reader alone', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  peer.write('first');
  const first = (await connection.read())!;
  t.is(String(first), 'first');
  peer.write('other');
  t.is(String(await connection.read()), 'other');
  t.is(String(first), 'first');
});

overDrivers('iteration ends with the peer, and the connection stays open for writing', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO }, { allowHalfOpen: true });
  // A server of node:tls that ends before its session tickets are sent forgets its close_notify.
  await connection.write('go');
  await receive(peer, 2);
  peer.end('all of it');
  const chunks: Buffer[] = [];
  for await (const chunk of connection) chunks.push(chunk);
  t.is(String(Buffer.concat(chunks)), 'all of it');
  t.false(connection.destroyed);
  t.is(await connection.read(), null);
  t.is(await connection.read(Buffer.alloc(1)), 0);
  await connection.write('and back');
  t.is(String(await receive(peer, 8)), 'and back');
});

overDrivers('leaving an iteration destroys the connection', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO });
  peer.write('x');
  for await (const _ of connection) break;
  t.true(connection.destroyed);
  t.is(await connection.closed, undefined);
  await closed(peer);
});

test('a turn of the event loop does not end with more than its share of bytes', async (t) => {
  const { connection, peer } = await withNodeClient(t, { recordIO: 'loop' });
  const bytes = randomBytes(24 * MIB);
  peer.write(bytes);
  let read = 0;
  let most = 0;
  let before = 0;
  let turning = true;
  const measure = (): void => {
    most = Math.max(most, read - before);
    before = read;
    if (turning) setImmediate(measure);
  };
  measure();
  const target = Buffer.alloc(MIB);
  while (read < bytes.length) read += await connection.read(target);
  turning = false;
  t.true(most <= 4 * MIB, `${most} bytes`);
});
