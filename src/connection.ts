import { AsyncResource } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type InspectOptions, inspect } from 'node:util';

import { type Context, contextOf } from './context.ts';
import { type Deferred, deferred, unheard } from './deferred.ts';
import { handshakes } from './diagnostics.ts';
import { ConnectionStream } from './duplex.ts';
import { READABLE, type Registration, SENT, forgetConnection, registerConnection, takenAt } from './environment.ts';
import { LibsslAsyncError, abortError, invalidArgument, toError } from './errors.ts';
import { IdleTimer } from './idle-timer.ts';
import type { NativeClientOptions, NativeConnection, NativeEvent, NativeServer, NativeTrust } from './native.d.ts';
import { Operations, onAbort } from './operations.ts';
import { MOST_MILLISECONDS, integer, optionalInteger } from './options.ts';
import { type AsyncStatus, Peer, statusOf } from './peer.ts';
import { type PskClientCallback, ownKey } from './psk.ts';
import { answer } from './questions.ts';
import { Reader } from './reader.ts';
import type { TransferOptions } from './transfer.ts';
import { type VerifyPeer, verify } from './verify-peer.ts';
import { Writer } from './writer.ts';

/** The events of a {@link Connection} and what their listeners get. */
export interface ConnectionEvents {
  /** The connection has ended; with the error that ended it, if there was one. */
  close: [error: Error | undefined];
  /** A secret, as a line of the key log format; only told to listeners that are there before the handshake begins. */
  keylog: [line: Buffer];
  /** A session of a client, that {@link ConnectOptions.session} resumes; with TLS 1.3 there may be several. */
  session: [session: Buffer];
}

/** How a connection is made; what {@link Connection} and its makers agree on. */
export interface ConnectionSettings {
  /** None for one that was established elsewhere. */
  readonly context: Context | undefined;
  /** The server; none for a client. */
  readonly server: NativeServer | undefined;
  readonly client: NativeClientOptions | undefined;
  /** A client's; servers are asked themselves. */
  readonly verifyPeer?: VerifyPeer | undefined;
  readonly pskCallback?: PskClientCallback | undefined;
  readonly handshakeTimeout: number;
  readonly idleTimeout: number;
  readonly remote: boolean;
  /** By default `'error'`, and `'end'` for streams. */
  readonly truncation: 'error' | 'end' | undefined;
  /** Called once the handshake is done; what it throws ends the connection. */
  readonly onEstablished: ((connection: Connection) => void) | undefined;
  /** Called with the number of a connection that was closed, or garbage collected before. */
  readonly onClosed: ((id: number) => void) | undefined;
}

/** Options of reads, writes and handshakes. */
export interface OperationOptions {
  /** Cancels the operation. */
  signal?: AbortSignal | undefined;
}

/** Options of {@link Connection.shutdown}. */
export interface ShutdownOptions {
  /** Waits until the peer has ended its direction too, and closes then; what it still sends is dropped. Default: `true`. */
  wait?: boolean | undefined;
  /** Milliseconds after which the connection is destroyed. Default: no limit. */
  timeout?: number | undefined;
  /** Destroys the connection. */
  signal?: AbortSignal | undefined;
}

/**
 * A TLS connection, made by {@link connect} or handed out by a {@link Server}.
 *
 * One read is under way at a time; writes may overlap and keep their order. A failed operation ends the connection,
 * unless it says otherwise.
 *
 * What is pending keeps it alive. One that is garbage collected before somebody has closed it is closed, and the process
 * warning `LIBSSL_ASYNC_UNCLOSED` tells of it.
 */
export class Connection extends Peer<ConnectionEvents> {
  /** @internal */
  protected readonly native: NativeConnection;
  /** @internal What those have of it who are told of it and do not keep it alive. */
  readonly registration: Registration<Connection>;
  readonly #settings: ConnectionSettings;
  readonly #operations: Operations;
  readonly #reader: Reader;
  readonly #writer: Writer;
  #handshake: Deferred<void> | undefined;
  #isEstablished = false;
  /** @internal Its handshake was begun by this side. */
  hasBegun = false;
  #idleTimeout: number;
  #callback: (() => void) | undefined;
  #status: AsyncStatus | undefined;
  /** Whom the connection belongs to, if not to its user any more. */
  #owner: string | undefined;
  /** It keeps itself, and the process, alive until it is closed. */
  #isKept = false;
  /** Sessions that nobody was told of. */
  readonly #sessions: Buffer[] = [];
  #hasToldSession = false;

