import { AsyncResource } from 'node:async_hooks';
import { lookup } from 'node:dns/promises';
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

import { protocolList } from './alpn.ts';
import { native } from './binding.ts';
import { clientHello, toChoice } from './client-hello.ts';
import { Connection, type ConnectionSettings } from './connection.ts';
import { type Context, contextOf } from './context.ts';
import { type Deferred, deferred, unheard } from './deferred.ts';
import { handshakes } from './diagnostics.ts';
import { type Registration, environment, forgetServer, hold, isolate, registerServer, release } from './environment.ts';
import { LibsslAsyncError, abortError, toError } from './errors.ts';
import type { NativeChoice, NativeEvent, NativeServer, NativeServerSide } from './native.d.ts';
import { MOST_MILLISECONDS, optionalInteger } from './options.ts';
import { checkStream, over } from './over.ts';
import type { Address } from './peer.ts';
import { keyOf } from './psk.ts';
import { NOTHING, answer } from './questions.ts';
import {
  type CloseOptions,
  type CloseReport,
  type ListenOptions,
  type ServerOptions,
  type ServerTerms,
  checkListenOptions,
  checkServerOptions,
} from './server-options.ts';
import { verify } from './verify-peer.ts';

/** The events of a {@link Server} and what their listeners get. */
export interface ServerEvents {
  /** A connection whose handshake is done; before it, with `handshake: false`. */
  connection: [connection: Connection];
  /** A secret, as a line of the key log format, and the connection whose it is; with the option `keylog`. */
  keylog: [line: Buffer, connection: Connection];
  /** A handshake failed, which ends nothing else. */
  tlsClientError: [error: Error, peer: Address | undefined];
  /** The server listens. */
  listening: [];
  /** The listening socket failed. */
  error: [error: Error];
  /** The server and all its connections have ended. */
  close: [];
}

const ALL_ADDRESSES = ['::', '0.0.0.0'];

/**
 * A TLS server, made by {@link createServer}.
 *
 * Its connections are taken by iterating over it or by the event `connection`, not both. Handshakes run side by side on
 * workers; a failed one is a `tlsClientError` event.
 */
export class Server extends EventEmitter<ServerEvents> {
  readonly #native: NativeServer;
  #settings: ConnectionSettings;
  readonly #backlog: number;
  readonly #resource = new AsyncResource('libssl-async.Server');
  readonly #beginsHandshakes: boolean;
  /** What may change while it listens. */
  readonly #terms: ServerTerms;
  /** Connections whose handshake runs, with the object of those that have one already. */
  readonly #handshakes = new Map<number, Connection | undefined>();
  /** Those who use a connection keep it alive, not its server. */
  readonly #byId = new Map<number, Registration<Connection>>();
  readonly #waiting: Connection[] = [];
  /** Iterations that wait for a connection. */
  #iterators: Deferred<void> | undefined;
  #isIterated = false;
  #isListening = false;
  /** The addon has a listening socket. */
  #hasSocket = false;
  /** The server has listened and is not closed yet. */
  #isActive = false;
  #isRef = true;
  #isHeld = false;
  #closing: Deferred<CloseReport> | undefined;
  /** Connections that the closing has destroyed. */
  #destroyed = 0;
  /** What became of handshakes that were given up while paused. */
  #left = { drained: 0, leaked: 0 };
  #unsubscribe = (): void => {};
  #path: string | undefined;

