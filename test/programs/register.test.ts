// What `libssl-async/register` puts in the place of Node's modules, for all that use them.

// oxlint-disable-next-line no-unassigned-import -- for what it does
import 'libssl-async/register';

import { once } from 'node:events';
import http2 from 'node:http2';
import https, { get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';

import test from 'ava';
import * as ours from 'libssl-async/tls';

import { authority, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';

const ca = authority.cert;

test('imports, named or not, and require() get this package', (t) => {
  t.is(connect, ours.connect as never);
  const required = createRequire(import.meta.url)('node:tls') as typeof ours;
  t.is(required.connect, ours.connect);
  t.is(required.TLSSocket, ours.TLSSocket);
  // What needs no connection stays Node's.
  t.is(required.checkServerIdentity, ours.checkServerIdentity);
});

test('node:https serves and asks', async (t) => {
  const server = https.createServer({ ...serverIdentity }, (request, response) => {
    response.end(String(request.socket instanceof ours.TLSSocket));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  for (const agent of [undefined, false, new https.Agent()] as const) {
    const request = get({ host: HOST, port, ca, servername: 'localhost', agent });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    t.true(response.socket instanceof ours.TLSSocket);
    t.is(await text(response), 'true');
  }
});

test('node:http2 serves and asks', async (t) => {
  const server = http2.createSecureServer({ ...serverIdentity });
  server.on('stream', (stream) => stream.end('hello'));
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const session = http2.connect(`https://localhost:${port}`, { ca, host: HOST });
  t.is(await text(session.request()), 'hello');
  t.true(session.encrypted);
  session.close();
});
