// WebSockets of the package ws, over servers and clients of ours.

import { once } from 'node:events';
import type * as net from 'node:net';

import test from 'ava';
import * as https from 'libssl-async/https';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';

import { authority, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';

const ca = authority.cert;

for (const [name, options] of [
  ['node:tls', { ca, servername: 'localhost' }],
  ['ours', { agent: new https.Agent({ ca, servername: 'localhost' }) }],
] as const) {
  test(`WebSockets are served to clients over ${name}`, async (t) => {
    const server = https.createServer({ ...serverIdentity });
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) =>
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    server.listen(0, HOST);
    await once(server, 'listening');
    t.teardown(() => {
      sockets.close();
      server.close();
    });
    const { port } = server.address() as net.AddressInfo;
    const client = new WebSocket(`wss://${HOST}:${port}`, options as ClientOptions);
    await once(client, 'open');
    for (const message of ['hello', 'x'.repeat(300_000)]) {
      client.send(message);
      const [answer] = (await once(client, 'message')) as [Buffer];
      t.is(String(answer), message);
    }
    client.close(1000, 'done');
    const [code, reason] = (await once(client, 'close')) as [number, Buffer];
    t.is(code, 1000);
    t.is(String(reason), 'done');
  });
}
