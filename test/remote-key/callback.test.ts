// The man page's callback, its argument and its status.

import { AsyncLocalStorage } from 'node:async_hooks';

import test from 'ava';
import { type AsyncStatus, type Connection, type Context, createContext, createServer } from 'libssl-async';

import { overDrivers } from '../support/drivers.ts';
import { serverContext, serverIdentity } from '../support/identities.ts';
import { accepted, dial, nodeClient, nodeClientSocket, serve } from '../support/peers.ts';
import { remote, signatureOf } from '../support/remote-keys.ts';
import { turns } from '../support/waiting.ts';

function remoteContext(): Context {
  return createContext({ key: remote(serverIdentity).key, cert: serverIdentity.cert });
}

overDrivers("a context's callback is called for each of its connections, with its argument", async (t, recordIO) => {
  const context = remoteContext();
  const argument = { any: 'thing' };
  const calls: [Connection, unknown, AsyncStatus | undefined][] = [];
  context.setAsyncCallback((connection, arg) => calls.push([connection, arg, connection.asyncStatus]), argument);
  const { server, port } = await serve(t, { recordIO, context });
  const met: Connection[] = [];
  for (let round = 0; round < 5; round++) {
    const [connection] = await Promise.all([accepted(server), nodeClient(t, port)]);
    met.push(connection);
  }
  t.deepEqual(
    calls.map(([connection]) => met.indexOf(connection)),
    [0, 1, 2, 3, 4],
  );
  t.true(calls.every(([, arg, status]) => arg === argument && status === 'ok'));
});

overDrivers("a connection's own callback takes the place of the context's", async (t, recordIO) => {
  const context = remoteContext();
  context.setAsyncCallback(() => t.fail('it was replaced'), undefined);
  const { server, port } = await serve(t, { recordIO, context, handshake: false });
  nodeClientSocket(t, port);
  const connection = await accepted(server);
  t.is(connection.asyncStatus, undefined);
  const calls: unknown[][] = [];
  connection.setAsyncCallback((...args) => calls.push(args), 42);
  await connection.handshake();
  t.deepEqual(calls, [[connection, 42]]);
  t.is(connection.asyncStatus, 'ok');
});

overDrivers('a callback that is set later counts for connections that come later', async (t, recordIO) => {
  const context = remoteContext();
  const { server, port } = await serve(t, { recordIO, context });
  await Promise.all([accepted(server), nodeClient(t, port)]);
  let calls = 0;
  context.setAsyncCallback(() => calls++, undefined);
  await Promise.all([accepted(server), nodeClient(t, port)]);
  t.is(calls, 1);
});

overDrivers('without a remote key nothing is called, and the status says so', async (t, recordIO) => {
  const context = createContext({ key: serverIdentity.key, cert: serverIdentity.cert });
  context.setAsyncCallback(() => t.fail(), undefined);
  const { server, port } = await serve(t, { recordIO, context });
  const [connection] = await Promise.all([accepted(server), nodeClient(t, port)]);
  t.not(connection.asyncStatus, 'ok');
});

overDrivers('signers and callbacks run where they were given: AsyncLocalStorage', async (t, recordIO) => {
  const storage = new AsyncLocalStorage<string>();
  const seen: Record<string, string | undefined> = {};
  const { key } = storage.run('key', () =>
    remote(serverIdentity, {
      sign: async (request) => {
        await turns(1);
        seen['sign'] = storage.getStore();
        return signatureOf(request, serverIdentity.privateKey);
      },
    }),
  );
  const context = createContext({ key, cert: serverIdentity.cert });
  storage.run('callback', () => {
    context.setAsyncCallback(() => (seen['callback'] = storage.getStore()), undefined);
  });
  const server = storage.run('server', () => createServer({ context, recordIO }));
  t.teardown(() => server.close({ timeout: 0 }));
  const address = await server.listen({ host: '127.0.0.1' });
  const read = storage.run('listener', () => {
    const got = accepted(server);
    return storage.run('read', async () => {
      const connection = await got;
      const chunk = await connection.read();
      seen['read'] = storage.getStore();
      return chunk;
    });
  });
  server.once('connection', () => (seen['connection'] = storage.getStore()));
  const client = await dial(t, (address as { port: number }).port, { recordIO });
  await client.write('x');
  t.is(String(await read), 'x');
  t.like(seen, { sign: 'key', callback: 'callback', connection: 'server', read: 'read' });
});

test('a callback is a function', async (t) => {
  const { server, port } = await serve(t);
  const [connection] = await Promise.all([accepted(server), dial(t, port)]);
  t.throws(() => connection.setAsyncCallback(5 as never, 0), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => serverContext.setAsyncCallback(undefined as never, 0), { code: 'ERR_INVALID_ARG_TYPE' });
});
