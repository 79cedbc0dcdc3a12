// A server that echoes, and clients that come, go and give up as they like: each promise of theirs is in the ledger.

import { setTimeout as delay } from 'node:timers/promises';

import { type Address, type Connection, type Context, type Server, connect, createServer } from 'libssl-async';

import { echo, randomBytes, readExactly } from '../support/bytes.ts';
import type { Driver } from '../support/drivers.ts';
import type { Ledger } from './ledger.ts';
import { below, oneOf } from './random.ts';

const host = '127.0.0.1';

/** A server that listens on a port of its own. */
export async function serve(
  context: Context,
  recordIO: Driver,
  ledger: Ledger,
): Promise<{ server: Server; port: number }> {
  const server = createServer({ context, recordIO, handshakeTimeout: 2000 });
  server.on('connection', (connection) => void ledger.settle('echo', echo(connection)));
  server.on('tlsClientError', (error) => ledger.fail('server handshake', error));
  server.on('error', (error) => ledger.fault(`listening: ${error.stack}`));
  const { port } = (await server.listen({ host })) as Address;
  return { server, port };
}

/** One client, from its connection to an end that it chooses. */
export async function visit(port: number, context: Context, ledger: Ledger): Promise<void> {
  const impatience = oneOf(undefined, undefined, AbortSignal.timeout(1 + below(40)));
  const options = { host, port, context, recordIO: oneOf<Driver>('loop', 'worker'), handshakeTimeout: 2000 };
  const connecting = connect({ ...options, ...(impatience && { signal: impatience }) });
  const connection = await ledger.settle('connect', connecting);
  if (!connection) return;
  if (below(4) === 0) setTimeout(() => connection.destroy(), below(30));
  await ledger.settle('exchange', exchange(connection, ledger));
  await ledger.settle('shutdown', connection.shutdown({ timeout: oneOf(1, 5, 2000) }));
  connection.destroy();
  await ledger.settle('closed', connection.closed);
}

async function exchange(connection: Connection, ledger: Ledger): Promise<void> {
  for (let round = below(4); round >= 0; round--) {
    const bytes = randomBytes(1 + below(oneOf(100, 200_000)));
    const written = ledger.settle('write', connection.write(bytes));
    const come = await readExactly(connection, bytes.length);
    await written;
    if (!come.equals(bytes.subarray(0, come.length))) ledger.fault('other bytes came back');
    if (come.length < bytes.length) return;
    await delay(below(3));
  }
}
