import type { LookupAddress } from 'node:dns';
import { mkdtemp, rm } from 'node:fs/promises';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';
import { type ConnectOptions, type Lookup, connect, createServer } from 'libssl-async';

import { overDrivers } from '../support/drivers.ts';
import { clientContext, serverContext } from '../support/identities.ts';
import { HOST, accepted, dial, nodeServer, serve } from '../support/peers.ts';
import { deafListener, freePort, tcpServer } from '../support/proxy.ts';

/** Resolves every name to these addresses. */
function lookupOf(...addresses: string[]): Lookup {
  const found = addresses.map((address): LookupAddress => ({ address, family: net.isIP(address) }));
  return (_hostname, _options, callback) => callback(null, found);
}

/** Connects to `localhost` at addresses of our choice. */
async function dialAt(t: ExecutionContext, port: number, options: Partial<ConnectOptions>) {
  return dial(t, port, { host: 'localhost', ...options });
}

overDrivers('an address that refuses is passed over', async (t, recordIO) => {
  const port = await nodeServer(t, () => {});
  // 127.0.0.2 is the same machine, but nobody listens there.
  const connection = await dialAt(t, port, { recordIO, lookup: lookupOf('127.0.0.2', '::1', HOST) });
  t.is(connection.remoteAddress?.address, HOST);
  t.is(connection.servername, 'localhost');
});

overDrivers('when all addresses refuse, all errors are told', async (t, recordIO) => {
  const port = await freePort();
  const connecting = dialAt(t, port, { recordIO, lookup: lookupOf('127.0.0.2', HOST) });
  const error = await t.throwsAsync<AggregateError & NodeJS.ErrnoException>(connecting, {
    instanceOf: AggregateError,
    code: 'ECONNREFUSED',
  });
  t.deepEqual(
    error.errors.map(({ code, syscall, address, port: at, message }) => [code, syscall, address, at, message]),
    ['127.0.0.2', HOST].map((address) => [
      'ECONNREFUSED',
      'connect',
      address,
      port,
      `connect ECONNREFUSED ${address}:${port}`,
    ]),
  );
});

overDrivers('one address that refuses is one error', async (t, recordIO) => {
  const port = await freePort();
  const error = await t.throwsAsync<NodeJS.ErrnoException>(dial(t, port, { recordIO }), { code: 'ECONNREFUSED' });
  t.like(error, { syscall: 'connect', address: HOST, port });
  t.true(error.errno! < 0);
});

test('the second address is tried while the first does not answer', async (t) => {
  const port = await nodeServer(t, () => {});
  const deaf = '127.0.0.3';
  await deafListener(t, deaf, port);
  const connection = await dialAt(t, port, { lookup: lookupOf(deaf, HOST), autoSelectFamilyAttemptTimeout: 10 });
  t.is(connection.remoteAddress?.address, HOST);
});

test('addresses of both families alternate', async (t) => {
  const port = await freePort();
  const mapped = '::ffff:127.0.0.4';
  const lookup = lookupOf('::1', mapped, '127.0.0.1', '127.0.0.2');
  const error = await t.throwsAsync<AggregateError>(dialAt(t, port, { lookup }));
  t.deepEqual(
    error.errors.map(({ address }: { address: string }) => address),
    ['::1', '127.0.0.1', mapped, '127.0.0.2'],
  );
});

test('without autoSelectFamily only the first address is tried', async (t) => {
  const port = await nodeServer(t, () => {});
  const options = { lookup: lookupOf('127.0.0.2', HOST), autoSelectFamily: false };
  const error = await t.throwsAsync(dialAt(t, port, options), { code: 'ECONNREFUSED' });
  t.like(error, { address: '127.0.0.2' });
});

test('the name is looked up with what the options say', async (t) => {
  const port = await nodeServer(t, () => {});
  const asked: unknown[] = [];
  await dialAt(t, port, {
    family: 4,
    lookup: (hostname, options, callback) => {
      asked.push([hostname, options]);
      callback(null, [{ address: HOST, family: 4 }]);
    },
  });
  t.deepEqual(asked, [['localhost', { all: true, family: 4 }]]);
});

test('a name that cannot be looked up fails with what lookup says', async (t) => {
  const failure = Object.assign(new Error('not today'), { code: 'EAI_AGAIN' });
  const lookup: Lookup = (_hostname, _options, callback) => callback(failure, []);
  t.is(await t.throwsAsync(dialAt(t, 1, { lookup })), failure);
  await t.throwsAsync(dialAt(t, 1, { lookup: lookupOf() }), { code: 'ENOTFOUND', message: /localhost/ });
  await t.throwsAsync(dialAt(t, 1, { lookup: lookupOf('no address') }), { code: 'ERR_INVALID_IP_ADDRESS' });
});

test('looking a name up can be aborted', async (t) => {
  const controller = new AbortController();
  const connecting = dialAt(t, 1, { signal: controller.signal, lookup: () => {} });
  controller.abort();
  await t.throwsAsync(connecting, { code: 'ABORT_ERR' });
});

test("localhost is the default, by Node's own lookup", async (t) => {
  const server = createServer({ context: serverContext });
  t.teardown(() => server.close({ timeout: 0 }));
  const { port } = (await server.listen()) as net.AddressInfo;
  const connection = await connect({ port, context: clientContext });
  t.teardown(() => connection.destroy());
  t.is(connection.servername, 'localhost');
});

