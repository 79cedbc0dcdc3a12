import { type AsyncStatus, type Connection, createContext, createServer, metrics } from 'libssl-async';

import { keyInThread } from './remote-key.ts';
import type { Contender, Pair } from './storm.ts';

/** An echo server whose private key is a promise that another thread fulfils. */
export async function listen(pair: Pair): Promise<Contender> {
  const { key, signatures } = keyInThread(pair);
  const statuses: Partial<Record<AsyncStatus, number>> = {};
  const context = createContext({ key, cert: pair.cert, minVersion: 'TLSv1.3', ecdhCurve: 'X25519' });
  context.setAsyncCallback(({ asyncStatus }, tally) => {
    tally[asyncStatus!] = (tally[asyncStatus!] ?? 0) + 1;
  }, statuses);

  const server = createServer({ context });
  const { port } = (await server.listen({ host: '127.0.0.1' })) as { port: number };
  server.on('connection', (connection) => void echo(connection));
  return {
    port,
    counts() {
      const { handshakes, pauses, callbacks, inFlight, paused } = metrics();
      return { handshakes, pauses, callbacks, signatures: signatures(), inFlight, paused, statuses };
    },
  };
}

async function echo(connection: Connection): Promise<void> {
  const buffer = Buffer.allocUnsafe(16 * 1024);
  try {
    for (let count = await connection.read(buffer); count > 0; count = await connection.read(buffer)) {
      await connection.write(buffer.subarray(0, count));
    }
    await connection.shutdown();
  } catch {
    // The clients count what fails.
    connection.destroy();
  }
}
