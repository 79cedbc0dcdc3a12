// Children of node:cluster that serve one port together: run by process.test.ts.

import cluster from 'node:cluster';
import { once } from 'node:events';
import { connect } from 'node:tls';

import { type Address, createContext, createServer } from 'libssl-async';

import { issue } from './certificates.ts';

const CHILDREN = 3;
const host = '127.0.0.1';

if (cluster.isPrimary) await lead();
else await serve();

async function lead(): Promise<void> {
  const { key, cert } = issue();
  const ports = new Set<number>();
  const children = [];
  for (let child = 0; child < CHILDREN; child++) {
    const [port = 0] = ports;
    children.push(cluster.fork({ KEY: key, CERT: cert, PORT: String(port) }));
    const [told] = (await once(children.at(-1)!, 'message')) as [number];
    ports.add(told);
  }
  const [port] = ports;
  const served = new Set<string>();
  while (served.size < CHILDREN) {
    const socket = connect({ host, port: port!, ca: cert });
    const [pid] = (await once(socket, 'data')) as [Buffer];
    served.add(String(pid));
    socket.end();
  }
  const exits = children.map((child) => once(child, 'exit') as Promise<[number]>);
  for (const child of children) child.disconnect();
  const codes = (await Promise.all(exits)).map(([code]) => code);
  console.log(`${ports.size} port, ${served.size} children, ended with ${codes.join(', ')}`);
}

async function serve(): Promise<void> {
  const { KEY: key, CERT: cert, PORT: port } = process.env;
  const server = createServer({ context: createContext({ key, cert }) });
  server.on('connection', (connection) => {
    void connection.write(String(process.pid));
    void connection.shutdown().catch(() => {});
  });
  const address = (await server.listen({ host, port: Number(port), reusePort: true })) as Address;
  process.once('disconnect', () => void server.close());
  process.send!(address.port);
}
