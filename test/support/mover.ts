// A thread that takes over the connections whose tokens it gets, and serves HTTP over them or echoes.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { parentPort, threadId, workerData } from 'node:worker_threads';

import { type Connection, claimConnection } from 'libssl-async';

const { serves } = workerData as { serves: 'http' | 'echo' };
const web = createServer((_request, response) => response.end(`thread ${threadId}`));

parentPort!.on('message', (token: string | null) => {
  if (token === null) return parentPort!.close();
  const connection = claimConnection(token);
  if (serves === 'http') web.emit('connection', connection.toDuplex());
  else void echo(connection);
});
parentPort!.postMessage('ready');

async function echo(connection: Connection): Promise<void> {
  const { protocol, authorized, asyncStatus, remoteAddress } = connection;
  parentPort!.postMessage({
    protocol,
    authorized,
    asyncStatus,
    remoteAddress,
    peer: connection.peerCertificate?.subject,
  });
  connection.on('session', () => parentPort!.postMessage('session'));
  try {
    for await (const chunk of connection) await connection.write(chunk);
    await connection.shutdown();
  } catch {
    // The other end went first.
  }
  await once(parentPort!, 'close').catch(() => {});
}
