import { type RequestListener, Server as HttpServer, type ServerOptions as HttpOptions } from 'node:http';
import {
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type SecureServerOptions as NodeOptions,
  type ServerHttp2Session,
  createServer as createPlainServer,
} from 'node:http2';
import type { AddressInfo } from 'node:net';

import type { Context } from '../context.ts';
import type { SecureContext, SecureContextOptions } from '../tls/secure-context.ts';
import type { TlsOptions } from '../tls/server-options.ts';
import { TAKES_PART, Server as TlsServer, notRunning, shareLimit } from '../tls/server.ts';
import { TLSSocket } from '../tls/socket.ts';
import { tellOfConnection } from './session.ts';

/** Options of {@link createSecureServer}: node:http2's, and those of this package's TLS server. */
export interface SecureServerOptions extends Omit<NodeOptions, keyof TlsOptions>, TlsOptions {
  /** How clients without HTTP/2 are served, with `allowHTTP1`. */
  http1Options?: HttpOptions;
}

/** Answers requests of either version. */
export type Http2RequestListener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** node:http2's server without TLS, which makes sessions over the streams that are emitted as its connections. */
const PlainServer = createPlainServer().constructor as new (
  options: object,
  listener: Http2RequestListener | undefined,
) => Http2Server;

/** Events of requests with HTTP/1.1. */
const OF_HTTP1 = ['request', 'checkContinue', 'checkExpectation', 'clientError'] as const;

/**
 * An HTTP/2 server over TLS with the surface of node:http2's secure server: node:http2's own sessions over sockets of this
 * package. With `allowHTTP1`, clients without HTTP/2 are served by node:http's own server.
 */
export class SecureServer extends PlainServer {
  static {
    const get = function (this: SecureServer): boolean {
      return this.#tls.listening;
    };
    // TypeScript has no accessor in place of a property of node:net's.
    Object.defineProperty(this.prototype, 'listening', { get, configurable: true });
  }

  readonly #tls: TlsServer;
  readonly #http1: HttpServer | undefined;
  readonly #sessions = new Set<ServerHttp2Session>();
  /** The socket whose session is being made. */
  #current: TLSSocket | undefined;

  /** Throws what is wrong with the options. */
  constructor(options: SecureServerOptions = {}, requestListener?: Http2RequestListener) {
    const { allowHTTP1 = false, http1Options, ...rest } = options;
    super(rest, requestListener);
    const protocols = allowHTTP1 ? ['h2', 'http/1.1'] : ['h2'];
    const chosen = options.ALPNProtocols || options.ALPNCallback ? {} : { ALPNProtocols: protocols };
    this.#tls = new TlsServer({ noDelay: true, ...chosen, ...rest });
    if (allowHTTP1) this.#http1 = this.#http1Server({ ...(rest as HttpOptions), ...http1Options });
    this.#follow();
  }

  /** As {@link TlsServer.listen}. */
  override listen(...args: unknown[]): this {
    this.#tls.listen(...(args as Parameters<TlsServer['listen']>));
    return this;
  }

  /** Where it listens; `null` if it does not. */
  override address(): AddressInfo | string | null {
    return this.#tls.address();
  }

  /** Tells how many connections are open. */
  override getConnections(callback: (error: Error | null, count: number) => void): this {
    this.#tls.getConnections(callback);
    return this;
  }

  /** Stops listening, and has sessions end when their streams have; `close` tells that all connections have ended. */
  override close(callback?: (error?: Error) => void): this {
    const wasListening = this.listening;
    if (typeof callback === 'function') this.once('close', () => callback(wasListening ? undefined : notRunning()));
    for (const session of this.#sessions) session.close();
    this.#http1?.closeIdleConnections();
    this.#tls.close(() => void super.close());
    return this;
  }

  /** Has it keep the process alive. */
  override ref(): this {
    this.#tls.ref();
    return this;
  }

  /** Lets the process end although it listens. */
  override unref(): this {
    this.#tls.unref();
    return this;
  }

  /** As {@link TlsServer.addContext}. */
  addContext(servername: string, context: SecureContextOptions | SecureContext | Context): void {
    this.#tls.addContext(servername, context);
  }

  /** As {@link TlsServer.setSecureContext}. */
  setSecureContext(options: SecureContextOptions): void {
    this.#tls.setSecureContext(options);
  }

  /** As {@link TlsServer.getTicketKeys}. */
  getTicketKeys(): Buffer {
    return this.#tls.getTicketKeys();
  }

  /** As {@link TlsServer.setTicketKeys}. */
  setTicketKeys(keys: Buffer | readonly Buffer[]): void {
    this.#tls.setTicketKeys(keys);
  }

  /** A stream that is no socket of this package begins with a handshake. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    const [socket] = args;
    if (event !== 'connection') return super.emit(event as string, ...args);
    if (!(socket instanceof TLSSocket)) return this.#tls.emit('connection', ...args);
    const hasHttp2 = socket.alpnProtocol === 'h2';
    if (!hasHttp2 && this.#http1) return this.#http1.emit('connection', socket);
    this.#current = hasHttp2 ? socket : undefined;
    try {
      return super.emit(event, ...args);
    } finally {
      this.#current = undefined;
    }
  }

  #http1Server(options: HttpOptions): HttpServer {
    const server = new HttpServer(options);
    for (const event of OF_HTTP1) {
      server.on(event, (...args: unknown[]) => {
        if (this.emit(event, ...args)) return;
        if (event === 'checkContinue') (args[1] as { writeContinue(): void }).writeContinue();
        if (event === 'clientError') (args[1] as TLSSocket).destroy();
        else this.emit('request', ...args);
      });
    }
    // node:http asks whether anybody listens.
    this.on('newListener', (event: string) => {
      if (event === 'upgrade' && server.listenerCount('upgrade') === 0) {
        server.on('upgrade', (...args: Parameters<RequestListener>) => this.emit('upgrade', ...args));
      }
    });
    this.on('listening', () => server.emit('listening'));
    return server;
  }

  #follow(): void {
    const tls = this.#tls;
    shareLimit(this, tls);
    this.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
      if (this.#current) tellOfConnection(session, this.#current);
    });
    tls.on('secureConnection', (socket: TLSSocket) => {
      socket.server = this;
      this.emit('connection', socket);
      this.emit('secureConnection', socket);
    });
    tls.on('tlsClientError', (error: Error, socket: TLSSocket) => this.emit('tlsClientError', error, socket));
    tls.on('listening', () => this.emit('listening'));
    tls.on('error', (error) => this.emit('error', error));
    const followed = new Set<string>();
    this.on('newListener', (event: string) => {
      if (!TAKES_PART.has(event) || followed.has(event)) return;
      followed.add(event);
      tls.on(event, (...args: unknown[]) => this.emit(event, ...args));
    });
  }
}

/** An HTTP/2 server, with the arguments of node:http2's `createSecureServer`. Throws what is wrong with the options. */
export function createSecureServer(options?: SecureServerOptions, listener?: Http2RequestListener): SecureServer;
export function createSecureServer(listener?: Http2RequestListener): SecureServer;
export function createSecureServer(
  first?: SecureServerOptions | Http2RequestListener,
  second?: Http2RequestListener,
): SecureServer {
  return typeof first === 'function' ? new SecureServer({}, first) : new SecureServer(first, second);
}
