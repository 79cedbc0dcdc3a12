import { once } from 'node:events';
import * as net from 'node:net';

import test from 'ava';
import { type Address, type Connection, createContext, createServer, type ListenOptions } from 'libssl-async';

import { overDrivers } from './support/drivers.ts';
import { serverContext, serverIdentity } from './support/identities.ts';
import { HOST, accepted, closed, dial, nodeClient, nodeClientSocket, serve, withResolvers } from './support/peers.ts';
import { freePort, tcpClient } from './support/proxy.ts';
import { remote } from './support/remote-keys.ts';
import { eventually, turns } from './support/waiting.ts';

const context = serverContext;

test('a server tells where it listens', async (t) => {
  const server = createServer({ context });
  t.false(server.listening);
  t.is(server.address(), null);
  const listening = once(server, 'listening');
  const address = (await server.listen({ host: HOST })) as Address;
  await listening;
  t.like(address, { address: HOST, family: 'IPv4' });
  t.true(address.port > 0);
  t.deepEqual(server.address(), address);
  t.true(server.listening);
  await t.throwsAsync(server.listen({ host: HOST }), { code: 'ERR_LIBSSL_ASYNC_ALREADY_LISTENING' });
  const told = once(server, 'close');
  await server.close();
  await told;
  t.false(server.listening);
  t.is(server.address(), null);
  await t.throwsAsync(server.listen({ host: HOST }), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
  await server.close();
});

test('a port that is taken is an error, and the server can listen elsewhere', async (t) => {
  const { port } = await serve(t);
  const server = createServer({ context });
  t.teardown(() => server.close());
  const error = await t.throwsAsync(server.listen({ host: HOST, port }), { code: 'EADDRINUSE' });
  t.like(error, { syscall: 'listen', address: HOST, port });
  t.is(error.message, `listen EADDRINUSE: address already in use ${HOST}:${port}`);
  t.false(server.listening);
  t.truthy(await server.listen({ host: HOST }));
});

test('a taken port is not passed over for another family', async (t) => {
  const taken = net.createServer();
  t.teardown(() => taken.close());
  taken.listen(0, '::');
  await once(taken, 'listening');
  const { port } = taken.address() as net.AddressInfo;
  const server = createServer({ context });
  await t.throwsAsync(server.listen({ port }), { code: 'EADDRINUSE' });
});

test('an address that this machine has not is an error', async (t) => {
  const server = createServer({ context });
  await t.throwsAsync(server.listen({ host: '192.0.2.1' }), { code: 'EADDRNOTAVAIL' });
});

test('the port is free again when close() resolves', async (t) => {
  const port = await freePort();
  for (let round = 0; round < 50; round++) {
    const server = createServer({ context });
    await server.listen({ host: HOST, port });
    await server.close();
  }
  t.pass();
});

test('close() ends a listen() that is under way', async (t) => {
  const server = createServer({ context });
  const listening = server.listen({ host: 'localhost' });
  await server.close();
  await t.throwsAsync(listening, { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
});

overDrivers('close() waits for connections, and refuses new ones', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const [connection, peer] = await Promise.all([accepted(server), nodeClient(t, port)]);
  let isClosed = false;
  const closing = server.close().then(() => (isClosed = true));
  const refused = net.connect({ host: HOST, port });
  refused.on('error', ({ code }: NodeJS.ErrnoException) => t.regex(code!, /^ECONN(REFUSED|RESET)$/));
  // Accepted at the last moment, it ends without an error.
  await closed(refused.resume());
  t.false(isClosed);
  await connection.write('still here');
  t.is(server.connections, 1);
  peer.resume();
  await connection.shutdown();
  await closing;
  t.is(server.connections, 0);
});

overDrivers('close() destroys what is left after its time', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const [connection, peer] = await Promise.all([accepted(server), nodeClient(t, port)]);
  peer.resume();
  t.deepEqual(await server.close({ timeout: 10 }), { destroyed: 1, drained: 0, leaked: 0 });
  t.true(connection.destroyed);
  await closed(peer);
  await t.throwsAsync(server.close({ timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });
});

overDrivers('close() gives handshakes up that run, even those that were spoken of', async (t, recordIO) => {
  const asked = withResolvers<AbortSignal>();
  const { key } = remote(serverIdentity, {
    sign: ({ signal }) => {
      asked.resolve(signal);
      return new Promise(() => {});
    },
  });
  const paused = createContext({ key, cert: serverIdentity.cert });
  const { server, port } = await serve(t, { recordIO, context: paused, keylog: true });
  server.on('tlsClientError', () => t.fail('it was not the client'));
  const spokenOf: Connection[] = [];
  server.on('keylog', (_line, connection) => spokenOf.push(connection));
  const silent = await tcpClient(t, port);
  silent.resume();
  nodeClientSocket(t, port);
  const signal = await asked.promise;
  t.deepEqual(await server.close(), { destroyed: 0, drained: 1, leaked: 0 });
  t.true(spokenOf.length > 0 && spokenOf.every(({ destroyed }) => destroyed));
  if (!signal.aborted) await once(signal, 'abort');
  await closed(silent.end());
});

overDrivers('a signal closes the server', async (t, recordIO) => {
  const server = createServer({ context, recordIO });
  const controller = new AbortController();
  await server.listen({ host: HOST, signal: controller.signal });
  const told = once(server, 'close');
  controller.abort();
  t.false(server.listening);
  await told;
  const other = createServer({ context });
  await t.throwsAsync(other.listen({ signal: AbortSignal.abort() }), { code: 'ABORT_ERR' });
});

overDrivers('iterating gives all connections, until the server is closed', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const clients = Promise.all(Array.from({ length: 20 }, () => dial(t, port, { recordIO })));
  const met: Connection[] = [];
  for await (const connection of server) {
    met.push(connection);
    if (met.length === 20) void server.close({ timeout: 0 });
  }
  await clients;
  t.is(new Set(met).size, 20);
  for await (const _ of server) t.fail();
});

overDrivers('leaving the iteration leaves the server listening', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const clients = [];
  for (let round = 0; round < 3; round++) {
    clients.push(dial(t, port, { recordIO }));
    for await (const connection of server) {
      t.is(connection.protocol, 'TLSv1.3');
      break;
    }
  }
  await Promise.all(clients);
  t.true(server.listening);
});

