import { type Listener, type Registration, hold, release } from './environment.ts';
import { LibsslAsyncError, abortError, toError } from './errors.ts';
import type { IdleTimer } from './idle-timer.ts';
import type { NativeConnection } from './native.d.ts';

/** What the reading and the writing half of a connection share. */
export class Operations {
  readonly native: NativeConnection;
  readonly idle: IdleTimer;
  readonly #registration: Registration;
  readonly #connection: Listener & { destroy(error: Error): void };
  #isRef = true;
  /** Operations that are pending, each of which keeps the connection alive, and the process while it is ref'd. */
  #pending = 0;
  #isOpen = false;
  #isClosed = false;
  #failure: Error | undefined;

  constructor(
    native: NativeConnection,
    idle: IdleTimer,
    registration: Registration,
    connection: Listener & { destroy(error: Error): void },
  ) {
    this.native = native;
    this.idle = idle;
    this.#registration = registration;
    this.#connection = connection;
  }

  /** The handshake is done. */
  open(): void {
    this.#isOpen = true;
  }

  close(error: Error | undefined): void {
    this.#isClosed = true;
    this.#failure = error;
    this.idle.stop();
    this.native.destroy();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isClosed;
  }

  /** What ended the connection. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Why nothing can be read or written. */
  unusable(): Error {
    if (!this.#isClosed) return new LibsslAsyncError('NOT_CONNECTED', 'the handshake is not done');
    return this.#failure ?? new LibsslAsyncError('CLOSED', 'the connection is closed');
  }

  /** Destroys the connection for what the addon has just failed with. */
  fail(): Error {
    const error = this.takeFailure();
    this.#connection.destroy(error);
    return error;
  }

  destroy(error: Error): void {
    this.#connection.destroy(error);
  }

  takeFailure(): Error {
    const failure = this.native.takeFailure();
    return failure ? toError(failure) : this.unusable();
  }

  begin(): void {
    if (this.#pending++ > 0) return;
    this.#registration.held = this.#connection;
    if (this.#isRef) hold();
  }

  end(): void {
    if (--this.#pending > 0) return;
    this.#registration.held = undefined;
    if (this.#isRef) release();
  }

  ref(isRef: boolean): void {
    if (this.#isRef === isRef) return;
    this.#isRef = isRef;
    if (this.#pending === 0) return;
    if (isRef) hold();
    else release();
  }
}

/** Calls `action` when `signal` aborts; returns what ends that. */
export function onAbort(signal: AbortSignal | undefined, action: (error: Error) => void): () => void {
  if (!signal) return ignore;
  const listener = (): void => action(abortError(signal));
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

export function ignore(): void {}
