import { type RequestListener, Server as HttpServer, type ServerOptions as HttpOptions } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Context } from '../context.ts';
import type { SecureContext, SecureContextOptions } from '../tls/secure-context.ts';
import type { TlsOptions } from '../tls/server-options.ts';
import { TAKES_PART, Server as TlsServer, notRunning, shareLimit } from '../tls/server.ts';
import { TLSSocket } from '../tls/socket.ts';

/** Options of {@link createServer}: those of node:http's server and of this package's TLS server. */
export type ServerOptions = Omit<HttpOptions, keyof TlsOptions> & TlsOptions;

/**
 * An HTTPS server with the surface of node:https's: node:http's own server over sockets of this package.
 *
 * `instanceof http.Server` holds. Its time-outs for headers and requests are node:http's, and enforced.
 */
export class Server extends HttpServer {
  static {
    const get = function (this: Server): boolean {
      return this.#tls.listening;
    };
    // TypeScript has no accessor in place of a property of node:net's.
    Object.defineProperty(this.prototype, 'listening', { get, configurable: true });
  }

  readonly #tls: TlsServer;

  /** Throws what is wrong with the options. */
  constructor(options?: ServerOptions | null, requestListener?: RequestListener);
  constructor(requestListener?: RequestListener);
  constructor(first?: ServerOptions | null | RequestListener, second?: RequestListener) {
    const options = typeof first === 'function' ? {} : (first ?? {});
    const requestListener = typeof first === 'function' ? first : second;
    super(options, requestListener);
    const chosen = options.ALPNProtocols || options.ALPNCallback ? {} : { ALPNProtocols: ['http/1.1'] };
    this.#tls = new TlsServer({ noDelay: true, ...chosen, ...options });
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

  /** Stops listening and ends idle connections; `close` tells that all have ended. */
  override close(callback?: (error?: Error) => void): this {
    const wasListening = this.listening;
    if (typeof callback === 'function') this.once('close', () => callback(wasListening ? undefined : notRunning()));
    this.closeIdleConnections();
    // Node's own part, which tells `close`, has nothing left to wait for then.
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
    if (event !== 'connection' || args[0] instanceof TLSSocket) return super.emit(event as string, ...args);
    return this.#tls.emit('connection', ...args);
  }

  #follow(): void {
    const tls = this.#tls;
    shareLimit(this, tls);
    tls.on('secureConnection', (socket: TLSSocket) => {
      socket.server = this;
      this.emit('connection', socket);
      this.emit('secureConnection', socket);
    });
    tls.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.emit('tlsClientError', error, socket);
      if (!this.emit('clientError', error, socket)) socket.destroy();
    });
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

/** An HTTPS server, with the arguments of node:https's `createServer`. Throws what is wrong with the options. */
export function createServer(options?: ServerOptions | null, requestListener?: RequestListener): Server;
export function createServer(requestListener?: RequestListener): Server;
export function createServer(first?: ServerOptions | null | RequestListener, second?: RequestListener): Server {
  return typeof first === 'function' ? new Server(first) : new Server(first, second);
}