test('several may iterate at once', async (t) => {
  const { server, port } = await serve(t);
  const met: Connection[] = [];
  const take = async (): Promise<void> => {
    for await (const connection of server) met.push(connection);
  };
  const takers = [take(), take()];
  await turns();
  await Promise.all([dial(t, port), dial(t, port), dial(t, port)]);
  t.true(await eventually(() => met.length === 3));
  await server.close({ timeout: 0 });
  await Promise.all(takers);
});

test('more than the backlog are refused', async (t) => {
  const { server, port } = await serve(t, { backlog: 2 });
  const clients = await Promise.all(Array.from({ length: 5 }, () => dial(t, port)));
  let ended = 0;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      if (++ended === 3) resolve();
    };
    for (const client of clients) void client.read().then(end, end);
  });
  t.is(server.connections, 2);
});

test('iterating and listening to connections exclude each other', async (t) => {
  const taken = { code: 'ERR_LIBSSL_ASYNC_TAKEN_TWICE' };
  const first = await serve(t);
  first.server.on('connection', () => {});
  await t.throwsAsync(first.server[Symbol.asyncIterator]().next(), taken);
  const second = await serve(t);
  const next = second.server[Symbol.asyncIterator]().next();
  await turns(1);
  t.throws(() => second.server.on('connection', () => {}), taken);
  await second.server.close();
  t.true((await next).done);
});

