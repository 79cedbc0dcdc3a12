// Generated from src/ by `npm run build`. Committed, so that a change of the API shows in review.

import { Agent as Agent$1, AgentOptions as AgentOptions$1 } from 'node:https';
import { SecureContextOptions, ConnectionOptions, TlsOptions, SecureContext } from './tls.js';
import {
  RequestOptions as RequestOptions$1,
  IncomingMessage,
  ClientRequest,
  Server as Server$1,
  ServerOptions as ServerOptions$1,
  RequestListener,
} from 'node:http';
import { AddressInfo } from 'node:net';
import { Context } from './index.js';

/** Options of {@link Agent}: node:https's, and keys that are elsewhere. */
type AgentOptions = Omit<AgentOptions$1, 'key'> & Pick<SecureContextOptions, 'key'>;
/**
 * Keeps connections of this package for requests of node:http's and node:https's: `https.request({ agent })`.
 *
 * Sessions are resumed for the same host and the same options only.
 */
declare class Agent extends Agent$1 {
  #private;
  constructor(options?: AgentOptions);
}

/** Options of {@link request}: node:http's and those of this package's `tls.connect`. */
type RequestOptions = Omit<ConnectionOptions, keyof RequestOptions$1> & RequestOptions$1;
/** What answers are given to. */
type ResponseListener = (response: IncomingMessage) => void;
/** The agent of requests that name none. */
declare const globalAgent: Agent;
/** Makes a request, with the arguments of node:https's `request`, over connections of this package. */
declare function request(options: RequestOptions | string | URL, listener?: ResponseListener): ClientRequest;
declare function request(url: string | URL, options: RequestOptions, listener?: ResponseListener): ClientRequest;
/** Makes a request without a body, and ends it. */
declare function get(options: RequestOptions | string | URL, listener?: ResponseListener): ClientRequest;
declare function get(url: string | URL, options: RequestOptions, listener?: ResponseListener): ClientRequest;

/** Options of {@link createServer}: those of node:http's server and of this package's TLS server. */
type ServerOptions = Omit<ServerOptions$1, keyof TlsOptions> & TlsOptions;
/**
 * An HTTPS server with the surface of node:https's: node:http's own server over sockets of this package.
 *
 * `instanceof http.Server` holds. Its time-outs for headers and requests are node:http's, and enforced.
 */
declare class Server extends Server$1 {
  #private;
  /** Throws what is wrong with the options. */
  constructor(options?: ServerOptions | null, requestListener?: RequestListener);
  constructor(requestListener?: RequestListener);
  /** As {@link TlsServer.listen}. */
  listen(...args: unknown[]): this;
  /** Where it listens; `null` if it does not. */
  address(): AddressInfo | string | null;
  /** Tells how many connections are open. */
  getConnections(callback: (error: Error | null, count: number) => void): this;
  /** Stops listening and ends idle connections; `close` tells that all have ended. */
  close(callback?: (error?: Error) => void): this;
  /** Has it keep the process alive. */
  ref(): this;
  /** Lets the process end although it listens. */
  unref(): this;
  /** As {@link TlsServer.addContext}. */
  addContext(servername: string, context: SecureContextOptions | SecureContext | Context): void;
  /** As {@link TlsServer.setSecureContext}. */
  setSecureContext(options: SecureContextOptions): void;
  /** As {@link TlsServer.getTicketKeys}. */
  getTicketKeys(): Buffer;
  /** As {@link TlsServer.setTicketKeys}. */
  setTicketKeys(keys: Buffer | readonly Buffer[]): void;
  /** A stream that is no socket of this package begins with a handshake. */
  emit(event: string | symbol, ...args: unknown[]): boolean;
}
/** An HTTPS server, with the arguments of node:https's `createServer`. Throws what is wrong with the options. */
declare function createServer(options?: ServerOptions | null, requestListener?: RequestListener): Server;
declare function createServer(requestListener?: RequestListener): Server;

/**
 * As `import https from 'node:https'` gives it.
 *
 * @hidden
 */
declare const https: {
  Agent: typeof Agent;
  Server: typeof Server;
  createServer: typeof createServer;
  get: typeof get;
  globalAgent: Agent;
  request: typeof request;
};

export { Agent, Server, createServer, https as default, get, globalAgent, request };
export type { AgentOptions, RequestOptions, ResponseListener, ServerOptions };
