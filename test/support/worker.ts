// Handshakes in a worker thread, which may be terminated at any moment.

import { parentPort, workerData } from 'node:worker_threads';

import { type Address, connect, createContext, createServer } from 'libssl-async';

import { authority, serverIdentity } from './identities.ts';
import { remote } from './remote-keys.ts';

/** Without answers, so many handshakes are paused when the thread says so. */
const { answers, handshakes = 20 } = workerData as { answers: boolean; handshakes?: number };

const { key } = remote(serverIdentity, answers ? {} : { sign: () => new Promise(() => {}) });
const context = createContext({ key, cert: serverIdentity.cert, ca: authority.cert });
const server = createServer({ context });
server.on('connection', (connection) => {
  void connection.write('hello').then(() => connection.shutdown());
});
const { port } = (await server.listen({ host: '127.0.0.1' })) as Address;

async function greet(): Promise<string> {
  const client = await connect({ host: '127.0.0.1', port, context });
  const greeting = String(await client.read());
  await client.shutdown();
  return greeting;
}

if (answers) parentPort!.postMessage(await greet());
else for (let count = 0; count < handshakes; count++) greet().catch(() => {});

const paused = setInterval(() => {
  if (key.pending < handshakes) return;
  clearInterval(paused);
  parentPort!.postMessage('paused');
}, 1);
if (answers) {
  clearInterval(paused);
  await server.close();
}