  /** @internal */
  constructor(native: NativeConnection, settings: ConnectionSettings) {
    super();
    this.native = native;
    this.#settings = settings;
    this.registration = registerConnection(native.id, this, settings.onClosed);
    this.#idleTimeout = settings.idleTimeout;
    const idle = idleTimer(native, this.registration);
    this.#operations = new Operations(native, idle, this.registration, this);
    this.#reader = new Reader(this.#operations, settings.truncation ?? 'error');
    this.#writer = new Writer(this.#operations);
    const callback = settings.context && contextOf(settings.context).asyncCallback;
    if (callback) this.setAsyncCallback(callback.fn, callback.arg);
  }

  /**
   * Does the handshake of a connection that was made with `handshake: false`.
   *
   * Rejects with what failed it; the connection is destroyed then. An abort destroys it too. Corresponds to
   * `SSL_do_handshake`.
   */
  handshake({ signal }: OperationOptions = {}): Promise<void> {
    if (this.#operations.isClosed) return Promise.reject(this.#operations.unusable());
    if (this.#handshake) return this.#handshake.promise;
    if (this.#isEstablished) return Promise.resolve();
    if (signal?.aborted) return Promise.reject(abortError(signal));
    const done = this.awaitHandshake(signal);
    const { context, server, client, handshakeTimeout: timeout, remote } = this.#settings;
    const options = {
      ...(client && { client }),
      timeout,
      tells: this.#callback !== undefined,
      secrets: this.listenerCount('keylog') > 0,
      remote,
    };
    this.begin();
    const begun = this.native.handshake(contextOf(context!).native, options, server);
    if (!begun) this.destroy(new LibsslAsyncError('NOT_CONNECTED', 'the connection is not connected yet'));
    return done;
  }

  /** @internal Its handshake begins. */
  begin(): void {
    this.hasBegun = true;
    handshakes.start({ connection: this });
  }

  /** @internal Waits for a handshake, or for a socket to be connected, that was begun elsewhere. */
  awaitHandshake(signal: AbortSignal | undefined): Promise<void> {
    const handshake = deferred<void>();
    this.#handshake = handshake;
    this.#operations.begin();
    const unsubscribe = onAbort(signal, (error) => this.destroy(error));
    void unheard(handshake.promise.finally(unsubscribe));
    return handshake.promise;
  }

  /**
   * Reads into `target`, which is not to be touched meanwhile. Resolves to the number of bytes, 0 at the end.
   *
   * A second read at the same time rejects with `ERR_LIBSSL_ASYNC_CONCURRENT_READ` and harms nothing. An abort loses no
   * bytes, and the connection goes on. Corresponds to `SSL_read_ex`.
   */
  read(target: Uint8Array, options?: OperationOptions): Promise<number>;
  /** Reads whatever is there, at most 64 KiB. Resolves to a buffer of the caller's own, `null` at the end. */
  read(target?: undefined, options?: OperationOptions): Promise<Buffer | null>;
  read(target?: Uint8Array, options?: OperationOptions): Promise<number | Buffer | null> {
    if (this.#owner) return Promise.reject(lockedError(this.#owner));
    return this.#reader.read(target, options?.signal);
  }

  /** Iterates over what is read, to the end; leaving the loop early destroys the connection. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    let finished = false;
    try {
      for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) yield chunk;
      finished = true;
    } finally {
      if (!finished) this.destroy();
    }
  }

  /**
   * Writes all of `data`, a string as UTF-8. Resolves when the system has taken it.
   *
   * Calls may overlap and keep their order; `data` is free again when the call returns. A write that nobody awaits
   * causes no unhandled rejection: the next call fails, and {@link Connection.closed} tells why. Aborted before its turn,
   * it and the writes behind it fail and nothing else; aborted later, the connection is destroyed, as a hole in the
   * stream would be worse. Corresponds to `SSL_write_ex`.
   */
  write(data: Uint8Array | string, options?: OperationOptions): Promise<void> {
    if (this.#owner) return Promise.reject(lockedError(this.#owner));
    return this.#writer.write(data, options?.signal);
  }

  /** Bytes that were written and not taken by the system yet. */
  get writableLength(): number {
    return this.#writer.length;
  }

  /**
   * Ends this direction: what was written is sent, and `close_notify` behind it.
   *
   * Unless `wait` is `false`, waits for the peer to do the same, or to end the TCP connection, and closes then. With
   * `wait: false` reading goes on. When `timeout` is over, rejects with `ERR_LIBSSL_ASYNC_SHUTDOWN_TIMEOUT` and destroys
   * the connection; an abort destroys it too. Corresponds to `SSL_shutdown`.
   */
  async shutdown({ wait = true, timeout, signal }: ShutdownOptions = {}): Promise<void> {
    optionalInteger(timeout, 'timeout', 0, MOST_MILLISECONDS);
    if (this.#owner) throw lockedError(this.#owner);
    if (this.#operations.isClosed) return;
    if (!this.#operations.isOpen) throw this.#operations.unusable();
    if (signal?.aborted) throw abortError(signal);
    const expire = (): void => {
      this.destroy(new LibsslAsyncError('SHUTDOWN_TIMEOUT', `the peer did not end the connection in ${timeout} ms`));
    };
    const timer = timeout === undefined ? undefined : setTimeout(expire, timeout);
    const unsubscribe = onAbort(signal, (error) => this.destroy(error));
    try {
      await this.#writer.shutdown();
      if (!wait) return;
      await this.#reader.drain();
      this.destroy();
    } finally {
      clearTimeout(timer);
      unsubscribe();
    }
  }

  /**
   * Ends the connection at once, whatever it does; safe while its handshake is paused.
   *
   * Pending operations fail with `error`, or with `ERR_LIBSSL_ASYNC_CLOSED`.
   */
  destroy(error?: Error): this {
    if (this.#operations.isClosed) return this;
    this.#tellLastSession();
    this.#operations.close(error);
    if (this.#isKept) this.#operations.end();
    forgetConnection(this.registration);
    if (this.hasBegun && !this.#isEstablished)
      handshakes.error({ connection: this, error: this.#operations.unusable() });
    if (this.#handshake) this.#settleHandshake(this.#operations.unusable());
    this.#reader.close();
    this.#writer.close();
    this.registration.closed?.resolve(error);
    process.nextTick(emitClose, this, error);
    this.#settings.onClosed?.(this.registration.id);
    return this;
  }

  /**
   * Resolves when the connection has ended: to the error that ended it, or to `undefined`. Never rejects.
   *
   * For a connection that was garbage collected, the error is `ERR_LIBSSL_ASYNC_UNCLOSED`.
   */
  get closed(): Promise<Error | undefined> {
    if (this.registration.closed) return this.registration.closed.promise;
    const closed = (this.registration.closed = deferred());
    if (this.#operations.isClosed) closed.resolve(this.#operations.failure);
    return closed.promise;
  }

  /**
   * Milliseconds without a byte sent or received after which the connection is destroyed with
   * `ERR_LIBSSL_ASYNC_IDLE_TIMEOUT`; 0 for no limit.
   *
   * They begin when the handshake is done, and anew when this is set.
   */
  get idleTimeout(): number {
    return this.#idleTimeout;
  }

  /** Sets it, and begins to count. Throws if it is no integer from 0 to 2147483647. */
  set idleTimeout(milliseconds: number) {
    this.#idleTimeout = integer(milliseconds, 'idleTimeout', 0, MOST_MILLISECONDS);
    if (this.#operations.isOpen) this.#operations.idle.start(this.#idleTimeout);
  }

  /** @internal Called when that time is over. */
  onIdle(): void {
    this.destroy(new LibsslAsyncError('IDLE_TIMEOUT', `nothing was sent or received for ${this.#idleTimeout} ms`));
  }

  /** @internal The error that ended it. */
  get failure(): Error | undefined {
    return this.#operations.failure;
  }

  /** Whether the connection has ended. */
  get destroyed(): boolean {
    return this.#operations.isClosed;
  }

  /** Destroys the connection and waits until it has ended; never sends `close_notify`, as a scope may end by an error. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.destroy();
    await this.closed;
  }

  /** Has pending operations keep the process alive, as they do unless {@link Connection.unref} was called. */
  ref(): this {
    this.#operations.ref(true);
    return this;
  }

  /** Lets the process end although operations are pending. */
  unref(): this {
    this.#operations.ref(false);
    return this;
  }

  /**
   * Has `fn(connection, arg)` called whenever a source has completed an operation of this connection, in place of the
   * context's callback: on the JavaScript thread, after the wake-up is stored.
   *
   * It is told of operations of a handshake that begins later. What it throws is an uncaught exception, and harms no
   * connection. Corresponds to `SSL_set_async_callback` and `SSL_set_async_callback_arg`.
   */
  setAsyncCallback<T>(fn: (connection: Connection, arg: T) => void, arg: T): this {
    if (typeof fn !== 'function') throw invalidArgument('fn', 'a function', fn);
    this.#callback = AsyncResource.bind(() => fn(this, arg), 'libssl-async.AsyncCallback');
    return this;
  }

  /** What became of the last asynchronous operation; `undefined` before the first. Corresponds to `SSL_get_async_status`. */
  get asyncStatus(): AsyncStatus | undefined {
    return this.#status ?? statusOf(this.native.asyncStatus);
  }

  /**
   * A stream over this connection, whose own reads, writes and shutdowns are locked from then on.
   *
   * A TCP connection that ends without `close_notify` is the end of the stream, as for node:tls, unless the option
   * `truncation` was given.
   */
  toDuplex(): Duplex {
    return this.streamInto(new ConnectionStream());
  }

  /**
   * Gives the connection up for another thread of this process, which takes it by {@link claimConnection} with the token that
   * this resolves to: `worker.postMessage(await connection.transfer())`. TLS goes on there where it was here, and what was
   * received and not read goes along. Events are told where the connection is; a session that comes on its way only
   * `getSession()` tells.
   *
   * Waits until all writes are sent. Here the connection is closed then, without the peer being told. Rejects while a read
   * is pending, before the handshake is done, after {@link Connection.shutdown} and `toDuplex()`, and harms nothing. If
   * nobody claims the connection in time, it is closed, and its descriptor is free.
   */
  async transfer({ timeout = 10_000 }: TransferOptions = {}): Promise<string> {
    integer(timeout, 'options.timeout', 0, MOST_MILLISECONDS);
    if (this.#owner) throw lockedError(this.#owner);
    if (!this.#operations.isOpen) throw this.#operations.unusable();
    this.#reader.checkIdle();
    this.#owner = 'another thread since transfer()';
    try {
      await this.#writer.flush();
    } catch (error) {
      this.#owner = undefined;
      throw error;
    }
    const token = randomUUID();
    if (!this.native.transfer(token, timeout, this.trust)) throw this.#operations.unusable();
    this.destroy();
    return token;
  }

  /** @internal It was established elsewhere. */
  resume(trust: NativeTrust): void {
    this.trust = trust;
    this.#onEstablished();
  }

  /** What `util.inspect` and `console.log` show: the state, and no secrets. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { protocol, servername, alpnProtocol, authorized, sessionReused, asyncStatus, remoteAddress, destroyed } =
      this;
    const state = { protocol, cipher: this.cipher?.name, servername, alpnProtocol, authorized, sessionReused };
    return `Connection ${inspect({ ...state, asyncStatus, remoteAddress, destroyed }, options)}`;
  }

  /** @internal Gives a stream this connection, which belongs to it from then on. */
  streamInto<Stream extends ConnectionStream>(stream: Stream): Stream {
    if (this.#owner) throw lockedError(this.#owner);
    this.#owner = 'a stream since toDuplex()';
    if (this.#settings.truncation === undefined) this.#reader.forgiveTruncation();
    stream.attach({ connection: this, reader: this.#reader, writer: this.#writer });
    return stream;
  }

  /** @internal Whether small writes are sent at once; `false` while a worker has the socket. */
  setNoDelay(noDelay: boolean): boolean {
    return this.native.setNoDelay(noDelay);
  }

  /** @internal Has the system probe a silent peer; `false` while a worker has the socket. */
  setKeepAlive(keepAlive: boolean, initialDelay: number): boolean {
    return this.native.setKeepAlive(keepAlive, initialDelay);
  }

  /** @internal Has the peer be told of the end by a reset. */
  resetOnClose(): boolean {
    return this.native.resetOnClose();
  }

  /** @internal Has the connection keep itself and the process alive until it is closed, as sockets of Node do. */
  keep(): void {
    if (this.#isKept || this.#operations.isClosed) return;
    this.#isKept = true;
    this.#operations.begin();
  }

  /** @internal What the environment tells. */
  onEvent(event: NativeEvent): void {
    switch (event.type) {
      case 'async':
        this.#status = statusOf(event.status);
        return this.#callback?.();
      case 'connected':
        return this.#settleHandshake();
      case 'established':
        return this.#onEstablished(event);
      case 'failed':
        return void this.destroy(toError(event.error!));
      case 'session':
        return this.#onSession(event.message!);
      case 'keylog':
        return void this.emit('keylog', event.message!);
      case 'verify':
        return answer(event, (signal) => verify(event, signal, this.#settings.verifyPeer, this));
      case 'psk':
        return answer(event, (signal) => ownKey(event, signal, this.#settings.pskCallback, this));
    }
  }

  /** `event` tells of its handshake; none if that was done in another thread. */
  #onEstablished(event?: NativeEvent): void {
    this.#isEstablished = true;
    this.#status = undefined;
    this.#operations.open();
    this.#operations.idle.start(this.#idleTimeout);
    try {
      this.#settings.onEstablished?.(this);
    } catch (error) {
      return void this.destroy(error as Error);
    }
    if (event) handshakes.end({ connection: this, time: event.time, endTime: takenAt - event.age! });
    this.#settleHandshake();
    if (this.#sessions.length > 0) setImmediate(() => this.#tellSessions());
  }

  /** Keeps a session until those who await the handshake have had the time to listen. */
  #onSession(session: Buffer): void {
    if (this.#sessions.push(session) === 1 && this.#isEstablished) setImmediate(() => this.#tellSessions());
  }

  #tellSessions(): void {
    for (const session of this.#sessions.splice(0)) {
      this.#hasToldSession = true;
      this.emit('session', session);
    }
  }

  /** A connection that ends may have a session that is still on its way to those who listen. */
  #tellLastSession(): void {
    if (!this.#isEstablished || this.#hasToldSession || !this.#settings.client || this.listenerCount('session') === 0)
      return;
    const last = this.#sessions.splice(0).at(-1) ?? this.getSession();
    if (!last) return;
    this.#sessions.push(last);
    process.nextTick(() => this.#tellSessions());
  }

  /** @internal What the environment tells of reads and writes. */
  onNews(news: number): void {
    this.#operations.idle.touch();
    if (news & READABLE) this.#reader.onReadable();
    if (news & SENT) this.#writer.onSent();
  }

  #settleHandshake(error?: Error): void {
    const handshake = this.#handshake;
    if (!handshake) return;
    this.#handshake = undefined;
    this.#operations.end();
    if (error) handshake.reject(error);
    else handshake.resolve();
  }
}

/** Made where nothing else refers to the connection. */
function idleTimer(native: NativeConnection, registration: Registration<Connection>): IdleTimer {
  return new IdleTimer(native, () => registration.listener?.onIdle());
}

function emitClose(connection: Connection, error: Error | undefined): void {
  connection.emit('close', error);
}

function lockedError(owner: string): Error {
  return new LibsslAsyncError('LOCKED', `the connection belongs to ${owner}`);
}