test('who listens late gets what came before', async (t) => {
  const { server, port } = await serve(t);
  await Promise.all([dial(t, port), dial(t, port)]);
  t.true(await eventually(() => server.connections === 2));
  const met: Connection[] = [];
  server.on('connection', (connection) => met.push(connection));
  t.true(await eventually(() => met.length === 2));
});

test('an exception in a listener is nobody else’s', async (t) => {
  const { server, port } = await serve(t);
  const failure = new Error('in a listener');
  const uncaught = new Promise<Error>((resolve) => {
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.once('uncaughtException', (error) => {
      for (const other of others) process.on('uncaughtException', other);
      resolve(error);
    });
  });
  server.once('connection', () => {
    throw failure;
  });
  const first = await dial(t, port);
  t.is(await uncaught, failure);
  const [second] = await Promise.all([accepted(server), dial(t, port)]);
  t.is(second.protocol, 'TLSv1.3');
  t.false(first.destroyed);
});

test('a server leaves its scope closed', async (t) => {
  let port = 0;
  {
    await using server = createServer({ context });
    ({ port } = (await server.listen({ host: HOST })) as Address);
    await dial(t, port);
  }
  await t.throwsAsync(dial(t, port), { code: 'ECONNREFUSED' });
});

test('options of servers are checked', async (t) => {
  const { key, cert } = serverIdentity;
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ context: {} }, 'ERR_INVALID_ARG_TYPE', /options\.context/],
    [{ context, backlog: -1 }, 'ERR_OUT_OF_RANGE', /options\.backlog/],
    [{ context, handshakeTimeout: 1.5 }, 'ERR_OUT_OF_RANGE', /options\.handshakeTimeout/],
    [{ context, maxHandshakes: 0 }, 'ERR_OUT_OF_RANGE', /options\.maxHandshakes/],
    [{ context, maxWaitingHandshakes: '1' }, 'ERR_INVALID_ARG_TYPE', /options\.maxWaitingHandshakes/],
    [{ context, recordIO: 'elsewhere' }, 'ERR_INVALID_ARG_VALUE', /options\.recordIO/],
    [{ context, truncation: true }, 'ERR_INVALID_ARG_TYPE', /options\.truncation/],
    [{ context, keylog: 1 }, 'ERR_INVALID_ARG_TYPE', /options\.keylog/],
    [{ context, port: 1 }, 'ERR_LIBSSL_ASYNC_UNSUPPORTED_OPTION', /options\.port.*listen\(\)/],
    [{ key, cert }, 'ERR_LIBSSL_ASYNC_UNSUPPORTED_OPTION', /options\.key.*createContext\(\)/],
    [{ context, handshakeTimout: 1 }, 'ERR_LIBSSL_ASYNC_UNKNOWN_OPTION', /handshakeTimeout/],
  ];
  for (const [options, code, message] of cases) {
    t.throws(() => createServer(options as never), { code, message });
  }
  const server = createServer({ context: createContext({ key, cert }) });
  const places: [Record<string, unknown>, string, RegExp][] = [
    [{ port: -1 }, 'ERR_OUT_OF_RANGE', /options\.port/],
    [{ port: '80' }, 'ERR_INVALID_ARG_TYPE', /options\.port/],
    [{ host: '' }, 'ERR_INVALID_ARG_VALUE', /options\.host/],
    [{ path: 5 }, 'ERR_INVALID_ARG_TYPE', /options\.path/],
    [{ backlog: 0 }, 'ERR_OUT_OF_RANGE', /options\.backlog/],
    [{ signal: {} }, 'ERR_INVALID_ARG_TYPE', /options\.signal/],
    [{ prot: 1 }, 'ERR_LIBSSL_ASYNC_UNKNOWN_OPTION', /port/],
  ];
  for (const [options, code, message] of places) {
    await t.throwsAsync(server.listen(options as ListenOptions), { code, message });
  }
});
