import test from 'ava';

import { randomBytes, receive } from '../support/bytes.ts';
import { overDrivers } from '../support/drivers.ts';
import { closed, dial, nodeServer, withNodeServer } from '../support/peers.ts';
import { proxy } from '../support/proxy.ts';
import { turns } from '../support/waiting.ts';

/** More than any socket holds. */
const MUCH = 32 * 1024 * 1024;

overDrivers(
  'a write that is aborted before its turn takes those behind it along, and nothing else',
  async (t, recordIO) => {
    const { connection, peer } = await withNodeServer(t, { recordIO });
    const controller = new AbortController();
    const much = connection.write(randomBytes(MUCH));
    const aborted = connection.write('no', { signal: controller.signal });
    const behind = connection.write('no either');
    controller.abort(new Error('changed my mind'));
    const error = await t.throwsAsync(aborted, { code: 'ABORT_ERR' });
    t.is((error.cause as Error).message, 'changed my mind');
    await t.throwsAsync(behind, { code: 'ABORT_ERR' });
    t.false(connection.destroyed);
    const after = connection.write('yes');
    const received = await receive(peer, MUCH + 3);
    t.is(received.length, MUCH + 3);
    t.is(String(received.subarray(MUCH)), 'yes');
    await Promise.all([much, after]);
  },
);

overDrivers('a write that is aborted after it began ends the connection', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO });
  const controller = new AbortController();
  const write = connection.write(randomBytes(MUCH), { signal: controller.signal });
  const behind = connection.write('x');
  controller.abort();
  const error = await t.throwsAsync(write, { code: 'ABORT_ERR' });
  await t.throwsAsync(behind, { code: 'ABORT_ERR' });
  t.true(connection.destroyed);
  t.is(await connection.closed, error);
  peer.resume();
  await closed(peer);
});

overDrivers('a signal that was aborted before stops a write before it begins', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO });
  await t.throwsAsync(connection.write('no', { signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
  await connection.write('yes');
  t.is(String(await receive(peer, 3)), 'yes');
});

overDrivers('a signal does not outlive its write', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO });
  const controller = new AbortController();
  await connection.write('a', { signal: controller.signal });
  controller.abort();
  await connection.write('b');
  t.is(String(await receive(peer, 2)), 'ab');
});

overDrivers('nobody has to await a write that fails', async (t, recordIO) => {
  const { connection } = await withNodeServer(t, { recordIO });
  void connection.write(randomBytes(MUCH));
  void connection.write('x');
  const error = new Error('enough');
  connection.destroy(error);
  void connection.write('y');
  // An unhandled rejection would fail this test.
  await turns();
  t.is(await connection.closed, error);
  t.is(await t.throwsAsync(connection.write('z')), error);
});

overDrivers('a reset fails writes with ECONNRESET or EPIPE', async (t, recordIO) => {
  const target = await nodeServer(t, () => {});
  const { port, carried } = await proxy(t, target);
  const connection = await dial(t, port, { recordIO });
  const write = connection.write(randomBytes(MUCH));
  (await carried).client.resetAndDestroy();
  const error = await t.throwsAsync<NodeJS.ErrnoException>(write);
  t.regex(error.code!, /^(ECONNRESET|EPIPE)$/);
  t.is(await connection.closed, error);
  t.is(await t.throwsAsync(connection.write('more')), error);
  t.is(await t.throwsAsync(connection.read()), error);
});

test('only bytes and strings are written', async (t) => {
  const { connection, peer } = await withNodeServer(t, {});
  for (const data of [undefined, null, 5, {}, new ArrayBuffer(8), [1, 2]] as unknown[]) {
    await t.throwsAsync(connection.write(data as string), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  const detached = new Uint8Array(8);
  structuredClone(detached, { transfer: [detached.buffer] });
  await t.throwsAsync(connection.write(detached), { code: 'ERR_INVALID_ARG_VALUE', message: /detached/ });
  await connection.write('fine');
  t.is(String(await receive(peer, 4)), 'fine');
});

test('views of any memory are written', async (t) => {
  const { connection, peer } = await withNodeServer(t, {});
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  shared.set(Buffer.from('wxyz'));
  await connection.write(shared.subarray(1, 3));
  await connection.write(new Uint8Array(Buffer.from('0123456789').buffer.slice(0)).subarray(0, 0));
  t.is(String(await receive(peer, 2)), 'xy');
});
