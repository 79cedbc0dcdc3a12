// A handshake between a server and a client of ours, and what each of them says of it.

import type { ExecutionContext } from 'ava';
import { type ConnectOptions, Connection, type ContextOptions, createContext } from 'libssl-async';

import { dial, serve, withResolvers } from './peers.ts';

/** What the two ends came to. */
export interface Meeting {
  readonly server: Connection | TlsFailure;
  readonly client: Connection | TlsFailure;
}

/** What an error may tell. */
export interface TlsFailure extends Error {
  readonly code?: string;
  readonly alert?: string;
  readonly alertReceived?: boolean;
}

/** Has a client of these options meet a server of those. */
export async function meet(
  t: ExecutionContext,
  serverOptions: ContextOptions,
  clientOptions: ContextOptions,
  options: Partial<ConnectOptions> = {},
): Promise<Meeting> {
  const { server, port } = await serve(t, { context: createContext(serverOptions) });
  const { promise, resolve } = withResolvers<Connection | TlsFailure>();
  server.once('connection', resolve);
  server.once('tlsClientError', resolve);
  const context = createContext(clientOptions);
  const client = await dial(t, port, { context, servername: 'localhost', ...options }).catch(
    (error: TlsFailure) => error,
  );
  return { server: await promise, client };
}

/** As {@link meet}, and both ends are connected. */
export async function connected(...args: Parameters<typeof meet>): Promise<{ server: Connection; client: Connection }> {
  const { server, client } = await meet(...args);
  if (!(client instanceof Connection)) throw client;
  if (!(server instanceof Connection)) throw server;
  return { server, client };
}

/** As {@link meet}, and the handshake fails at both ends. */
export async function refused(...args: Parameters<typeof meet>): Promise<{ server: TlsFailure; client: TlsFailure }> {
  const { server, client } = await meet(...args);
  if (server instanceof Connection) throw new Error('the server accepted');
  // With TLS 1.3 the client is done before the server has its certificate: the next read tells.
  return { server, client: client instanceof Connection ? await failureOf(client.read()) : client };
}

async function failureOf(operation: Promise<unknown>): Promise<TlsFailure> {
  try {
    await operation;
  } catch (error) {
    return error as TlsFailure;
  }
  throw new Error('the operation succeeded');
}
