// Connections that nobody closed and nobody can use any more.

import { once } from 'node:events';

import type { ExecutionContext } from 'ava';
import { type Connection, connect } from 'libssl-async';

import { collect } from './support/collect.ts';
import { overDriversSerially } from './support/drivers.ts';
import { clientContext } from './support/identities.ts';
import { HOST, closed, nodeClient, nodeServer, serve, withResolvers } from './support/peers.ts';
import { eventually, turns } from './support/waiting.ts';

/** The warnings of the process, from now on to the end of the test. */
function warnings(t: ExecutionContext): NodeJS.ErrnoException[] {
  const told: NodeJS.ErrnoException[] = [];
  const listener = (warning: Error): void => void told.push(warning);
  process.on('warning', listener);
  t.teardown(() => process.off('warning', listener));
  return told;
}

/** Collects garbage until `condition` holds. */
async function collected(condition: () => boolean): Promise<boolean> {
  return eventually(() => {
    collect();
    return condition();
  });
}

overDriversSerially('a connection that is lost is closed, and told of', async (t, recordIO) => {
  const told = warnings(t);
  const met = withResolvers<Parameters<typeof closed>[0]>();
  const port = await nodeServer(t, (socket) => met.resolve(socket.resume()));
  // A timer does not keep it.
  const options = { host: HOST, port, context: clientContext, recordIO, idleTimeout: 3_600_000 };
  const lost = await connect(options).then((connection) => ({ end: connection.closed }));
  const peer = await met.promise;
  t.true(await collected(() => peer.closed));
  t.like(await lost.end, { code: 'ERR_LIBSSL_ASYNC_UNCLOSED' });
  t.like(told[0], { name: 'LibsslAsyncWarning', code: 'LIBSSL_ASYNC_UNCLOSED' });
  t.is(told.length, 1);
});

overDriversSerially('a connection of a server that is lost does not hold up its end', async (t, recordIO) => {
  const told = warnings(t);
  const { server, port } = await serve(t, { recordIO });
  const lost = once(server, 'connection').then(() => {});
  const peer = await nodeClient(t, port);
  await lost;
  const ended = closed(peer.resume());
  t.true(await collected(() => server.connections === 0));
  await Promise.all([ended, server.close()]);
  t.is(told.length, 1);
});

overDriversSerially('a connection is not lost while something is pending', async (t, recordIO) => {
  const told = warnings(t);
  const { server, port } = await serve(t, { recordIO });
  const read = once(server, 'connection').then(([connection]) => (connection as Connection).read());
  const peer = await nodeClient(t, port);
  for (let round = 0; round < 10; round++) {
    collect();
    await turns();
  }
  peer.write('still here');
  t.is(String(await read), 'still here');
  t.is(told.length, 0);
});

overDriversSerially('a connection that was closed is not told of', async (t, recordIO) => {
  const told = warnings(t);
  const { server, port } = await serve(t, { recordIO });
  server.on('connection', (connection) => connection.destroy());
  const peer = await nodeClient(t, port);
  await closed(peer.resume());
  for (let round = 0; round < 10; round++) {
    collect();
    await turns();
  }
  t.is(told.length, 0);
});
