// What keeps a process alive, and what does not: run by process.test.ts, which says which.

import { type Address, type Connection, connect, createServer } from 'libssl-async';

import { clientContext, serverContext } from './identities.ts';

const host = '127.0.0.1';
const server = createServer({ context: serverContext });
const { port } = (await server.listen({ host })) as Address;
const isAccepted = new Promise<Connection>((resolve) => server.once('connection', resolve));
// Its timer keeps nothing alive.
const client = await connect({ host, port, context: clientContext, idleTimeout: 3_600_000 });
const ours = await isAccepted;

process.once('beforeExit', () => console.log('nothing left'));

switch (process.argv[2] ?? '') {
  case 'idle':
    server.unref();
    break;
  case 'listening':
    console.log('waiting');
    process.stdin.once('data', () => void server.close({ timeout: 0 })).unref();
    break;
  case 'unref':
    server.unref();
    client.unref();
    void client.read().catch(() => {});
    break;
  case 'ref':
    server.unref();
    client.unref().ref();
    console.log('waiting');
    void client.read().then((chunk) => console.log(`read ${String(chunk)}`));
    process.stdin.once('data', (text) => void ours.write(text)).unref();
    break;
  case 'closing':
    // An idle connection keeps a server from closing, and a server that closes keeps the process.
    console.log('waiting');
    void server.close().then(() => console.log('closed'));
    process.stdin.once('data', () => ours.destroy()).unref();
    break;
  case 'exit':
    void client.read().catch(() => {});
    void ours.write(Buffer.alloc(50_000_000));
    process.exit(7);
  default:
    throw new Error(`nothing to do for ${process.argv[2]}`);
}
