import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

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
} from '../support/peers.ts';
import { proxy } from '../support/proxy.ts';
import { eventually, turns } from '../support/waiting.ts';

overDrivers('streams are piped through connections', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  const echo = server.toDuplex();
  const stream = client.toDuplex();
  const sent = createHash('sha256');
  const received = createHash('sha256');
  const chunks = Array.from({ length: 64 }, (_, index) => randomBytes(100_000 + index));
  await Promise.all([
    pipeline(
      echo,
      new Transform({
        transform: (chunk: Buffer, _encoding, callback) => {
          callback(
            null,
            chunk.map((byte) => byte ^ 0xff),
          );
        },
      }),
      echo,
    ),
    pipeline(Readable.from(chunks), stream),
    pipeline(stream, async (source) => {
      for await (const chunk of source) received.update((chunk as Buffer).map((byte) => byte ^ 0xff));
    }),
  ]);
  for (const chunk of chunks) sent.update(chunk);
  t.is(received.digest('hex'), sent.digest('hex'));
  t.is(await client.closed, undefined);
  t.is(await server.closed, undefined);
});

overDrivers('a stream locks its connection', async (t, recordIO) => {
  const { connection } = await withNodeServer(t, { recordIO });
  connection.toDuplex();
  const locked = { code: 'ERR_LIBSSL_ASYNC_LOCKED' };
  t.throws(() => connection.toDuplex(), locked);
  await t.throwsAsync(connection.read(), locked);
  await t.throwsAsync(connection.write('x'), locked);
  await t.throwsAsync(connection.shutdown(), locked);
  await t.throwsAsync(async () => {
    for await (const _ of connection);
  }, locked);
});

overDrivers('a stream of a slow reader holds up the peer', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const bytes = randomBytes(32 * 1024 * 1024);
  let isSent = false;
  peer.write(bytes, () => (isSent = true));
  const chunks: Buffer[] = [];
  let length = 0;
  await pipeline(
    connection.toDuplex(),
    new Writable({
      highWaterMark: 1024,
      write: (chunk: Buffer, _encoding, callback) => {
        if (length === 0) t.false(isSent);
        chunks.push(chunk);
        length += chunk.length;
        if (length === bytes.length) peer.end();
        setImmediate(callback);
      },
    }),
  );
  t.true(Buffer.concat(chunks).equals(bytes));
});

overDrivers('the end of a stream is a close_notify, and leaves the other direction open', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO }, { allowHalfOpen: true });
  const stream = connection.toDuplex();
  stream.end('question');
  const question = await receive(peer, 100);
  t.is(String(question), 'question');
  peer.end('answer');
  t.is(String(await receive(stream, 100)), 'answer');
  await closed(stream as never);
  t.is(await connection.closed, undefined);
});

overDrivers(
  'an end without close_notify is an end of a stream, unless the options say otherwise',
  async (t, recordIO) => {
    for (const truncation of [undefined, 'end', 'error'] as const) {
      const target = await nodeServer(t, (socket) => socket.write('half a message'));
      const { port, carried } = await proxy(t, target);
      const connection = await dial(t, port, { recordIO, ...(truncation && { truncation }) });
      const stream = connection.toDuplex();
      t.is(String(await receive(stream, 14)), 'half a message');
      (await carried).client.end();
      stream.resume();
      if (truncation === 'error') await t.throwsAsync(once(stream, 'end'), { code: 'ERR_LIBSSL_ASYNC_TRUNCATED' });
      else await t.notThrowsAsync(once(stream, 'end'));
    }
  },
);

overDrivers('destroying one destroys the other', async (t, recordIO) => {
  const reason = new Error('enough');
  const first = await withNodeServer(t, { recordIO });
  const stream = first.connection.toDuplex();
  stream.on('error', (error) => t.is(error, reason));
  stream.destroy(reason);
  t.is(await first.connection.closed, reason);
  const second = await withNodeServer(t, { recordIO });
  const other = second.connection.toDuplex();
  const told = once(other, 'error');
  second.connection.destroy(reason);
  t.deepEqual(await told, [reason]);
});

overDrivers('a connection that is destroyed without an error closes its stream without one', async (t, recordIO) => {
  const { connection } = await withNodeServer(t, { recordIO });
  const stream = connection.toDuplex();
  stream.on('error', (error) => t.fail(String(error)));
  const isClosed = new Promise((resolve) => stream.once('close', resolve));
  stream.resume();
  stream.write(randomBytes(32 * 1024 * 1024));
  await turns();
  connection.destroy();
  await isClosed;
  t.true(stream.destroyed);
});

overDrivers('what fails the connection fails the stream', async (t, recordIO) => {
  const target = await nodeServer(t, () => {});
  const { port, carried } = await proxy(t, target);
  const connection = await dial(t, port, { recordIO });
  const stream = connection.toDuplex();
  const told = once(stream.resume(), 'error');
  (await carried).client.resetAndDestroy();
  const [error] = (await told) as [NodeJS.ErrnoException];
  t.is(error.code, 'ECONNRESET');
  t.is(await connection.closed, error);
});

overDrivers('many small chunks are written together', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO });
  const stream = connection.toDuplex();
  for (let index = 0; index < 1000; index++) stream.write(`${index} `);
  const expected = Array.from({ length: 1000 }, (_, index) => `${index} `).join('');
  t.is(String(await receive(peer, expected.length)), expected);
});

overDrivers('a stream ends though its peer has gone, and reads what that had said', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const through = await proxy(t, port);
  const [connection, peer, carried] = await Promise.all([
    accepted(server),
    nodeClient(t, through.port),
    through.carried,
  ]);
  const stream = connection.toDuplex();
  stream.on('error', () => {});
  peer.write(Buffer.alloc(1024 * 1024, 'last words'));
  // It reads no more before somebody takes that.
  stream.read(0);
  t.true(await eventually(() => stream.readableLength >= stream.readableHighWaterMark));
  carried.server.resetAndDestroy();
  await once(carried.server, 'close');
  // What cannot be sent is only the end.
  stream.end();
  await once(stream, 'finish');
  t.is(String(stream.read(10)), 'last words');
});

overDrivers('a stream tells of what comes where it was made: AsyncLocalStorage', async (t, recordIO) => {
  const { connection, peer } = await withNodeClient(t, { recordIO });
  const storage = new AsyncLocalStorage<string>();
  const stream = storage.run('here', () => connection.toDuplex());
  const seen = new Promise((resolve) => {
    stream.on('data', () => resolve(storage.getStore()));
  });
  await turns();
  peer.write('something');
  t.is(await seen, 'here');
});
