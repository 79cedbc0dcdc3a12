// A TCP proxy that can spoil what it carries.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import { fileURLToPath } from 'node:url';

import type { ExecutionContext } from 'ava';

import { HOST, withResolvers } from './peers.ts';

/** A connection that goes through the proxy: `client` is the socket to who connected, `server` to the target. */
export interface Carried {
  readonly client: net.Socket;
  readonly server: net.Socket;
}

/** Carries connections to `target`; `carried` resolves to the first. */
export async function proxy(
  t: ExecutionContext,
  target: number,
  onCarried: (carried: Carried) => void = () => {},
): Promise<{ port: number; carried: Promise<Carried> }> {
  const { promise: carried, resolve } = withResolvers<Carried>();
  const port = await tcpServer(t, (client) => {
    const server = net.connect({ port: target, host: HOST, allowHalfOpen: true });
    server.on('error', () => client.destroy());
    client.on('error', () => server.destroy());
    t.teardown(() => server.destroy());
    client.pipe(server);
    server.pipe(client);
    resolve({ client, server });
    onCarried({ client, server });
  });
  return { port, carried };
}

/** A TCP server, for peers that speak no TLS. Resolves to its port. */
export async function tcpServer(t: ExecutionContext, onConnection: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    onConnection(socket);
  });
  t.teardown(() => server.close());
  server.listen(0, HOST);
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/** A TCP connection, for peers that speak no TLS. */
export async function tcpClient(t: ExecutionContext, port: number): Promise<net.Socket> {
  const socket = net.connect({ port, host: HOST, allowHalfOpen: true });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Makes connections to an address of this machine get no answer, be it a refusal. */
export async function deafListener(t: ExecutionContext, host: string, port: number): Promise<void> {
  const program = fileURLToPath(new URL('./deaf.js', import.meta.url));
  const child = spawn(process.execPath, [program, host, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  for (let queued = 0; queued < 2; queued++) {
    const socket = net.connect({ host, port });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
  }
}

/** A port at which nobody listens. */
export async function freePort(): Promise<number> {
  const server = net.createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
