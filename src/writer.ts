import { type Deferred, deferred, unheard } from './deferred.ts';
import { LibsslAsyncError, abortError, invalidArgument } from './errors.ts';
import { type Operations, onAbort } from './operations.ts';

interface Write {
  readonly bytes: Uint8Array;
  readonly done: Deferred<void>;
  readonly unsubscribe: () => void;
}

/** The system has not taken everything yet. */
const WAIT = -1;
/** What has been sent already. */
export const DONE = Promise.resolve();

/** The writing half of a connection. */
export class Writer {
  readonly #operations: Operations;
  /** The first is under way. */
  readonly #writes: Write[] = [];
  #shutdown: Deferred<void> | undefined;
  #isShutDown = false;
  #isForgiven = false;

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  write(data: Uint8Array | string, signal: AbortSignal | undefined): Promise<void> {
    if (typeof data !== 'string' && !(data instanceof Uint8Array)) {
      return Promise.reject(invalidArgument('data', 'a Uint8Array or a string', data));
    }
    if (typeof data !== 'string' && data.length === 0 && isDetached(data.buffer)) {
      return Promise.reject(invalidArgument('data', 'a Uint8Array or a string', data, 'it is detached'));
    }
    if (!this.#operations.isOpen) return unheard(Promise.reject(this.#operations.unusable()));
    if (this.#shutdown) {
      return unheard(Promise.reject(shutDown()));
    }
    if (signal?.aborted) return Promise.reject(abortError(signal));
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    // What has to wait for its turn is copied, as the caller's memory is the caller's again.
    if (this.#writes.length > 0) return this.#enqueue(Buffer.from(bytes), signal);
    const sent = this.#operations.native.write(bytes);
    if (sent === 0) {
      this.#operations.idle.touch();
      return DONE;
    }
    if (sent === WAIT) return this.#enqueue(bytes, signal);
    return unheard(Promise.reject(this.#operations.fail()));
  }

  /** Waits until all writes are sent. Rejects after a shutdown. */
  flush(): Promise<void> {
    if (this.#shutdown) return Promise.reject(shutDown());
    return this.#writes.at(-1)?.done.promise ?? DONE;
  }

  /** Sends `close_notify` behind all writes; a peer that has gone need not be told, if it is `forgiven`. */
  shutdown(forgiven = false): Promise<void> {
    this.#isForgiven ||= forgiven;
    if (!this.#shutdown) {
      this.#shutdown = deferred();
      void unheard(this.#shutdown.promise);
      this.#operations.begin();
      if (this.#writes.length === 0) this.#closeNotify();
    }
    return this.#shutdown.promise;
  }

  /** Bytes that were written and not taken by the system. */
  get length(): number {
    const queued = this.#writes.slice(1).reduce((sum, write) => sum + write.bytes.length, 0);
    return this.#operations.isClosed ? 0 : this.#operations.native.unsent + queued;
  }

  /** Goes on with what waits: the addon has sent what it had. */
  onSent(): void {
    if (this.#operations.isClosed) return;
    if (this.#writes.length > 0) this.#pump();
    else if (this.#shutdown) this.#closeNotify();
  }

  /** Fails what waits: the connection is closed. */
  close(): void {
    if (this.#writes.length === 0 && (!this.#shutdown || this.#isShutDown)) return;
    const error = this.#operations.unusable();
    this.#failFrom(0, error);
    this.#settleShutdown(error);
  }

  #enqueue(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const abort = (error: Error): void => {
      const place = this.#writes.indexOf(write);
      if (place === 0) this.#operations.destroy(error);
      else if (place > 0) this.#failFrom(place, error);
    };
    const write: Write = { bytes, done: deferred(), unsubscribe: onAbort(signal, abort) };
    this.#operations.begin();
    this.#writes.push(write);
    return unheard(write.done.promise);
  }

  /** Ends the write that is under way and begins the next, until one has to wait. */
  #pump(): void {
    let sent = this.#operations.native.send();
    while (sent === 0 && this.#writes.length > 0) {
      const { done, unsubscribe } = this.#writes.shift()!;
      unsubscribe();
      this.#operations.end();
      done.resolve();
      const next = this.#writes[0];
      if (next) sent = this.#operations.native.write(next.bytes);
    }
    if (sent < WAIT) this.#operations.fail();
    else if (this.#writes.length === 0 && this.#shutdown) this.#closeNotify();
  }

  #failFrom(place: number, error: Error): void {
    for (const { done, unsubscribe } of this.#writes.splice(place)) {
      unsubscribe();
      this.#operations.end();
      done.reject(error);
    }
  }

  #closeNotify(): void {
    const sent = this.#operations.native.shutdown();
    if (sent === 0) return this.#settleShutdown();
    if (sent === WAIT) return;
    const failure = this.#operations.takeFailure();
    // What it has said before can still be read.
    if (this.#isForgiven && hasGone(failure)) this.#settleShutdown();
    else this.#operations.destroy(failure);
  }

  #settleShutdown(error?: Error): void {
    if (!this.#shutdown || this.#isShutDown) return;
    this.#isShutDown = true;
    this.#operations.end();
    if (error) this.#shutdown.reject(error);
    else this.#shutdown.resolve();
  }
}

function hasGone(failure: NodeJS.ErrnoException): boolean {
  return failure.code === 'EPIPE' || failure.code === 'ECONNRESET';
}

function shutDown(): Error {
  return new LibsslAsyncError('CLOSED', 'this direction of the connection was shut down');
}

/** Whether memory was transferred away; of newer versions of Node, `ArrayBuffer` says so itself. */
function isDetached(memory: ArrayBufferLike): boolean {
  try {
    void new Uint8Array(memory);
    return false;
  } catch {
    return true;
  }
}
