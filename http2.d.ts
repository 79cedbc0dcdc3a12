// Generated from src/ by `npm run build`. Committed, so that a change of the API shows in review.

import {
  SecureClientSessionOptions,
  ClientHttp2Session,
  Http2ServerRequest,
  Http2ServerResponse,
  Http2Server,
  SecureServerOptions as SecureServerOptions$1,
  constants,
  getDefaultSettings,
  getPackedSettings,
  getUnpackedSettings,
} from 'node:http2';
export { constants, getDefaultSettings, getPackedSettings, getUnpackedSettings, sensitiveHeaders } from 'node:http2';
import { ConnectionOptions, TlsOptions, SecureContextOptions, SecureContext } from './tls.js';
import { ServerOptions } from 'node:http';
import { AddressInfo } from 'node:net';
import { Context } from './index.js';

/** Options of {@link connect}: node:http2's, and those of this package's `tls.connect`. */
type Http2ConnectOptions = Omit<SecureClientSessionOptions, keyof ConnectionOptions> & ConnectionOptions;
/** What is told of a session that has begun. */
type SessionListener = (session: ClientHttp2Session) => void;
/**
 * Connects to an HTTP/2 server over TLS, with the arguments of node:http2's `connect`. What is asked before the handshake is
 * done waits for it; what fails the connection is an `error` of the session.
 *
 * With `createConnection` the session is over the stream that it returns, and with `http:` it is node:http2's, without TLS.
 */
declare function connect(authority: string | URL, listener?: SessionListener): ClientHttp2Session;
declare function connect(
  authority: string | URL,
  options?: Http2ConnectOptions,
  listener?: SessionListener,
): ClientHttp2Session;

/** Options of {@link createSecureServer}: node:http2's, and those of this package's TLS server. */
interface SecureServerOptions extends Omit<SecureServerOptions$1, keyof TlsOptions>, TlsOptions {
  /** How clients without HTTP/2 are served, with `allowHTTP1`. */
  http1Options?: ServerOptions;
}
/** Answers requests of either version. */
type Http2RequestListener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;
/** node:http2's server without TLS, which makes sessions over the streams that are emitted as its connections. */
declare const PlainServer: new (options: object, listener: Http2RequestListener | undefined) => Http2Server;
/**
 * An HTTP/2 server over TLS with the surface of node:http2's secure server: node:http2's own sessions over sockets of this
 * package. With `allowHTTP1`, clients without HTTP/2 are served by node:http's own server.
 */
declare class SecureServer extends PlainServer {
  #private;
  /** Throws what is wrong with the options. */
  constructor(options?: SecureServerOptions, requestListener?: Http2RequestListener);
  /** As {@link TlsServer.listen}. */
  listen(...args: unknown[]): this;
  /** Where it listens; `null` if it does not. */
  address(): AddressInfo | string | null;
  /** Tells how many connections are open. */
  getConnections(callback: (error: Error | null, count: number) => void): this;
  /** Stops listening, and has sessions end when their streams have; `close` tells that all connections have ended. */
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
/** An HTTP/2 server, with the arguments of node:http2's `createSecureServer`. Throws what is wrong with the options. */
declare function createSecureServer(options?: SecureServerOptions, listener?: Http2RequestListener): SecureServer;
declare function createSecureServer(listener?: Http2RequestListener): SecureServer;

/**
 * As `import http2 from 'node:http2'` gives it.
 *
 * @hidden
 */
declare const http2: {
  SecureServer: typeof SecureServer;
  connect: typeof connect;
  constants: typeof constants;
  createSecureServer: typeof createSecureServer;
  getDefaultSettings: typeof getDefaultSettings;
  getPackedSettings: typeof getPackedSettings;
  getUnpackedSettings: typeof getUnpackedSettings;
  sensitiveHeaders: symbol;
};

export { SecureServer, connect, createSecureServer, http2 as default };
export type { Http2ConnectOptions, Http2RequestListener, SecureServerOptions, SessionListener };
