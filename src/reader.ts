import { type Deferred, deferred } from './deferred.ts';
import { LibsslAsyncError, abortError, invalidArgument } from './errors.ts';
import { type Operations, onAbort } from './operations.ts';

interface Read {
  readonly target: Uint8Array | undefined;
  readonly resolve: (value: number | Buffer | null) => void;
  readonly reject: (error: Error) => void;
  readonly unsubscribe: () => void;
}

/** The addon has nothing to read yet. */
const WAIT = -1;

/** What reads without a buffer of their own read into, before they are copied out. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** The reading half of a connection. */
export class Reader {
  readonly #operations: Operations;
  readonly #truncation: 'error' | 'end';
  #read: Read | undefined;
  #hasEnded = false;
  #ended: Deferred<void> | undefined;

  constructor(operations: Operations, truncation: 'error' | 'end') {
    this.#operations = operations;
    this.#truncation = truncation;
  }

  read(target: Uint8Array | undefined, signal: AbortSignal | undefined): Promise<number | Buffer | null> {
    if (this.#read) {
      return Promise.reject(new LibsslAsyncError('CONCURRENT_READ', 'a read of this connection is pending'));
    }
    if (target !== undefined && !(target instanceof Uint8Array && target.length > 0)) {
      return Promise.reject(invalidArgument('target', 'a Uint8Array that is not empty', target));
    }
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

  /** Goes on with the read that waits. */
  onReadable(): void {
    if (!this.#read) return;
    const { target } = this.#read;
    const count = this.#try(target);
    // A failure has destroyed the connection, and so has settled the read.
    if (count instanceof Error || count === WAIT) return;
    this.#settle((read) => read.resolve(result(target, count)));
  }

  /** Fails the read that waits: the connection is closed. */
  close(error: Error): void {
    this.#settle((read) => read.reject(error));
    this.#ended?.resolve();
  }

  /** Waits for the end of the peer's direction; drops what comes before it, unless somebody reads. */
  async drain(): Promise<void> {
    while (!this.#hasEnded && !this.#operations.isClosed) {
      if (this.#read) {
        this.#ended ??= deferred();
        await this.#ended.promise;
      } else {
        // What fails the read has closed the connection, which ends this wait.
        await this.read(undefined, undefined).catch(() => null);
      }
    }
  }

  #try(target: Uint8Array | undefined): number | Error {
    if (this.#hasEnded) return 0;
    if (!this.#operations.isOpen) return this.#operations.unusable();
    const count = this.#operations.native.read(target ?? scratch);
    if (count > 0 || count === WAIT) return count;
    if (count < WAIT) {
      const error = this.#operations.takeFailure();
      const isTruncated = 'code' in error && error.code === 'ERR_LIBSSL_ASYNC_TRUNCATED';
      if (!isTruncated || this.#truncation === 'error') {
        this.#operations.destroy(error);
        return error;
      }
    }
    this.#hasEnded = true;
    this.#ended?.resolve();
    return 0;
  }

  #settle(settle: (read: Read) => void): void {
    const read = this.#read;
    if (!read) return;
    this.#read = undefined;
    read.unsubscribe();
    this.#operations.end();
    settle(read);
  }
}

/** What a read of `count` bytes resolves to. */
function result(target: Uint8Array | undefined, count: number): number | Buffer | null {
  if (target) return count;
  return count === 0 ? null : Buffer.from(scratch.subarray(0, count));
}
