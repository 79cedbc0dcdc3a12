import { type Deferred, deferred } from './deferred.ts';
import { LibsslAsyncError, abortError, invalidArgument } from './errors.ts';
import { type Operations, ignore, onAbort } from './operations.ts';

interface Read {
  readonly target: Uint8Array | undefined;
  readonly resolve: (value: number | Buffer | null) => void;
  readonly reject: (error: Error) => void;
  readonly unsubscribe: () => void;
}

/** The addon has nothing to read yet. */
const WAIT = -1;
/** A flag of what the addon returns: there is no more to read before it tells so. */
const DRAINED = 1 << 30;

/** What reads without a buffer of their own read into, before they are copied out. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** The reading half of a connection. */
export class Reader {
  readonly #operations: Operations;
  #truncation: 'error' | 'end';
  #read: Read | undefined;
  #hasEnded = false;
  /** There is nothing to read before the addon tells so. */
  #isDrained = false;
  /** Who waits for the end of the peer's direction. */
  #drained: Deferred<void> | undefined;

  constructor(operations: Operations, truncation: 'error' | 'end') {
    this.#operations = operations;
    this.#truncation = truncation;
  }

  /** Takes an end without `close_notify` for an end. */
  forgiveTruncation(): void {
    this.#truncation = 'end';
  }

  read(target: Uint8Array | undefined, signal: AbortSignal | undefined): Promise<number | Buffer | null> {
    if (this.#read) return Promise.reject(concurrent());
    const unfit = target === undefined ? undefined : check(target);
    if (unfit) return Promise.reject(unfit);
    if (signal?.aborted) return Promise.reject(abortError(signal));
    const count = this.#try(target);
    if (count instanceof Error) return Promise.reject(count);
    if (count !== WAIT) return Promise.resolve(result(target, count));
    return new Promise((resolve, reject) => {
      const abort = (error: Error): void => this.#settle((read) => read.reject(error));
      this.#operations.begin();
      this.#read = { target, resolve, reject, unsubscribe: onAbort(signal, abort) };
    });
  }

  /** Reads whatever is there for a stream, which is told at once or later, without a promise. */
  pull(resolve: (chunk: Buffer | null) => void, reject: (error: Error) => void): void {
    if (this.#read) return reject(concurrent());
    const count = this.#try(undefined);
    if (count instanceof Error) return reject(count);
    if (count !== WAIT) return resolve(result(undefined, count) as Buffer | null);
    this.#operations.begin();
    this.#read = { target: undefined, resolve: resolve as Read['resolve'], reject, unsubscribe: ignore };
  }

  /** Throws if a read waits. */
  checkIdle(): void {
    if (this.#read || this.#drained) throw concurrent();
  }

  /** Goes on with the read that waits. */
  onReadable(): void {
    this.#isDrained = false;
    if (!this.#read) return this.#discard();
    const { target } = this.#read;
    const unfit = target === undefined ? undefined : check(target);
    if (unfit) return this.#settle((read) => read.reject(unfit));
    const count = this.#try(target);
    // A failure has destroyed the connection, and so has settled the read.
    if (count instanceof Error || count === WAIT) return;
    this.#settle((read) => read.resolve(result(target, count)));
  }

  /** Fails the read that waits: the connection is closed. */
  close(): void {
    if (!this.#read && !this.#drained) return;
    const error = this.#operations.unusable();
    if (this.#read) this.#settle((read) => read.reject(error));
    this.#endDrain(error);
  }

  /** Waits for the end of the peer's direction; drops what comes before it and nobody reads. */
  drain(): Promise<void> {
    if (this.#hasEnded) return Promise.resolve();
    if (this.#operations.isClosed) return Promise.reject(this.#operations.unusable());
    if (this.#drained) return this.#drained.promise;
    const { promise } = (this.#drained = deferred());
    this.#operations.begin();
    this.#discard();
    return promise;
  }

  /** Drops what is there, if nobody reads any more. */
  #discard(): void {
    while (this.#drained && !this.#read) {
      const count = this.#try(undefined, true);
      if (count instanceof Error || count === WAIT) return;
    }
  }

  #try(target: Uint8Array | undefined, isDraining = false): number | Error {
    if (this.#hasEnded) return 0;
    if (!this.#operations.isOpen) return this.#operations.unusable();
    if (this.#isDrained) return WAIT;
    const count = this.#operations.native.read(target ?? scratch);
    if (count > 0) {
      this.#isDrained = (count & DRAINED) !== 0;
      this.#operations.idle.touch();
      return count & ~DRAINED;
    }
    if (count === WAIT) return WAIT;
    if (count < WAIT) {
      const error = this.#operations.takeFailure();
      const isTruncated = 'code' in error && error.code === 'ERR_LIBSSL_ASYNC_TRUNCATED';
      // For those who only wait for the end, a FIN is one.
      if (!isTruncated || (this.#truncation === 'error' && !isDraining)) {
        this.#operations.destroy(error);
        return error;
      }
    }
    this.#hasEnded = true;
    this.#endDrain();
    return 0;
  }

  #endDrain(error?: Error): void {
    const drained = this.#drained;
    if (!drained) return;
    this.#drained = undefined;
    this.#operations.end();
    if (error) drained.reject(error);
    else drained.resolve();
  }

  #settle(settle: (read: Read) => void): void {
    const read = this.#read;
    if (!read) return;
    this.#read = undefined;
    read.unsubscribe();
    this.#operations.end();
    settle(read);
    // Whoever reads on does so before.
    if (this.#drained) setImmediate(() => this.#discard());
  }
}

function concurrent(): Error {
  return new LibsslAsyncError('CONCURRENT_READ', 'a read of this connection is pending');
}

/** What is wrong with a target; one that was detached is empty. */
function check(target: Uint8Array): Error | undefined {
  const expected = 'a Uint8Array that is not empty';
  if (!(target instanceof Uint8Array)) return invalidArgument('target', expected, target);
  if (target.length > 0) return undefined;
  return invalidArgument('target', expected, target, 'it is empty, or detached');
}

/** What a read of `count` bytes resolves to. */
function result(target: Uint8Array | undefined, count: number): number | Buffer | null {
  if (target) return count;
  if (count === 0) return null;
  const bytes = Buffer.allocUnsafe(count);
  scratch.copy(bytes, 0, 0, count);
  return bytes;
}
