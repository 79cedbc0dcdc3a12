// Both ends of connections: ours, and those of node:tls. All of it is closed when the test ends.

import { once } from 'node:events';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import * as tls from 'node:tls';

import type { ExecutionContext } from 'ava';
import {
  type Address,
  type ConnectOptions,
  type Connection,
  type Server,
  type ServerOptions,
  connect,
  createServer,
} from 'libssl-async';

import { authority, clientContext, serverContext, serverIdentity } from './identities.ts';

export const HOST = '127.0.0.1';

/** A server of ours that listens. */
export async function serve(
  t: ExecutionContext,
  options: Partial<ServerOptions> = {},
): Promise<{ server: Server; port: number }> {
  const server = createServer({ context: serverContext, ...options });
  t.teardown(() => server.close({ timeout: 0 }));
  const { port } = (await server.listen({ host: HOST })) as Address;
  return { server, port };
}

/** A connection of ours to a server that the authority vouches for. */
export async function dial(
  t: ExecutionContext,
  port: number,
  options: Partial<ConnectOptions> = {},
): Promise<Connection> {
  const connection = await connect({ host: HOST, port, context: clientContext, ...options });
  t.teardown(() => connection.destroy());
  return connection;
}

/** The next connection of a server that nobody listens to otherwise. */
export async function accepted(server: Server): Promise<Connection> {
  const [connection] = (await once(server, 'connection')) as [Connection];
  return connection;
}

/** Both ends of a connection, both ours. */
export async function pair(
  t: ExecutionContext,
  options: { server?: Partial<ServerOptions>; client?: Partial<ConnectOptions> } = {},
): Promise<{ server: Connection; client: Connection }> {
  const { server, port } = await serve(t, options.server);
  const [ours, client] = await Promise.all([accepted(server), dial(t, port, options.client)]);
  return { server: ours, client };
}

/** A server of node:tls. Resolves to its port. */
export async function nodeServer(
  t: ExecutionContext,
  onConnection: (socket: tls.TLSSocket) => void,
  options: tls.TlsOptions = {},
): Promise<number> {
  const { key, cert } = serverIdentity;
  const server = tls.createServer({ key, cert, ...options }, onConnection);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  // The connections that tests break on purpose are told here, too.
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => socket.on('error', () => {}));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Has a server of the drop-in listen. Resolves to its port. */
export async function listen(t: ExecutionContext, server: NetServer): Promise<number> {
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A connection of node:tls whose handshake is done. */
export async function nodeClient(
  t: ExecutionContext,
  port: number,
  options: tls.ConnectionOptions = {},
): Promise<tls.TLSSocket> {
  const socket = nodeClientSocket(t, port, options);
  await once(socket, 'secureConnect');
  return socket;
}

/** A connection of node:tls whose handshake has begun. */
export function nodeClientSocket(
  t: ExecutionContext,
  port: number,
  options: tls.ConnectionOptions = {},
): tls.TLSSocket {
  const socket = tls.connect({ host: HOST, port, ca: authority.cert, ...options });
  socket.on('error', () => {});
  t.teardown(() => socket.destroy());
  return socket;
}

/** A connection of ours and the end of it that belongs to a server of node:tls. */
export async function withNodeServer(
  t: ExecutionContext,
  client: Partial<ConnectOptions>,
  options: tls.TlsOptions = {},
): Promise<{ connection: Connection; peer: tls.TLSSocket }> {
  const { promise, resolve } = withResolvers<tls.TLSSocket>();
  const port = await nodeServer(t, resolve, options);
  const [connection, peer] = await Promise.all([dial(t, port, client), promise]);
  return { connection, peer };
}

/** A connection of a server of ours and the end of it that belongs to a client of node:tls. */
export async function withNodeClient(
  t: ExecutionContext,
  server: Partial<ServerOptions>,
  options: tls.ConnectionOptions = {},
): Promise<{ connection: Connection; peer: tls.TLSSocket }> {
  const ours = await serve(t, server);
  const [connection, peer] = await Promise.all([accepted(ours.server), nodeClient(t, ours.port, options)]);
  return { connection, peer };
}

/** Waits until a socket is closed, with an error or without. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** A promise and what settles it. */
export function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