test('a connection comes from the address and port that it is told', async (t) => {
  const { server, port } = await serve(t);
  const localPort = await freePort();
  const [ours, client] = await Promise.all([accepted(server), dial(t, port, { localAddress: '127.0.0.9', localPort })]);
  t.deepEqual(ours.remoteAddress, { address: '127.0.0.9', family: 'IPv4', port: localPort });
  t.deepEqual(client.localAddress, ours.remoteAddress);
});

test('a port to come from needs no address', async (t) => {
  const { server, port } = await serve(t);
  const localPort = await freePort();
  const [ours] = await Promise.all([accepted(server), dial(t, port, { localPort })]);
  t.is(ours.remoteAddress?.port, localPort);
});

overDrivers('Unix sockets are listened and connected to', async (t, recordIO) => {
  const folder = await mkdtemp(join(tmpdir(), 'libssl-async-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'socket');
  const server = createServer({ context: serverContext, recordIO });
  t.teardown(() => server.close({ timeout: 0 }));
  t.is(await server.listen({ path }), path);
  t.is(server.address(), path);
  const [ours, client] = await Promise.all([accepted(server), connect({ path, context: clientContext, recordIO })]);
  t.is(client.remoteAddress, undefined);
  t.is(ours.remoteAddress, undefined);
  // There is no name to ask for; the certificate is checked for node:tls's default.
  t.is(ours.servername, undefined);
  t.true(client.authorized);
  await client.write('hello');
  t.is(String(await ours.read()), 'hello');
  await Promise.all([client.shutdown(), ours.shutdown()]);
  const second = createServer({ context: serverContext });
  const error = await t.throwsAsync(second.listen({ path }), { code: 'EADDRINUSE' });
  t.like(error, { syscall: 'listen', address: path });
  await server.close();
  const refused = await t.throwsAsync(connect({ path, context: clientContext }), { code: 'ENOENT' });
  t.like(refused, { syscall: 'connect', address: path });
});

test('options of connections are checked', async (t) => {
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{}, 'ERR_INVALID_ARG_TYPE', /options\.port/],
    [{ port: 0 }, 'ERR_OUT_OF_RANGE', /options\.port/],
    [{ port: 65_536 }, 'ERR_OUT_OF_RANGE', /options\.port/],
    [{ port: '443' }, 'ERR_INVALID_ARG_TYPE', /options\.port/],
    [{ port: 1, host: '' }, 'ERR_INVALID_ARG_VALUE', /options\.host/],
    [{ port: 1, host: 5 }, 'ERR_INVALID_ARG_TYPE', /options\.host/],
    [{ port: 1, context: {} }, 'ERR_INVALID_ARG_TYPE', /options\.context/],
    [{ port: 1, recordIO: 'elsewhere' }, 'ERR_INVALID_ARG_VALUE', /options\.recordIO/],
    [{ port: 1, truncation: 'ignore' }, 'ERR_INVALID_ARG_VALUE', /options\.truncation/],
    [{ port: 1, handshakeTimeout: -1 }, 'ERR_OUT_OF_RANGE', /options\.handshakeTimeout/],
    [{ port: 1, family: 5 }, 'ERR_OUT_OF_RANGE', /options\.family/],
    [{ port: 1, lookup: 'dns' }, 'ERR_INVALID_ARG_TYPE', /options\.lookup/],
    [{ port: 1, localAddress: 'here' }, 'ERR_INVALID_ARG_VALUE', /options\.localAddress/],
    [{ port: 1, localPort: 65_536 }, 'ERR_OUT_OF_RANGE', /options\.localPort/],
    [{ port: 1, autoSelectFamilyAttemptTimeout: -1 }, 'ERR_OUT_OF_RANGE', /options\.autoSelectFamilyAttemptTimeout/],
    [{ port: 1, session: 'text' }, 'ERR_INVALID_ARG_TYPE', /options\.session/],
    [{ port: 1, session: Buffer.from('junk') }, 'ERR_INVALID_ARG_VALUE', /options\.session/],
    [{ port: 1, ALPNProtocols: [''] }, 'ERR_INVALID_ARG_VALUE', /options\.ALPNProtocols/],
    [{ port: 1, servername: 5 }, 'ERR_INVALID_ARG_TYPE', /options\.servername/],
    [{ port: 1, checkServerIdentity: 5 }, 'ERR_INVALID_ARG_TYPE', /options\.checkServerIdentity/],
    [{ port: 1, rejectUnauthorized: 'no' }, 'ERR_INVALID_ARG_TYPE', /options\.rejectUnauthorized/],
    [{ port: 1, signal: {} }, 'ERR_INVALID_ARG_TYPE', /options\.signal/],
    [{ port: 1, hostname: 'x' }, 'ERR_LIBSSL_ASYNC_UNSUPPORTED_OPTION', /options\.hostname.*host/],
    [{ port: 1, sevrername: 'x' }, 'ERR_LIBSSL_ASYNC_UNKNOWN_OPTION', /options\.sevrername.*servername/],
    [{ port: 1, ca: 'x' }, 'ERR_LIBSSL_ASYNC_UNSUPPORTED_OPTION', /options\.ca.*createContext/],
  ];
  for (const [options, code, message] of cases) {
    await t.throwsAsync(connect(options as ConnectOptions), { code, message }, JSON.stringify(options));
  }
  await t.throwsAsync(connect(undefined as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('a connection that is reset while it is made is told by its code', async (t) => {
  const port = await tcpServer(t, (socket) => socket.resetAndDestroy());
  await t.throwsAsync(dial(t, port), { code: 'ECONNRESET' });
});
