// HTTP/2 servers and clients, each beside node:http2's.

import { once } from 'node:events';
import * as nodeHttp2 from 'node:http2';
import * as nodeHttps from 'node:https';
import type { IncomingMessage } from 'node:http';
import * as net from 'node:net';
import { text } from 'node:stream/consumers';
import * as nodeTls from 'node:tls';

import test, { type ExecutionContext } from 'ava';
import * as http2 from 'libssl-async/http2';
import * as tls from 'libssl-async/tls';

import { authority, clientIdentity, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';

const ca = authority.cert;
const CLIENTS = [
  ['node:http2', nodeHttp2.connect],
  ['libssl-async/http2', http2.connect as typeof nodeHttp2.connect],
] as const;

async function listen(t: ExecutionContext, server: net.Server): Promise<string> {
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `https://${HOST}:${(server.address() as net.AddressInfo).port}`;
}

function serve(
  t: ExecutionContext,
  options: http2.SecureServerOptions = {},
  listener: http2.Http2RequestListener = (request, response) => void request.pipe(response),
): Promise<{ server: http2.SecureServer; url: string }> {
  const server = http2.createSecureServer({ ...serverIdentity, ...options }, listener);
  return listen(t, server).then((url) => ({ server, url }));
}

function ask(session: nodeHttp2.ClientHttp2Session, path: string, body: string): Promise<string> {
  const stream = session.request({ ':method': 'POST', ':path': path });
  stream.end(body);
  return text(stream);
}

for (const [name, connect] of CLIENTS) {
  test(`requests of ${name} are answered`, async (t) => {
    const { url } = await serve(t);
    const session = connect(url, { ca, servername: 'localhost' });
    const bodies = Array.from({ length: 20 }, (_, index) => `${index}`.repeat(20_000));
    const answers = await Promise.all(bodies.map((body) => ask(session, '/', body)));
    t.deepEqual(answers, bodies);
    t.true(session.encrypted);
    t.is(session.alpnProtocol, 'h2');
    session.close();
    await once(session, 'close');
  });

  test(`a server that is not trusted fails a session of ${name}`, async (t) => {
    const { url } = await serve(t);
    const session = connect(url, { ca: [], servername: 'localhost' });
    const [error] = (await once(session, 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });
}

test('a session tells of its connection', async (t) => {
  const told: unknown[] = [];
  const { url } = await serve(t, { ca, requestCert: true }, (request, response) => {
    const session = request.stream.session as nodeHttp2.ServerHttp2Session;
    const below = session.socket as nodeTls.TLSSocket;
    t.is((request.socket as nodeTls.TLSSocket).remoteAddress, HOST);
    told.push(
      [session.encrypted, session.alpnProtocol, below.encrypted, below.authorized, below.alpnProtocol],
      [below.remoteAddress, below.remotePort! > 0, below.localAddress, below.getPeerCertificate().subject.CN],
    );
    response.end(request.scheme);
  });
  const session = nodeHttp2.connect(url, { ca, servername: 'localhost', ...clientIdentity });
  t.is(await ask(session, '/', ''), 'https');
  t.deepEqual(told, [
    [true, 'h2', true, true, 'h2'],
    [HOST, true, HOST, 'client'],
  ]);
  session.close();
});

test('a client speaks with node:http2’s server', async (t) => {
  const server = nodeHttp2.createSecureServer(
    { ...serverIdentity },
    (request, response) => void request.pipe(response),
  );
  const url = await listen(t, server);
  const session = http2.connect(url, { ca, servername: 'localhost' });
  t.is(await ask(session, '/', 'hello'), 'hello');
  session.close();
  await once(session, 'close');
});

test('a session is over the stream that createConnection makes', async (t) => {
  const { url } = await serve(t);
  const port = Number(new URL(url).port);
  const options = { host: HOST, port, ca, servername: 'localhost', ALPNProtocols: ['h2'] };
  const secure = tls.connect(options);
  await once(secure, 'secureConnect');
  const streams = [secure, tls.connect(options), nodeTls.connect(options)];
  for (const stream of streams) {
    const session = http2.connect('https://nowhere.invalid', { createConnection: () => stream });
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    t.is(await ask(session, '/', 'hello'), 'hello');
    t.true(session.encrypted);
    t.is(session.alpnProtocol, 'h2');
    t.is(session.socket.remotePort, port);
    session.close();
  }
});

test('a createConnection that makes nothing fails as in node:http2, and what is no function makes nothing', async (t) => {
  const options = { createConnection: () => undefined as never };
  const expected = t.throws(() => nodeHttp2.connect('https://localhost', options));
  t.throws(() => http2.connect('https://localhost', options), { message: expected.message });

  const { url } = await serve(t);
  const session = http2.connect(url, { ca, createConnection: null as never });
  t.is(await ask(session, '/', 'hello'), 'hello');
  session.close();
});

test('http: is without TLS, as in node:http2', async (t) => {
  const server = nodeHttp2.createServer((request, response) => void request.pipe(response));
  const url = (await listen(t, server)).replace('https:', 'http:');
  const { port } = new URL(url);
  const connect = (): net.Socket => net.connect({ host: HOST, port: Number(port) });
  for (const session of [
    http2.connect(url),
    http2.connect(new URL(url)),
    http2.connect('http://nowhere.invalid', { createConnection: connect }),
  ]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    t.is(await ask(session, '/', 'hello'), 'hello');
    t.false(session.encrypted);
    session.close();
  }
  t.throws(() => http2.connect('ftp://nowhere.invalid'), { code: 'ERR_HTTP2_UNSUPPORTED_PROTOCOL' });
});

test('clients without HTTP/2 are served if they may be', async (t) => {
  const { url } = await serve(t, { allowHTTP1: true }, (request, response) => {
    response.setHeader('x-version', request.httpVersion);
    request.pipe(response);
  });
  const request = nodeHttps.request(url, { ca, servername: 'localhost', method: 'POST', agent: false });
  request.end('old');
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  t.is(response.headers['x-version'], '1.1');
  t.is(await text(response), 'old');
  const session = nodeHttp2.connect(url, { ca, servername: 'localhost' });
  t.is(await ask(session, '/', 'new'), 'new');
  session.close();
});

test('clients without HTTP/2 are refused otherwise', async (t) => {
  const { server, url } = await serve(t);
  const told = once(server, 'tlsClientError') as Promise<[NodeJS.ErrnoException]>;
  const request = nodeHttps.get(url, {
    ca,
    servername: 'localhost',
    agent: false,
    ALPNProtocols: ['http/1.1'],
  } as never);
  await once(request, 'error');
  t.is((await told)[0].code, 'ERR_SSL_NO_APPLICATION_PROTOCOL');
});

test('closing lets streams end', async (t) => {
  let end: (() => void) | undefined;
  const { server, url } = await serve(t, {}, (_request, response) => {
    response.write('begun');
    end = () => response.end(' and ended');
  });
  const session = nodeHttp2.connect(url, { ca, servername: 'localhost' });
  const stream = session.request({ ':path': '/' });
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  const closed = once(server, 'close');
  server.close();
  end!();
  t.is(`${String(chunk)}${await text(stream)}`, 'begun and ended');
  await closed;
});
