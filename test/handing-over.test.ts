// Connections that go to another thread.

import { once } from 'node:events';
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';

import test, { type ExecutionContext } from 'ava';
import { type Connection, claimConnection, createContext } from 'libssl-async';

import { overDrivers } from './support/drivers.ts';
import { authority, clientIdentity, serverIdentity } from './support/identities.ts';
import { accepted, closed, dial, nodeClient, nodeClientSocket, pair, serve } from './support/peers.ts';
import { descriptors, eventually } from './support/waiting.ts';

/** What a thread says of a connection. */
interface Report {
  readonly protocol: string;
  readonly authorized: boolean;
  readonly peer: string | undefined;
  readonly remoteAddress: object;
}

const BULK = Buffer.alloc(8 * 1024 * 1024, 'handed over');

async function start(t: ExecutionContext, serves: 'http' | 'echo'): Promise<Worker> {
  const worker = new Worker(new URL('./support/mover.js', import.meta.url), { workerData: { serves } });
  t.teardown(() => worker.terminate());
  await once(worker, 'message');
  return worker;
}

async function report(worker: Worker): Promise<Report> {
  const [said] = (await once(worker, 'message')) as [Report];
  return said;
}

overDrivers('a connection goes on in another thread', async (t, recordIO) => {
  const { key, cert } = serverIdentity;
  const context = createContext({ key, cert, ca: authority.cert, requestCert: true });
  const { server, port } = await serve(t, { recordIO, context });
  const [ours, peer] = await Promise.all([
    accepted(server),
    nodeClient(t, port, { key: clientIdentity.key, cert: clientIdentity.cert }),
  ]);
  const { protocol, remoteAddress } = ours;
  peer.write('before ');
  const worker = await start(t, 'echo');
  const said = report(worker);
  const ending = once(ours, 'close');
  worker.postMessage(await ours.transfer());
  t.deepEqual(await ending, [undefined]);
  t.like(await said, { protocol, authorized: true, remoteAddress, peer: 'CN=client' });
  await t.throwsAsync(ours.read(), { code: 'ERR_LIBSSL_ASYNC_LOCKED' });
  // It is the server's no more.
  t.like(await server.close(), { destroyed: 0 });
  peer.end('and after');
  t.is(await text(peer), 'before and after');
});

overDrivers('threads share the requests of one server', async (t, recordIO) => {
  const workers = await Promise.all([start(t, 'http'), start(t, 'http')]);
  const { server, port } = await serve(t, { recordIO });
  let turn = 0;
  server.on('connection', (connection) => {
    void connection.transfer().then((token) => workers[turn++ % workers.length]!.postMessage(token));
  });
  const answers = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const [response] = (await once(get({ port, ca: authority.cert, agent: false }), 'response')) as [
        NodeJS.ReadableStream,
      ];
      return text(response);
    }),
  );
  for (const { threadId } of workers) t.is(answers.filter((answer) => answer === `thread ${threadId}`).length, 20);
});

overDrivers('what was written is sent before, in order', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  const written = server.write(BULK);
  const moving = server.transfer();
  await t.throwsAsync(server.write('too late'), { code: 'ERR_LIBSSL_ASYNC_LOCKED' });
  const received: Buffer[] = [];
  const reading = (async () => {
    for await (const chunk of client) received.push(chunk);
  })();
  const [token] = await Promise.all([moving, written]);
  const again = claimConnection(token);
  t.teardown(() => again.destroy());
  await again.write('and this');
  await Promise.all([again.shutdown({ wait: false }), reading]);
  t.true(Buffer.concat(received).equals(Buffer.concat([BULK, Buffer.from('and this')])));
});

// A worker may have read the tickets before.
test('a client goes, too, and hears of its sessions where it is', async (t) => {
  const { server, port } = await serve(t);
  const [theirs, ours] = await Promise.all([accepted(server), dial(t, port, { recordIO: 'loop' })]);
  const worker = await start(t, 'echo');
  const said = report(worker);
  worker.postMessage(await ours.transfer());
  t.true((await said).authorized);
  const session = once(worker, 'message');
  // Tickets go with what the server sends first.
  await theirs.write('hello');
  t.is(String(await theirs.read()), 'hello');
  t.deepEqual(await session, ['session']);
});

overDrivers('a connection that nobody claims is closed', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const before = descriptors();
  const peer = nodeClientSocket(t, port);
  const ours = await accepted(server);
  const token = await ours.transfer({ timeout: 1 });
  await closed(peer);
  t.throws(() => claimConnection(token), { code: 'ERR_LIBSSL_ASYNC_UNKNOWN_TOKEN' });
  t.true(await eventually(() => descriptors() <= before));
});

overDrivers('a thread that ends takes its connections with it', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const [ours, peer] = await Promise.all([accepted(server), nodeClient(t, port)]);
  const worker = await start(t, 'echo');
  const said = report(worker);
  worker.postMessage(await ours.transfer());
  await said;
  await Promise.all([worker.terminate(), closed(peer)]);
  t.pass();
});

overDrivers('what cannot go stays as it is', async (t, recordIO) => {
  const { server, client } = await pair(t, { server: { recordIO }, client: { recordIO } });
  const reading = server.read();
  await t.throwsAsync(server.transfer(), { code: 'ERR_LIBSSL_ASYNC_CONCURRENT_READ' });
  await client.write('read');
  t.is(String(await reading), 'read');
  await t.throwsAsync(server.transfer({ timeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });

  const token = await server.transfer();
  const again = claimConnection(token);
  t.throws(() => claimConnection(token), { code: 'ERR_LIBSSL_ASYNC_UNKNOWN_TOKEN' });
  t.throws(() => claimConnection(1 as unknown as string), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => claimConnection(token, { idleTimeout: -1 }), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => claimConnection(token, { truncation: 'no' as 'end' }), { code: 'ERR_INVALID_ARG_TYPE' });
  await echoes(again, client);

  await again.shutdown({ wait: false });
  await t.throwsAsync(again.transfer(), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
  again.destroy();
  await t.throwsAsync(again.transfer(), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });

  async function echoes(one: Connection, other: Connection): Promise<void> {
    await other.write('forth');
    t.is(String(await one.read()), 'forth');
    await one.write('and back');
    t.is(String(await other.read()), 'and back');
  }
});

test('a connection before its handshake, or of a stream, cannot go', async (t) => {
  const { server, port } = await serve(t, { handshake: false });
  const peer = nodeClientSocket(t, port);
  const ours = await accepted(server);
  await t.throwsAsync(ours.transfer(), { code: 'ERR_LIBSSL_ASYNC_NOT_CONNECTED' });
  await ours.handshake();
  ours.toDuplex();
  await t.throwsAsync(ours.transfer(), { code: 'ERR_LIBSSL_ASYNC_LOCKED' });
  t.false(peer.destroyed);
});
