import test from 'ava';
import type { Connection } from 'libssl-async';

import { randomBytes, readExactly } from '../support/bytes.ts';
import { overDrivers } from '../support/drivers.ts';
import { pair, withNodeClient } from '../support/peers.ts';
import { turns } from '../support/waiting.ts';

overDrivers('one read is under way at a time', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const first = connection.read();
  await t.throwsAsync(connection.read(), { code: 'ERR_LIBSSL_ASYNC_CONCURRENT_READ' });
  await t.throwsAsync(connection.read(Buffer.alloc(1)), { code: 'ERR_LIBSSL_ASYNC_CONCURRENT_READ' });
  peer.write('hello');
  t.is(String(await first), 'hello');
});

overDrivers('an aborted read loses nothing', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const controller = new AbortController();
  const read = connection.read(Buffer.alloc(5), { signal: controller.signal });
  const reason = new Error('changed my mind');
  controller.abort(reason);
  await t.throwsAsync(read, { code: 'ABORT_ERR', name: 'AbortError', message: 'The operation was aborted' });
  t.is((await t.throwsAsync(read)).cause, reason);
  t.false(connection.destroyed);
  peer.write('hello');
  t.is(String(await connection.read()), 'hello');
});

overDrivers('a signal that was aborted before stops a read before it begins', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  peer.write('hello');
  await t.throwsAsync(connection.read(undefined, { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
  t.is(String(await connection.read()), 'hello');
});

overDrivers('reads that are aborted while bytes come lose none of them', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const bytes = randomBytes(300 * 1000);
  const received: Buffer[] = [];
  let sent = 0;
  for (let round = 0; round < 300; round++) {
    const controller = new AbortController();
    const read = connection.read(undefined, { signal: controller.signal }).catch(() => null);
    peer.write(bytes.subarray(sent, (sent += 1000)));
    // The bytes overtake the abort in some rounds.
    await turns(round % 4);
    controller.abort();
    const chunk = await read;
    if (chunk) received.push(chunk);
  }
  received.push(await readExactly(connection, bytes.length - Buffer.concat(received).length));
  t.true(Buffer.concat(received).equals(bytes));
});

overDrivers('a signal does not outlive its read', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const controller = new AbortController();
  const read = connection.read(undefined, { signal: controller.signal });
  peer.write('hello');
  await read;
  controller.abort();
  peer.write('again');
  t.is(String(await connection.read()), 'again');
});

overDrivers('what is no buffer, or an empty one, is not read into', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  for (const target of [null, 'text', 5, new ArrayBuffer(8), [1, 2]]) {
    const read = connection.read(target as unknown as Uint8Array);
    await t.throwsAsync(read, { code: 'ERR_INVALID_ARG_TYPE' });
  }
  await t.throwsAsync(connection.read(Buffer.alloc(0)), { code: 'ERR_INVALID_ARG_VALUE', message: /empty/ });
  const detached = new Uint8Array(8);
  structuredClone(detached, { transfer: [detached.buffer] });
  await t.throwsAsync(connection.read(detached), { code: 'ERR_INVALID_ARG_VALUE', message: /detached/ });
  peer.write('hello');
  t.is(String(await connection.read()), 'hello');
});

overDrivers('a buffer that is detached while a read waits fails the read and loses nothing', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const target = new Uint8Array(8);
  const read = connection.read(target);
  structuredClone(target, { transfer: [target.buffer] });
  peer.write('hello');
  await t.throwsAsync(read, { code: 'ERR_INVALID_ARG_VALUE', message: /detached/ });
  t.false(connection.destroyed);
  t.is(String(await connection.read()), 'hello');
});

overDrivers('a read fills any kind of view, and nothing beyond it', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const memory = new Uint8Array(16).fill(0xee);
  const read = connection.read(memory.subarray(4, 8));
  peer.write('abcdefgh');
  t.is(await read, 4);
  t.deepEqual(Buffer.from(memory), Buffer.from('eeeeeeee61626364eeeeeeeeeeeeeeee', 'hex'));
  t.is(String(await connection.read()), 'efgh');
});

overDrivers('reads of any size give the same bytes', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  const bytes = randomBytes(300_000);
  void client.write(bytes);
  t.true((await readInPieces(server, bytes.length)).equals(bytes));
});

test('nothing is read from a connection that was destroyed', async (t) => {
  const { connection } = await withNodeClient(t, {});
  connection.destroy();
  await t.throwsAsync(connection.read(), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
});

/** Reads with buffers of 1, 2, 3, 5, 8, … bytes, again and again. */
async function readInPieces(connection: Connection, length: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let [size, next] = [1, 2];
  for (let read = 0; read < length;) {
    const piece = await readExactly(connection, Math.min(size, length - read));
    pieces.push(piece);
    read += piece.length;
    [size, next] = size > 50_000 ? [1, 2] : [next, size + next];
  }
  return Buffer.concat(pieces);
}
