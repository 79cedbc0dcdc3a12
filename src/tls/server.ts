import { randomBytes } from 'node:crypto';
import { Server as NetServer, type AddressInfo, type ListenOptions, createServer as createNetServer } from 'node:net';
import type { Duplex } from 'node:stream';

import type { ClientHello, ClientHelloAnswer, SessionStore } from '../client-hello.ts';
import type { Connection } from '../connection.ts';
import { Context } from '../context.ts';
import { invalidArgument } from '../errors.ts';
import type { Address } from '../peer.ts';
import type { ServerTerms } from '../server-options.ts';
import { type Server as OwnServer, createServer as createOwnServer } from '../server.ts';
import { serverOptions } from './accept.ts';
import { nodeError, serverError } from './errors.ts';
import { type SNICallback, choose } from './hello.ts';
import { alreadyListening, listenArguments } from './listen-arguments.ts';
import { askForOCSP } from './ocsp.ts';
import { SecureContext, type SecureContextOptions, createSecureContext } from './secure-context.ts';
import type { TlsOptions } from './server-options.ts';
import { sessionEvents } from './session-events.ts';
import { TLSSocket } from './socket.ts';

/** Events whose listeners have a part in handshakes. */
export const TAKES_PART = new Set(['OCSPRequest', 'keylog', 'newSession', 'resumeSession']);

/**
 * A TLS server with the surface of node:tls's `Server`: `secureConnection` has a {@link TLSSocket} whose handshake is done,
 * which ran on a worker; `tlsClientError` tells of those that failed.
 *
 * It accepts on a worker, too, unless somebody listens to `connection` when it begins to listen: who is told of TCP
 * connections before their handshake has Node accept them. Emitted by somebody else with a stream, it accepts a client over
 * that.
 */
export class Server extends NetServer {
  static {
    const get = function (this: Server): boolean {
      return this.#isListening && this.address() !== null;
    };
    // TypeScript has no accessor in place of a property of node:net's.
    Object.defineProperty(this.prototype, 'listening', { get, configurable: true });
  }

  readonly #options: TlsOptions;
  readonly #contexts: [RegExp, Context][] = [];
  /** Those of the context. */
  #secureOptions: TlsOptions;
  /** Tickets are made with the first. */
  #ticketKeys: readonly Buffer[];
  #context: Context;
  #own: OwnServer | undefined;
  /** Accepts where this package cannot. */
  #acceptor: NetServer | undefined;
  #isListening = false;
  #isRef = true;