  /** @internal */
  constructor(options: ServerOptions) {
    super();
    checkServerOptions(options);
    const remote = options.recordIO === 'worker' || !environment.hasEventLoop;
    const noDelay = options.noDelay ?? true;
    const handshakeTimeout = options.handshakeTimeout ?? 120_000;
    const context = contextOf(options.context);
    this.#beginsHandshakes = options.handshake ?? true;
    this.#terms = { ...options };
    const settings = {
      handshake: this.#beginsHandshakes,
      handshakeTimeout,
      ...(options.maxHandshakes !== undefined && { maxHandshakes: options.maxHandshakes }),
      maxWaitingHandshakes: options.maxWaitingHandshakes ?? 0,
      remote,
      noDelay,
    };
    this.#native = new native.NativeServer(environment, context.native, settings, this.#side());
    this.#settings = {
      context: options.context,
      server: this.#native,
      client: undefined,
      handshakeTimeout,
      idleTimeout: options.idleTimeout ?? 0,
      remote,
      truncation: options.truncation,
      onEstablished: undefined,
      onClosed: (id) => {
        this.#byId.delete(id);
        this.#handshakes.delete(id);
        this.#checkClosed();
      },
    };
    this.#backlog = options.backlog ?? 511;
    (this as EventEmitter).on('newListener', (event: string) => {
      if (event !== 'connection') return;
      if (this.#isIterated) throw takenTwice();
      process.nextTick(() => this.#emitWaiting());
    });
  }

  /**
   * Begins to listen. Resolves to the address, or to the path of a Unix socket.
   *
   * Rejects with Node's code, `EADDRINUSE` for instance. Corresponds to `listen(2)`.
   */
  async listen(options: ListenOptions = {}): Promise<Address | string> {
    checkListenOptions(options);
    const { port = 0, host, path, backlog = 511, ipv6Only = false, reusePort = false, signal } = options;
    if (this.#closing) throw new LibsslAsyncError('CLOSED', 'the server is closed');
    if (this.#isListening) throw new LibsslAsyncError('ALREADY_LISTENING', 'the server listens already');
    if (signal?.aborted) throw abortError(signal);
    this.#isListening = true;
    try {
      const addresses = path !== undefined ? [] : host === undefined ? ALL_ADDRESSES : await resolve(host);
      if (!this.listening) throw new LibsslAsyncError('CLOSED', 'the server was closed');
      if (signal?.aborted) throw abortError(signal);
      const failure = this.#native.listen({
        addresses,
        port,
        backlog,
        ipv6Only,
        reusePort,
        ...(path !== undefined && { path }),
      });
      if (failure) throw toError(failure);
    } catch (error) {
      this.#isListening = false;
      throw error;
    }
    this.#path = path;
    this.#hasSocket = true;
    this.#isActive = true;
    this.#register();
    this.#updateHold();
    if (signal) {
      const close = (): void => void this.close();
      signal.addEventListener('abort', close, { once: true });
      this.#unsubscribe = () => signal.removeEventListener('abort', close);
    }
    this.emit('listening');
    return this.address()!;
  }

  /**
   * Accepts a client over a stream that is there already: a `net.Socket`, whose descriptor is used then, or any other
   * `Duplex`. It belongs to the connection from then on, and is handed out as those are that the server has accepted itself.
   *
   * Throws `ERR_LIBSSL_ASYNC_CLOSED` if the server is closed, or the stream has ended.
   */
  accept(stream: Duplex): void {
    checkStream(stream, 'stream');
    if (this.#closing) throw new LibsslAsyncError('CLOSED', 'the server is closed');
    const { native: handle, tie } = over(stream);
    this.#register();
    const connection = new Connection(handle, this.#settings);
    this.#byId.set(handle.id, connection.registration);
    tie(connection);
    if (!this.#beginsHandshakes) return this.#handOut(connection);
    this.#handshakes.set(handle.id, connection);
    // What fails it is a tlsClientError.
    void unheard(connection.handshake());
  }

  /**
   * Has connections that are accepted from now on use another context, a renewed certificate for instance; those that are
   * there keep theirs.
   */
  setContext(context: Context): this {
    return this.setTerms({ context });
  }

  /** @internal As {@link Server.setContext}, with more. */
  setTerms(terms: Partial<ServerTerms>): this {
    const { native: nativeContext } = contextOf(terms.context ?? this.#terms.context);
    Object.assign(this.#terms, terms);
    this.#native.setContext(nativeContext, this.#side());
    this.#settings = { ...this.#settings, context: this.#terms.context };
    return this;
  }

  /** Where the server listens; `null` if it does not. */
  address(): Address | string | null {
    return this.listening ? (this.#path ?? (this.#native.address as Address | null)) : null;
  }

  /** Whether the server listens. */
  get listening(): boolean {
    return this.#isListening && !this.#closing;
  }

  /** Connections that are open, those of the backlog included. */
  get connections(): number {
    return this.#byId.size;
  }

  /**
   * Stops listening, gives handshakes that run up, and resolves when the last connection has ended and nothing is left
   * of the handshakes; to what it ended.
   *
   * Connections that wait for the iteration are destroyed. Handshakes that are paused on a remote key end at once; for a
   * third-party source the drain waits for {@link Configuration.drainTimeout} at most.
   */
  async close({ timeout }: CloseOptions = {}): Promise<CloseReport> {
    optionalInteger(timeout, 'timeout', 0, MOST_MILLISECONDS);
    this.#closing ??= this.#beginToClose();
    if (timeout === undefined) return this.#closing.promise;
    const timer = setTimeout(() => {
      for (const registration of this.#byId.values()) this.#discard(registration.listener);
    }, timeout);
    const report = await this.#closing.promise;
    clearTimeout(timer);
    return report;
  }

  /** Closes the server and destroys its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ timeout: 0 });
  }

  /** Has the server keep the process alive until it is closed, as it does unless {@link Server.unref} was called. */
  ref(): this {
    this.#isRef = true;
    this.#updateHold();
    return this;
  }

  /** Lets the process end although the server is not closed. */
  unref(): this {
    this.#isRef = false;
    this.#updateHold();
    return this;
  }

  /**
   * Iterates over the connections until the server is closed.
   *
   * Leaving the loop stops iterating, not listening: up to `backlog` connections wait for the next iteration.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Connection, void, undefined> {
    if (this.listenerCount('connection') > 0) throw takenTwice();
    this.#isIterated = true;
    for (;;) {
      const connection = this.#waiting.shift();
      if (connection) {
        if (!connection.destroyed) yield connection;
      } else if (this.#closing) {
        return;
      } else {
        this.#iterators ??= deferred();
        await this.#iterators.promise;
      }
    }
  }

  #onEvent(event: NativeEvent): void {
    this.#resource.runInAsyncScope(() => this.#handle(event));
  }

  #handle(event: NativeEvent): void {
    const id = event.connection!;
    switch (event.type) {
      case 'accepted':
        if (this.#closing) environment.connection(id)?.destroy();
        else if (event.begun) this.#handshakes.set(id, undefined);
        else this.#handOut(this.#connection(id));
        return;
      case 'async':
        return this.#connection(id)?.onEvent(event);
      case 'hello':
        return answer(event, (signal) => this.#choose(event, signal));
      case 'newSession':
        return answer(event, () => this.#keep(event));
      case 'verify':
        return answer(event, async (signal) => verify(event, signal, this.#terms.verifyPeer, this.#asking(id)));
      case 'psk':
        return answer(event, async (signal) => keyOf(event, signal, this.#terms.pskCallback, this.#asking(id)));
      case 'keylog': {
        const connection = this.#connection(id);
        return void (connection && this.emit('keylog', event.message!, connection));
      }
      case 'established': {
        const connection = this.#connection(id);
        connection?.onEvent(event);
        this.#handshakes.delete(id);
        if (this.#beginsHandshakes) this.#handOut(connection);
        return;
      }
      case 'failed': {
        const error = toError(event.error!);
        const peer = event.peer as Address | undefined;
        const connection = this.#byId.get(id)?.listener;
        connection?.destroy(error);
        this.#handshakes.delete(id);
        if (!this.#beginsHandshakes || this.#closing) return;
        // One that has begun its handshake itself has told of it.
        if (!connection?.hasBegun) handshakes.error({ server: this, peer, error, connection });
        return void this.emit('tlsClientError', error, peer);
      }
      case 'listenerFailed':
        void this.close();
        return void this.emit('error', toError(event.error!));
      case 'listenerClosed':
        this.#hasSocket = false;
        this.#left = { drained: event.drained!, leaked: event.leaked! };
        this.#checkClosed();
    }
  }

  #side(): NativeServerSide {
    const { onClientHello, sessionStore, keylog, requestCert, rejectUnauthorized, pskIdentityHint } = this.#terms;
    const protocols = protocolList(this.#terms.ALPNProtocols, 'ALPNProtocols');
    const keepsSessions = sessionStore !== undefined;
    return {
      asksHello: keepsSessions || onClientHello !== undefined,
      keepsSessions,
      asksVerify: this.#terms.verifyPeer !== undefined,
      asksPsk: this.#terms.pskCallback !== undefined,
      ...(pskIdentityHint !== undefined && { pskIdentityHint }),
      secrets: keylog ?? false,
      traces: this.#terms.enableTrace ?? false,
      ...(protocols && { alpnProtocols: protocols }),
      ...(requestCert !== undefined && { requestCert }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    };
  }

  #register(): void {
    registerServer(this.#native.id, { onEvent: (event) => this.#onEvent(event) });
  }

  /** Chooses what a client is shown. */
  async #choose(event: NativeEvent, signal: AbortSignal): Promise<NativeChoice> {
    const hello = clientHello(event.hello!, signal);
    const connection = this.#asking(event.connection!);
    const { sessionId } = hello;
    const session = sessionId.length > 0 ? await this.#terms.sessionStore?.get(sessionId) : undefined;
    const given = await this.#terms.onClientHello?.(hello, connection);
    return toChoice(session && !given?.session ? { ...given, session } : given, hello);
  }

  async #keep(event: NativeEvent): Promise<NativeChoice> {
    try {
      await this.#terms.sessionStore?.set(event.sessionId!, event.message!);
    } catch (error) {
      const message = `A session could not be kept: ${error instanceof Error ? error.message : String(error)}`;
      process.emitWarning(message, { type: 'LibsslAsyncWarning', code: 'LIBSSL_ASYNC_SESSION_LOST' });
    }
    return NOTHING;
  }

  /** The connection that asks; throws if it has gone. */
  #asking(id: number): Connection {
    const connection = this.#connection(id);
    if (!connection) throw new LibsslAsyncError('CLOSED', 'the connection is closed');
    return connection;
  }

  /** The object of a connection of this server, made when it is first spoken of. */
  #connection(id: number): Connection | undefined {
    const known = this.#byId.get(id)?.listener;
    if (known) return known;
    const handle = environment.connection(id);
    if (!handle) return undefined;
    const connection = new Connection(handle, this.#settings);
    this.#byId.set(id, connection.registration);
    if (this.#handshakes.has(id)) this.#handshakes.set(id, connection);
    return connection;
  }

  #handOut(connection: Connection | undefined): void {
    if (!connection) return;
    if (this.#closing) return this.#discard(connection);
    if (this.listenerCount('connection') > 0) return void this.emit('connection', connection);
    if (this.#waiting.length >= this.#backlog) return void connection.destroy();
    this.#waiting.push(connection);
    this.#wakeIterators();
  }

  /** Gives those who have begun to listen what came before. */
  #emitWaiting(): void {
    while (this.#waiting.length > 0 && this.listenerCount('connection') > 0) {
      const connection = this.#waiting.shift()!;
      if (!connection.destroyed) isolate(() => this.emit('connection', connection));
    }
  }

  #wakeIterators(): void {
    const waiting = this.#iterators;
    this.#iterators = undefined;
    waiting?.resolve();
  }

  #beginToClose(): Deferred<CloseReport> {
    this.#unsubscribe();
    this.#native.close();
    for (const [id, connection] of this.#handshakes) (connection ?? environment.connection(id))?.destroy();
    this.#handshakes.clear();
    for (const connection of this.#waiting.splice(0)) this.#discard(connection);
    this.#wakeIterators();
    process.nextTick(() => this.#checkClosed());
    return deferred();
  }

  /** Destroys a connection, as the server is closed. */
  #discard(connection: Connection | undefined): void {
    if (!connection || connection.destroyed) return;
    this.#destroyed++;
    connection.destroy();
  }

  #checkClosed(): void {
    if (!this.#closing || this.#hasSocket || this.#byId.size > 0) return;
    forgetServer(this.#native.id);
    this.#isActive = false;
    this.#updateHold();
    this.#closing.resolve({ destroyed: this.#destroyed, ...this.#left });
    process.nextTick(() => this.emit('close'));
  }

  #updateHold(): void {
    const holds = this.#isRef && this.#isActive;
    if (holds === this.#isHeld) return;
    this.#isHeld = holds;
    if (holds) hold();
    else release();
  }
}

/** A TLS server; {@link Server.listen} begins. Corresponds to `SSL_accept` for each of its connections. */
export function createServer(options: ServerOptions): Server {
  return new Server(options);
}

async function resolve(host: string): Promise<string[]> {
  const addresses = await lookup(host, { all: true });
  return addresses.map(({ address }) => address);
}

function takenTwice(): Error {
  return new LibsslAsyncError(
    'TAKEN_TWICE',
    "connections are taken by iterating or by the event 'connection', not both",
  );
}
