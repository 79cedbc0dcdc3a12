// Frameworks over servers of libssl-async/https, each with a client of its own.

import { once } from 'node:events';
import * as nodeHttps from 'node:https';
import type { IncomingMessage } from 'node:http';
import type * as net from 'node:net';
import { text } from 'node:stream/consumers';

import test, { type ExecutionContext } from 'ava';
import express from 'express';
import fastify from 'fastify';
import * as https from 'libssl-async/https';

import { authority, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';

const ca = authority.cert;

async function get(port: number, path: string, agent: nodeHttps.Agent | false = false): Promise<string> {
  const request = nodeHttps.get({ host: HOST, port, path, ca, servername: 'localhost', agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return `${response.statusCode} ${await text(response)}`;
}

async function listen(t: ExecutionContext, server: https.Server): Promise<number> {
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

test('Express serves', async (t) => {
  const app = express();
  app.get('/who', (request, response) => void response.json({ secure: request.secure, ip: request.ip }));
  app.post('/echo', express.text(), (request, response) => void response.send(request.body));
  const port = await listen(t, https.createServer({ ...serverIdentity }, app));
  t.is(await get(port, '/who'), `200 ${JSON.stringify({ secure: true, ip: HOST })}`);
  t.regex(await get(port, '/nowhere'), /^404 /);
  const request = https.request({
    host: HOST,
    port,
    path: '/echo',
    method: 'POST',
    ca,
    servername: 'localhost',
    headers: { 'content-type': 'text/plain' },
    agent: false,
  });
  request.end('hello');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  t.is(await text(response), 'hello');
});

for (const forceCloseConnections of [true, 'idle'] as const) {
  test(`Fastify serves, and closes with forceCloseConnections: ${forceCloseConnections}`, async (t) => {
    const app = fastify({
      forceCloseConnections,
      serverFactory: (handler) => https.createServer({ ...serverIdentity }, handler),
    });
    app.get('/', (request, reply) => reply.send({ protocol: request.protocol, ip: request.ip }));
    await app.listen({ port: 0, host: HOST });
    const { port } = app.server.address() as net.AddressInfo;
    const agent = new nodeHttps.Agent({ keepAlive: true });
    t.is(await get(port, '/', agent), `200 ${JSON.stringify({ protocol: 'https', ip: HOST })}`);
    await app.close();
    t.false(app.server.listening);
    agent.destroy();
  });
}
