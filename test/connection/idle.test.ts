// Connections on which nothing moves.

import { setTimeout as delay } from 'node:timers/promises';

import test from 'ava';
import { createServer } from 'libssl-async';

import { randomBytes } from '../support/bytes.ts';
import { overDriversSerially } from '../support/drivers.ts';
import { serverContext } from '../support/identities.ts';
import { accepted, closed, dial, nodeClient, pair, serve, withNodeServer } from '../support/peers.ts';
import { turns } from '../support/waiting.ts';

const IDLE = { code: 'ERR_LIBSSL_ASYNC_IDLE_TIMEOUT' };

/** Longer than a turn of anything here takes on a busy machine, and how long something moves: longer than that. */
const LONG = 1500;
const MOVING = 2.5 * LONG;

overDriversSerially('a connection that is idle is destroyed after its time, and says so', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO, idleTimeout: 20 });
  const [connection, peer] = await Promise.all([accepted(server), nodeClient(t, port)]);
  const gone = closed(peer.resume());
  const error = await t.throwsAsync(connection.read(), IDLE);
  t.is(await connection.closed, error);
  t.is(error.message, 'nothing was sent or received for 20 ms');
  await gone;
  t.is(server.connections, 0);

  const { connection: client } = await withNodeServer(t, { recordIO, idleTimeout: 20 });
  t.is(client.idleTimeout, 20);
  t.like(await client.closed, IDLE);
});

overDriversSerially('a peer that reads nothing makes a connection idle', async (t, recordIO) => {
  const { connection } = await withNodeServer(t, { recordIO });
  const write = connection.write(randomBytes(32 * 1024 * 1024));
  connection.idleTimeout = 20;
  await t.throwsAsync(write, IDLE);
});

overDriversSerially('a connection whose bytes come and go is not idle', async (t, recordIO) => {
  const { server, client } = await pair(t, {
    server: { recordIO, idleTimeout: LONG },
    client: { recordIO, idleTimeout: LONG },
  });
  const begun = performance.now();
  // One end only receives, the other only sends.
  while (performance.now() - begun < MOVING) {
    const read = server.read();
    await client.write('x');
    await read;
    await delay(10);
  }
  t.false(server.destroyed || client.destroyed);
});

overDriversSerially('a long write to a slow peer is not idle', async (t, recordIO) => {
  const { connection, peer } = await withNodeServer(t, { recordIO, idleTimeout: LONG });
  const write = connection.write(randomBytes(64 * 1024 * 1024));
  let isSent = false;
  write.then(
    () => (isSent = true),
    () => {},
  );
  const begun = performance.now();
  while (performance.now() - begun < MOVING) {
    peer.read();
    await delay(10);
  }
  t.false(connection.destroyed);
  t.false(isSent);
});

overDriversSerially('the time may be set and taken back', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO, idleTimeout: 1 << 30 }, client: { recordIO } });
  t.is(server.idleTimeout, 1 << 30);
  t.is(client.idleTimeout, 0);
  client.idleTimeout = LONG;
  client.idleTimeout = 0;
  server.idleTimeout = 20;
  t.like(await server.closed, IDLE);
  t.throws(() => (client.idleTimeout = -1), { code: 'ERR_OUT_OF_RANGE', message: /^idleTimeout/ });
  t.throws(() => (client.idleTimeout = '5' as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

overDriversSerially('the time of a handshake is not its', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO, idleTimeout: 1, handshake: false });
  const [connection] = await Promise.all([accepted(server), nodeClientLater(port)]);
  t.false(connection.destroyed);

  async function nodeClientLater(to: number): Promise<void> {
    const client = await dial(t, to, { recordIO, handshake: false, idleTimeout: 1 });
    await delay(20);
    t.false(client.destroyed);
  }
});

test('options of time are checked', (t) => {
  t.throws(() => createServer({ context: serverContext, idleTimeout: 2 ** 31 }), {
    code: 'ERR_OUT_OF_RANGE',
    message: /options\.idleTimeout/,
  });
});

overDriversSerially('a time that is set just as another is over counts', async (t, recordIO) => {
  const { client } = await pair(t, { client: { recordIO } });
  client.idleTimeout = 20;
  const set = new Promise<void>((resolve) => {
    setTimeout(() => {
      client.idleTimeout = 60_000;
      resolve();
    }, 20);
  });
  // Until both are over: in one turn then, and in this order.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
  await set;
  await turns();
  t.false(client.destroyed);
});
