// The event loop turns while workers have much to tell.

import { once } from 'node:events';
import * as net from 'node:net';

import test from 'ava';
import { metrics } from 'libssl-async';

import { HOST, serve } from './support/peers.ts';
import { eventually } from './support/waiting.ts';

const CLIENTS = 64;

test('what many handshakes have to tell at once is told in several turns of the loop', async (t) => {
  const { server, port } = await serve(t);
  const sockets = Array.from({ length: CLIENTS }, () => net.connect({ host: HOST, port }));
  t.teardown(() => sockets.forEach((socket) => socket.destroy()));
  for (const socket of sockets) socket.on('error', () => {});
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  t.true(await eventually(() => metrics().inFlight === CLIENTS));

  let turn = 0;
  const toldIn: number[] = [];
  const countTurns = (): void => {
    turn += 1;
    if (toldIn.length < CLIENTS) setImmediate(countTurns);
  };
  server.on('tlsClientError', () => toldIn.push(turn));
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\n\r\n');
  setImmediate(countTurns);
  // Nothing is told while this thread does not let its loop turn.
  const deadline = Date.now() + 30_000;
  while (metrics().inFlight > 0 && Date.now() < deadline);
  t.true(await eventually(() => toldIn.length === CLIENTS));

  const told = new Map<number, number>();
  for (const each of toldIn) told.set(each, (told.get(each) ?? 0) + 1);
  t.true(Math.max(...told.values()) <= CLIENTS / 4, [...told.values()].join());
});
