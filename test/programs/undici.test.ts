// undici over clients of libssl-async/tls, as docs/node-tls.md shows it.

import { once } from 'node:events';
import type * as http from 'node:http';
import * as nodeHttp2 from 'node:http2';
import * as nodeHttps from 'node:https';
import * as net from 'node:net';

import test, { type ExecutionContext } from 'ava';
import { type TLSSocket, connect } from 'libssl-async/tls';
import { Agent, type buildConnector, fetch, request } from 'undici';

import { authority, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';

const ca = authority.cert;

/** What undici connects with. */
const connector =
  (ALPNProtocols: string[]): buildConnector.connector =>
  ({ hostname, port, servername, httpSocket }, callback) => {
    const socket: TLSSocket = connect({
      host: hostname,
      port: Number(port || 443),
      servername: servername ?? 'localhost',
      ca,
      ALPNProtocols,
      ...(httpSocket && { socket: httpSocket }),
    });
    const fail = (error: Error): void => callback(error, null);
    socket.once('error', fail);
    socket.once('secureConnect', () => {
      socket.off('error', fail);
      callback(null, socket as never);
    });
  };

function echo(
  incoming: http.IncomingMessage | nodeHttp2.Http2ServerRequest,
  outgoing: http.ServerResponse | nodeHttp2.Http2ServerResponse,
): void {
  outgoing.setHeader('x-version', incoming.httpVersion);
  (incoming as http.IncomingMessage).pipe(outgoing as http.ServerResponse);
}

async function listen(t: ExecutionContext, server: net.Server): Promise<string> {
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `https://${HOST}:${(server.address() as net.AddressInfo).port}`;
}

for (const [version, options] of [
  ['1.1', {}],
  ['2.0', { allowHTTP1: true }],
] as const) {
  test(`undici speaks HTTP/${version}`, async (t) => {
    const isTwo = version === '2.0';
    const server = isTwo
      ? nodeHttp2.createSecureServer({ ...serverIdentity, ...options }, echo)
      : nodeHttps.createServer({ ...serverIdentity }, echo);
    const url = await listen(t, server);
    const dispatcher = new Agent({ connect: connector(isTwo ? ['h2', 'http/1.1'] : ['http/1.1']), allowH2: isTwo });
    t.teardown(() => dispatcher.close());
    const bodies = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(5000));
    const answers = await Promise.all(
      bodies.map(async (body) => {
        const response = await request(url, { method: 'POST', body, dispatcher });
        t.is(response.headers['x-version'], version);
        return response.body.text();
      }),
    );
    t.deepEqual(answers, bodies);
    const fetched = await fetch(url, { method: 'POST', body: 'fetched', dispatcher });
    t.is(await fetched.text(), 'fetched');
  });
}

test('undici goes through a proxy', async (t) => {
  const url = await listen(t, nodeHttps.createServer({ ...serverIdentity }, echo));
  const proxy = net.createServer((client) => {
    client.once('data', (head) => {
      const [, host, port] = /^CONNECT ([\d.]+):(\d+)/.exec(String(head)) ?? [];
      const target = net.connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(target).pipe(client);
      });
      for (const end of [client, target]) end.on('error', () => {});
    });
  });
  proxy.listen(0, HOST);
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const uri = `http://${HOST}:${(proxy.address() as net.AddressInfo).port}`;
  const connectThrough = connector(['http/1.1']);
  const through = new Agent({
    connect: (options, callback) => {
      const socket = net.connect(Number(new URL(uri).port), HOST, () => {
        socket.write(`CONNECT ${options.hostname}:${options.port} HTTP/1.1\r\n\r\n`);
        socket.once('data', () => connectThrough({ ...options, httpSocket: socket }, callback));
      });
    },
  });
  t.teardown(() => through.close());
  const response = await request(url, { method: 'POST', body: 'through', dispatcher: through });
  t.is(await response.body.text(), 'through');
});
