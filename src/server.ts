import { AsyncResource } from 'node:async_hooks';
import { lookup } from 'node:dns/promises';
import { EventEmitter } from 'node:events';

import { native } from './binding.ts';
import { Connection, type ConnectionSettings } from './connection.ts';
import { type Context, contextOf } from './context.ts';
import { type Deferred, deferred } from './deferred.ts';
import { environment, forget, hold, register, registered, release } from './environment.ts';
import { LibsslAsyncError, abortError, invalidArgument, toError } from './errors.ts';
import type { NativeEvent, NativeServer } from './native.d.ts';
import type { Address } from './peer.ts';

/** Options of {@link createServer}. */
export interface ServerOptions {
  /** Certificates, keys and settings of all connections. */
  context: Context;
  /** Whether handshakes begin by themselves; otherwise connections are handed out before. Default: `true`. */
  handshake?: boolean | undefined;
  /** Milliseconds that a handshake may take, 0 for no limit. Default: 120 000, as for node:tls. */
  handshakeTimeout?: number | undefined;
  /** Where record I/O runs: on the event loop, or on the workers. Default: `'loop'` where the host has what it needs. */
  recordIO?: 'loop' | 'worker' | undefined;
  /** Connections that wait for the iteration; more are refused. Default: 511. */
  backlog?: number | undefined;
  /** What a TCP connection that ends without `close_notify` means. Default: `'error'`. */
  truncation?: 'error' | 'end' | undefined;
  /** Whether the event `keylog` tells the secrets of connections. Default: `false`. */
  keylog?: boolean | undefined;
  /** Sends small writes at once (`TCP_NODELAY`). Default: `true`. */
  noDelay?: boolean | undefined;
}

/** Where a server listens. */
export interface ListenOptions {
  /** The TCP port; 0, the default, for one that the system chooses. */
  port?: number | undefined;
  /** A name or an IP address. Default: all addresses. */
  host?: string | undefined;
  /** The path of a Unix socket, in place of `host` and `port`. */
  path?: string | undefined;
  /** Connections that the system keeps until they are accepted. Default: 511. */
  backlog?: number | undefined;
  /** Whether an IPv6 address excludes IPv4. Default: `false`. */
  ipv6Only?: boolean | undefined;
  /** Whether several sockets may share the port (`SO_REUSEPORT`). Default: `false`. */
  reusePort?: boolean | undefined;
  /** Closes the server. */
  signal?: AbortSignal | undefined;
}

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

/** How {@link Server.close} treats connections. */
export interface CloseOptions {
  /** Milliseconds after which the connections that are left are destroyed. Default: no limit. */
  timeout?: number | undefined;
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
  readonly #settings: ConnectionSettings;
  readonly #backlog: number;
  readonly #resource = new AsyncResource('libssl-async.Server');
  /** Connections whose handshake runs. */
  readonly #handshakes = new Set<number>();
  readonly #byId = new Map<number, Connection>();
  readonly #waiting: Connection[] = [];
  #iterator: Deferred<void> | undefined;
  #isIterated = false;
  #isListening = false;
  #isRef = true;
  #closing: Deferred<void> | undefined;
  #unsubscribe = (): void => {};
  #path: string | undefined;

