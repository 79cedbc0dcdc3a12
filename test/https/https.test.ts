// HTTPS servers and clients, each beside node:https's.

import { once } from 'node:events';
import * as http from 'node:http';
import * as nodeHttps from 'node:https';
import * as net from 'node:net';
import { text } from 'node:stream/consumers';
import * as nodeTls from 'node:tls';

import test, { type ExecutionContext } from 'ava';
import * as https from 'libssl-async/https';
import { TLSSocket } from 'libssl-async/tls';

import { authority, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';

const ca = authority.cert;

async function listen(t: ExecutionContext, server: net.Server): Promise<number> {
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

function serve(t: ExecutionContext, options: https.ServerOptions = {}, listener: http.RequestListener = echo) {
  const server = https.createServer({ ...serverIdentity, ...options }, listener);
  return listen(t, server).then((port) => ({ server, port }));
}

/** Answers with what was sent. */
function echo(request: http.IncomingMessage, response: http.ServerResponse): void {
  response.setHeader('x-path', request.url ?? '');
  request.pipe(response);
}

type Client = Pick<typeof nodeHttps, 'request' | 'Agent'>;
const CLIENTS: [name: string, client: Client][] = [
  ['node:https', nodeHttps],
  ['libssl-async/https', https],
];

async function ask(
  client: Client,
  options: nodeHttps.RequestOptions,
  body = '',
): Promise<http.IncomingMessage & { body: string }> {
  const request = client.request({ host: HOST, servername: 'localhost', ca, method: 'POST', ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return Object.assign(response, { body: await text(response) });
}

for (const [name, client] of CLIENTS) {
  test(`requests of ${name} are answered`, async (t) => {
    const { server, port } = await serve(t);
    const body = 'x'.repeat(1_000_000);
    const response = await ask(client, { port, path: '/there?a=b', agent: false }, body);
    t.is(response.statusCode, 200);
    t.is(response.headers['x-path'], '/there?a=b');
    t.is(response.body, body);
    t.true(server instanceof http.Server);
  });

  test(`connections are kept for requests of ${name}`, async (t) => {
    const sockets = new Set<unknown>();
    const { port } = await serve(t, {}, (request, response) => {
      sockets.add(request.socket);
      t.true(request.socket instanceof TLSSocket);
      t.true((request.socket as unknown as TLSSocket).encrypted);
      echo(request, response);
    });
    const agent = new client.Agent({ keepAlive: true, maxSockets: 1 });
    for (let turn = 0; turn < 5; turn++) t.is((await ask(client, { port, agent }, `${turn}`)).body, `${turn}`);
    t.is(sockets.size, 1);
    agent.destroy();
  });

  test(`sessions are resumed for requests of ${name}`, async (t) => {
    const { port } = await serve(t);
    const agent = new client.Agent({ maxCachedSessions: 10 });
    const reused: boolean[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const request = client.request({ host: HOST, servername: 'localhost', ca, port, agent });
      request.once('socket', (socket) =>
        socket.once('secureConnect', () => reused.push((socket as nodeTls.TLSSocket).isSessionReused())),
      );
      request.end();
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const { socket } = response;
      const closed = once(socket, 'close');
      await text(response);
      await closed;
    }
    t.deepEqual(reused, [false, true, true]);
  });

  test(`a server that is not trusted fails requests of ${name}`, async (t) => {
    const { port } = await serve(t);
    const request = client.request({ host: HOST, port, ca: [], servername: 'localhost' });
    request.end();
    const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });
}

test('a client reads what node:https serves, by its address', async (t) => {
  const port = await listen(t, nodeHttps.createServer({ ...serverIdentity }, echo));
  const agent = new https.Agent({ ca });
  const request = https.get(`https://localhost:${port}/by-address`, { agent, lookup: localLookup as never });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  t.is(response.headers['x-path'], '/by-address');
  t.is(await text(response), '');
});

test('an agent serves node:https, too', async (t) => {
  const { port } = await serve(t);
  const agent = new https.Agent({ ca });
  t.is((await ask(nodeHttps, { port, agent }, 'over ours')).body, 'over ours');
});

test('a request is aborted', async (t) => {
  const { port } = await serve(t, {}, () => {});
  const controller = new AbortController();
  const request = https.get({ host: HOST, port, ca, signal: controller.signal, agent: false });
  request.once('socket', () => controller.abort());
  await t.throwsAsync(once(request, 'response'), { code: 'ABORT_ERR' });
});

test('slow headers are given up', async (t) => {
  const { port } = await serve(t, { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 50 });
  const socket = nodeTls.connect({ port, host: HOST, ca, servername: 'localhost' });
  socket.write('GET / HTTP/1.1\r\nHost: slow');
  t.regex(await text(socket), /^HTTP\/1\.1 408 /);
});

test('closing ends idle connections, and waits for the others', async (t) => {
  let answer: (() => void) | undefined;
  const { server, port } = await serve(t, {}, (request, response) => {
    if (request.url === '/idle') return void response.end('done');
    response.flushHeaders();
    answer = () => void response.end('late');
    return undefined;
  });
  const agent = new nodeHttps.Agent({ keepAlive: true });
  const idle = await ask(nodeHttps, { port, path: '/idle', agent });
  t.is(idle.body, 'done');
  const busy = nodeHttps.get({ host: HOST, port, ca, servername: 'localhost', path: '/busy', agent: false });
  const [response] = (await once(busy, 'response')) as [http.IncomingMessage];
  const closed = once(server, 'close');
  let isClosed = false;
  void closed.then(() => (isClosed = true));
  server.close();
  t.false(server.listening);
  t.false(isClosed);
  answer!();
  t.is(await text(response), 'late');
  await closed;
});

test('connections are closed at once when asked', async (t) => {
  const { server, port } = await serve(t, {}, (_request, response) => response.flushHeaders());
  const request = nodeHttps.get({ host: HOST, port, ca, servername: 'localhost', agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await t.throwsAsync(text(response), { code: 'ECONNRESET' });
  await closed;
});

test('a client that speaks no TLS is an error of a client', async (t) => {
  const { server, port } = await serve(t);
  const told = once(server, 'clientError') as Promise<[NodeJS.ErrnoException]>;
  net.connect(port, HOST).end('GET / HTTP/1.1\r\n\r\n');
  t.is((await told)[0].code, 'ERR_SSL_HTTP_REQUEST');
  t.is((await ask(nodeHttps, { port, agent: false }, 'still there')).body, 'still there');
});

test('what is no HTTP is answered as node:https answers it', async (t) => {
  const { port } = await serve(t);
  const socket = nodeTls.connect({ port, host: HOST, ca, servername: 'localhost' });
  socket.write('nonsense\r\n\r\n');
  t.regex(await text(socket), /^HTTP\/1\.1 400 /);
});

test('a connection is upgraded', async (t) => {
  const { server, port } = await serve(t);
  server.on('upgrade', (_request, socket: TLSSocket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  const request = https.get({
    host: HOST,
    port,
    ca,
    servername: 'localhost',
    headers: { connection: 'Upgrade', upgrade: 'echo' },
  });
  const [, socket] = (await once(request, 'upgrade')) as [unknown, TLSSocket];
  socket.end('hello');
  t.is(await text(socket), 'hello');
});

function localLookup(_name: string, _options: object, done: (error: null, found: unknown) => void): void {
  done(null, [{ address: HOST, family: 4 }]);
}