  /** Throws what is wrong with the options. */
  constructor(options?: TlsOptions | null, secureConnectionListener?: (socket: TLSSocket) => void);
  constructor(secureConnectionListener?: (socket: TLSSocket) => void);
  constructor(first?: TlsOptions | null | ((socket: TLSSocket) => void), second?: (socket: TLSSocket) => void) {
    super();
    const given: unknown = typeof first === 'function' ? {} : (first ?? {});
    const listener = typeof first === 'function' ? first : second;
    if (typeof given !== 'object') throw invalidArgument('options', 'an object', given);
    this.#options = check(given as TlsOptions);
    this.#secureOptions = this.#options;
    const { ticketKeys } = this.#options;
    this.#ticketKeys = ticketKeys ? checkTicketKeys(ticketKeys) : [randomBytes(48)];
    this.#context = this.#newContext();
    if (listener) this.on('secureConnection', listener);
    this.on('newListener', (event: string) => {
      if (TAKES_PART.has(event)) process.nextTick(() => this.#own?.setTerms(this.#terms()));
    });
    this.on('connection', (stream: Duplex) => this.#accept(stream));
  }

  /**
   * Begins to listen, with the arguments of node:net's servers; `listening` tells that it does, `error` that it cannot.
   *
   * On a descriptor or handle that is there already, in the workers of a cluster, and where somebody listens to `connection`,
   * Node accepts and this takes the sockets over. Throws `ERR_SERVER_ALREADY_LISTEN`, and what is wrong with the arguments.
   */
  override listen(port?: number, host?: string, backlog?: number, listener?: () => void): this;
  override listen(port?: number, host?: string, listener?: () => void): this;
  override listen(port?: number, backlog?: number, listener?: () => void): this;
  override listen(port?: number, listener?: () => void): this;
  override listen(path: string, backlog?: number, listener?: () => void): this;
  override listen(path: string, listener?: () => void): this;
  override listen(options: ListenOptions, listener?: () => void): this;
  override listen(handle: unknown, backlog?: number, listener?: () => void): this;
  override listen(handle: unknown, listener?: () => void): this;
  override listen(...args: unknown[]): this {
    if (this.#isListening) throw alreadyListening();
    const { place, callback } = listenArguments(args);
    if (callback) this.once('listening', callback);
    this.#isListening = true;
    // Who listens to `connection`, beside this itself, is told of TCP connections: Node accepts them then.
    if ('node' in place || this.listenerCount('connection') > 1) {
      this.#listenByNode('node' in place ? place.node : withoutListener(args));
      return this;
    }
    const tell = (): void => void this.emit('listening');
    const fail = (error: Error): void => {
      this.#isListening = false;
      this.emit('error', error);
    };
    this.#server()
      .listen(place.own)
      .then(
        () => process.nextTick(tell),
        (error: Error) => process.nextTick(fail, error),
      );
    return this;
  }

  /** Where it listens; `null` if it does not. */
  override address(): AddressInfo | string | null {
    return this.#acceptor ? this.#acceptor.address() : ((this.#own?.address() as AddressInfo | string) ?? null);
  }

  /** Tells how many connections are open. */
  override getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#own?.connections ?? 0);
    return this;
  }

  /**
   * Stops listening, and gives handshakes that run up; `close` tells that all connections have ended.
   *
   * `callback` gets `ERR_SERVER_NOT_RUNNING` if it did not listen.
   */
  override close(callback?: (error?: Error) => void): this {
    const wasListening = this.#isListening;
    if (typeof callback === 'function') {
      this.once('close', () => callback(wasListening ? undefined : notRunning()));
    }
    this.#isListening = false;
    this.#acceptor?.close();
    const own = this.#own;
    this.#own = undefined;
    if (own) void own.close().then(() => process.nextTick(() => this.emit('close')));
    else process.nextTick(() => this.emit('close'));
    return this;
  }

  /** Closes it, and waits for that. */
  override async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.close((error) => (error ? reject(error) : resolve()));
    });
  }

  /** Has it keep the process alive. */
  override ref(): this {
    this.#isRef = true;
    this.#own?.ref();
    this.#acceptor?.ref();
    return this;
  }

  /** Lets the process end although it listens. */
  override unref(): this {
    this.#isRef = false;
    this.#own?.unref();
    this.#acceptor?.unref();
    return this;
  }

  /**
   * Has clients that ask for a name, in which `*` stands for one label, be shown another context; later ones go first.
   *
   * Throws `ERR_TLS_REQUIRED_SERVER_NAME` without a name, and what is wrong with the context's options.
   */
  addContext(servername: string, context: SecureContextOptions | SecureContext | Context): void {
    if (!servername)
      throw nodeError('ERR_TLS_REQUIRED_SERVER_NAME', '"servername" is required parameter for Server.addContext');
    const pattern = servername.replaceAll(/[.^$+?\-\\[\]{}()|]/g, String.raw`\$&`).replaceAll('*', '[^.]*');
    this.#contexts.push([new RegExp(`^${pattern}$`, 'i'), contextFrom(context)]);
    this.#own?.setTerms(this.#terms());
  }

  /** Has clients that come from now on be shown another context; the options are all anew. Throws what is wrong with them. */
  setSecureContext(options: SecureContextOptions): void {
    if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
    this.#secureOptions = check({ ...options });
    if (options.ticketKeys) this.#ticketKeys = checkTicketKeys(options.ticketKeys);
    this.#context = this.#newContext();
    this.#own?.setTerms(this.#terms());
  }

  /** The 48 bytes of which the keys of session tickets are made; of several keys, the one that makes tickets. */
  getTicketKeys(): Buffer {
    return Buffer.from(this.#ticketKeys[0]!);
  }

  /**
   * Has tickets be made of other keys, of which this package's servers in other processes may know, too. Several keys may be
   * given: the first makes tickets, those of the others are still good. Others are not resumed any more. Throws for what has not
   * 48 bytes.
   */
  setTicketKeys(keys: Buffer | readonly Buffer[]): void {
    this.#ticketKeys = checkTicketKeys(keys);
    this.#context = this.#newContext();
    this.#own?.setTerms(this.#terms());
  }

  #newContext(): Context {
    return serverOptions({ ...this.#secureOptions, ticketKeys: this.#ticketKeys }).context;
  }

  #server(): OwnServer {
    if (this.#own) return this.#own;
    const { handshakeTimeout, maxHandshakes, maxWaitingHandshakes, recordIO, noDelay } = this.#options;
    const own = createOwnServer({
      ...serverOptions({ ...this.#options, secureContext: new SecureContext(this.#context) }),
      ...this.#terms(),
      handshakeTimeout: handshakeTimeout || 120_000,
      noDelay: noDelay ?? false,
      ...(maxHandshakes !== undefined && { maxHandshakes }),
      ...(maxWaitingHandshakes !== undefined && { maxWaitingHandshakes }),
      ...(recordIO !== undefined && { recordIO }),
    });
    this.#own = own;
    if (!this.#isRef) own.unref();
    own.on('connection', (connection) => this.#handOut(connection));
    own.on('tlsClientError', (error, peer) => this.#tellFailure(serverError(error), peer));
    own.on('keylog', (line, connection) => this.emit('keylog', line, this.#stub(connection.remoteAddress)));
    own.on('error', (error) => this.emit('error', error));
    return own;
  }

  #terms(): Partial<ServerTerms> {
    const { SNICallback, ALPNCallback, pskCallback, pskIdentityHint, verifyPeer, enableTrace } = this.#options;
    const staples = this.listenerCount('OCSPRequest') > 0;
    const isChosen = SNICallback || ALPNCallback || this.#contexts.length > 0 || staples;
    const store: SessionStore | undefined = sessionEvents(this);
    return {
      context: this.#context,
      keylog: this.listenerCount('keylog') > 0,
      ...(enableTrace && { enableTrace }),
      onClientHello: isChosen ? (hello) => this.#choose(hello) : undefined,
      sessionStore: store,
      verifyPeer: verifyPeer ?? undefined,
      pskIdentityHint: pskIdentityHint ?? undefined,
      pskCallback: pskCallback
        ? (identity, connection) => pskCallback(this.#stub(connection.remoteAddress), identity)
        : undefined,
    };
  }

  async #choose(hello: ClientHello): Promise<ClientHelloAnswer> {
    const byName: SNICallback = (servername, callback) => {
      callback(null, this.#contexts.findLast(([pattern]) => pattern.test(servername))?.[1]);
    };
    const chosen = await choose(hello, { SNICallback: byName, ...this.#options });
    if (!hello.wantsOCSP) return chosen;
    return { ...chosen, ocspResponse: await askForOCSP(this, chosen.context ?? this.#context) };
  }

  #accept(stream: Duplex): void {
    try {
      this.#server().accept(stream);
    } catch (error) {
      stream.destroy();
      this.#tellFailure(error as Error, undefined);
    }
  }

  #listenByNode(args: readonly unknown[]): void {
    const acceptor = createNetServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) =>
      this.emit('connection', socket),
    );
    this.#acceptor = acceptor;
    acceptor.on('listening', () => this.emit('listening'));
    acceptor.on('error', (error) => {
      this.#isListening = false;
      this.emit('error', error);
    });
    acceptor.once('close', () => (this.#acceptor = undefined));
    if (!this.#isRef) acceptor.unref();
    acceptor.listen(...(args as Parameters<typeof acceptor.listen>));
  }

  #handOut(connection: Connection): void {
    if (this.maxConnections > 0 && this.#own!.connections > this.maxConnections) return this.#drop(connection);
    const socket = this.#socket(undefined);
    const { keepAlive, keepAliveInitialDelay, pauseOnConnect } = this.#options;
    connection.streamInto(socket);
    if (keepAlive) socket.setKeepAlive(true, keepAliveInitialDelay);
    if (pauseOnConnect) socket.pause();
    this.emit('secureConnection', socket);
    socket.emit('secure');
  }

  #drop(connection: Connection): void {
    const { localAddress: local, remoteAddress: remote } = connection;
    connection.destroy();
    this.emit('drop', {
      ...(local && { localAddress: local.address, localPort: local.port, localFamily: local.family }),
      ...(remote && { remoteAddress: remote.address, remotePort: remote.port, remoteFamily: remote.family }),
    });
  }

  #tellFailure(error: Error, peer: Address | undefined): void {
    this.emit('tlsClientError', error, this.#stub(peer));
  }

  /** The socket of a connection that has none yet, and may never have. */
  #stub(peer: Address | undefined): TLSSocket {
    const socket = this.#socket(peer);
    return socket.on('error', () => {}).destroy();
  }

  #socket(peer: Address | undefined): TLSSocket {
    const { allowHalfOpen, highWaterMark, requestCert } = this.#options;
    const socket = TLSSocket.make({
      isServer: true,
      requestCert: requestCert === true,
      peer,
      ...(allowHalfOpen !== undefined && { allowHalfOpen }),
      ...(highWaterMark !== undefined && { highWaterMark }),
    });
    socket.server = this;
    return socket;
  }
}

/** Has the limit of connections of one server be that of another, which tells of those that are dropped. */
export function shareLimit(server: NetServer, inner: Server): void {
  Object.defineProperty(server, 'maxConnections', {
    get: () => inner.maxConnections,
    set: (limit: number) => {
      inner.maxConnections = limit;
    },
    configurable: true,
    enumerable: true,
  });
  inner.on('drop', (data) => server.emit('drop', data));
}

/** A server, with the arguments of node:tls's `createServer`. Throws what is wrong with the options. */
export function createServer(
  options?: TlsOptions | null,
  secureConnectionListener?: (socket: TLSSocket) => void,
): Server;
export function createServer(secureConnectionListener?: (socket: TLSSocket) => void): Server;
export function createServer(
  first?: TlsOptions | null | ((socket: TLSSocket) => void),
  second?: (socket: TLSSocket) => void,
): Server {
  return typeof first === 'function' ? new Server(first) : new Server(first, second);
}

function withoutListener(args: readonly unknown[]): readonly unknown[] {
  return typeof args.at(-1) === 'function' ? args.slice(0, -1) : args;
}

function check(options: TlsOptions): TlsOptions {
  if (options.ALPNCallback && options.ALPNProtocols) {
    const message = 'The ALPNCallback and ALPNProtocols TLS options are mutually exclusive';
    throw Object.assign(new TypeError(message), { code: 'ERR_TLS_ALPN_CALLBACK_WITH_PROTOCOLS' });
  }
  for (const name of ['SNICallback', 'ALPNCallback', 'pskCallback', 'verifyPeer'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && value !== null && typeof value !== 'function') {
      throw invalidArgument(`options.${name}`, 'a function', value);
    }
  }
  if (options.handshakeTimeout !== undefined && typeof options.handshakeTimeout !== 'number') {
    throw invalidArgument('options.handshakeTimeout', 'a number', options.handshakeTimeout);
  }
  return options;
}

function checkTicketKeys(keys: unknown): Buffer[] {
  const all: readonly unknown[] = Array.isArray(keys) ? keys : [keys];
  if (all.length === 0) throw invalidArgument('keys', 'at least one key', keys, 'there is none');
  return all.map((key, at) => {
    const name = all === keys ? `keys[${at}]` : 'keys';
    if (!(key instanceof Uint8Array)) throw invalidArgument(name, 'a Buffer of 48 bytes', key);
    if (key.length !== 48) throw invalidArgument(name, 'a Buffer of 48 bytes', key, `it has ${key.length}`);
    return Buffer.from(key);
  });
}

function contextFrom(context: SecureContextOptions | SecureContext | Context): Context {
  if (context instanceof Context) return context;
  return (context instanceof SecureContext ? context : createSecureContext(context)).context;
}

/** The error of a server that is closed and did not listen. */
export function notRunning(): Error {
  return nodeError('ERR_SERVER_NOT_RUNNING', 'Server is not running.');
}