  /** @internal */
  constructor(options: ServerOptions) {
    super();
    validate(options);
    const remote = options.recordIO === 'worker' || !environment.hasEventLoop;
    const noDelay = options.noDelay ?? true;
    const handshakeTimeout = options.handshakeTimeout ?? 120_000;
    const context = contextOf(options.context);
    this.#native = new native.NativeServer(environment, context.native, {
      handshake: options.handshake ?? true,
      handshakeTimeout,
      tells: context.asyncCallback !== undefined,
      secrets: options.keylog ?? false,
      remote,
      noDelay,
    });
    this.#settings = {
      context: options.context,
      server: this.#native.id,
      client: undefined,
      handshakeTimeout,
      remote,
      truncation: options.truncation ?? 'error',
      onEstablished: undefined,
    };
    this.#backlog = options.backlog ?? 511;
    (this as EventEmitter).on('newListener', (event: string) => {
      if (event === 'connection' && this.#isIterated) throw takenTwice();
    });
  }

  /**
   * Begins to listen. Resolves to the address, or to the path of a Unix socket.
   *
   * Rejects with Node's code, `EADDRINUSE` for instance. Corresponds to `listen(2)`.
   */
  async listen(options: ListenOptions = {}): Promise<Address | string> {
    const { port = 0, host, path, backlog = 511, ipv6Only = false, reusePort = false, signal } = options;
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw invalidArgument('options.port', 'an integer from 0 to 65535', port);
    if (this.#closing) throw new LibsslAsyncError('CLOSED', 'the server is closed');
    if (this.#isListening) throw new LibsslAsyncError('ALREADY_LISTENING', 'the server listens already');
    if (signal?.aborted) throw abortError(signal);
    this.#isListening = true;
    try {
      const addresses = path !== undefined ? [] : host === undefined ? ALL_ADDRESSES : await resolve(host);
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
    register('server', this.#native.id, { event: (event) => this.#onEvent(event) });
    if (this.#isRef) hold();
    if (signal) {
      const close = (): void => void this.close();
      signal.addEventListener('abort', close, { once: true });
      this.#unsubscribe = () => signal.removeEventListener('abort', close);
    }
    this.emit('listening');
    return this.address()!;
  }

  /** Where the server listens; `null` if it does not. */
  address(): Address | string | null {
    return this.#path ?? (this.#native.address as Address | null);
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
   * Stops listening, gives handshakes that run up, and resolves when the last connection has ended.
   *
   * Connections that wait for the iteration are destroyed.
   */
  close({ timeout }: CloseOptions = {}): Promise<void> {
    if (!this.#closing) {
      this.#closing = deferred();
      this.#unsubscribe();
      this.#native.close();
      if (this.#isListening && this.#isRef) release();
      for (const id of this.#handshakes) environment.connection(id)?.destroy();
      this.#handshakes.clear();
      for (const connection of this.#waiting.splice(0)) connection.destroy();
      this.#iterator?.resolve();
      this.#checkClosed();
    }
    if (timeout !== undefined) {
      const expire = (): void => {
        for (const connection of this.#byId.values()) connection.destroy();
      };
      const timer = setTimeout(expire, timeout);
      void this.#closing.promise.then(() => clearTimeout(timer));
    }
    return this.#closing.promise;
  }

  /** Closes the server and destroys its connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ timeout: 0 });
  }

  /** Has the server keep the process alive while it listens, as it does unless {@link Server.unref} was called. */
  ref(): this {
    if (!this.#isRef) {
      this.#isRef = true;
      if (this.listening) hold();
    }
    return this;
  }

  /** Lets the process end although the server listens. */
  unref(): this {
    if (this.#isRef) {
      this.#isRef = false;
      if (this.listening) release();
    }
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
        this.#iterator = deferred();
        await this.#iterator.promise;
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
        if (event.begun) this.#handshakes.add(id);
        else this.#handOut(this.#connection(id));
        return;
      case 'async':
        return this.#connection(id)?.onEvent(event);
      case 'keylog': {
        const connection = this.#connection(id);
        return void (connection && this.emit('keylog', event.message!, connection));
      }
      case 'established': {
        const connection = this.#connection(id);
        connection?.onEvent(event);
        if (this.#handshakes.delete(id)) this.#handOut(connection);
        return;
      }
      case 'failed': {
        registered(id)?.event!(event);
        const error = toError(event.error!);
        if (this.#handshakes.delete(id)) this.emit('tlsClientError', error, event.peer as Address | undefined);
        return;
      }
      case 'listenerFailed':
        this.emit('error', toError(event.error!));
    }
  }

  /** The object of a connection of this server, made when it is first spoken of. */
  #connection(id: number): Connection | undefined {
    const known = this.#byId.get(id);
    if (known) return known;
    const handle = environment.connection(id);
    if (!handle) return undefined;
    const connection = new Connection(handle, this.#settings);
    this.#byId.set(id, connection);
    void connection.closed.then(() => {
      this.#byId.delete(id);
      this.#checkClosed();
    });
    return connection;
  }

  #handOut(connection: Connection | undefined): void {
    if (!connection) return;
    if (this.#closing) return void connection.destroy();
    if (this.listenerCount('connection') > 0) return void this.emit('connection', connection);
    if (this.#waiting.length >= this.#backlog) return void connection.destroy();
    this.#waiting.push(connection);
    this.#iterator?.resolve();
  }

  #checkClosed(): void {
    if (!this.#closing || this.#byId.size > 0) return;
    forget('server', this.#native.id);
    this.#closing.resolve();
    process.nextTick(() => this.emit('close'));
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

function validate(options: ServerOptions): void {
  contextOf(options?.context);
  const { recordIO, truncation } = options;
  if (recordIO !== undefined && recordIO !== 'loop' && recordIO !== 'worker') {
    throw invalidArgument('options.recordIO', "'loop' or 'worker'", recordIO);
  }
  if (recordIO === 'loop' && !environment.hasEventLoop) {
    throw new LibsslAsyncError(
      'UNSUPPORTED',
      "recordIO: 'loop' needs libuv, which this runtime does not offer: use 'worker'",
    );
  }
  if (truncation !== undefined && truncation !== 'error' && truncation !== 'end') {
    throw invalidArgument('options.truncation', "'error' or 'end'", truncation);
  }
  for (const name of ['handshakeTimeout', 'backlog'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value >= 0 && value < 2 ** 32)) {
      throw invalidArgument(`options.${name}`, 'an integer that is not negative', value);
    }
  }
}

function takenTwice(): Error {
  return new LibsslAsyncError(
    'TAKEN_TWICE',
    "connections are taken by iterating or by the event 'connection', not both",
  );
}
