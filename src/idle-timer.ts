import type { NativeConnection } from './native.d.ts';

/** Notices that nothing moves on a connection. It keeps neither the process alive nor the connection. */
export class IdleTimer {
  readonly #native: NativeConnection;
  readonly #expire: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** Bytes that were not sent when somebody last looked. */
  #unsent = 0;
  #hasMoved = false;

  /** `expire` must not refer to the connection strongly. */
  constructor(native: NativeConnection, expire: () => void) {
    this.#native = native;
    this.#expire = expire;
  }

  /** Begins to watch, anew if it did so before; for 0 milliseconds it does not. */
  start(milliseconds: number): void {
    this.stop();
    if (milliseconds > 0) this.#timer = setTimeout(() => this.#look(), milliseconds).unref();
  }

  /** Something has moved. */
  touch(): void {
    this.#hasMoved = true;
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const { unsent } = this.#native;
    // A long write tells of its end alone: whether it goes on shows in what is left of it.
    if (unsent !== this.#unsent) {
      this.#unsent = unsent;
      return this.touch();
    }
    // An event loop that was busy for so long has not looked at its sockets yet.
    this.#hasMoved = false;
    const timer = this.#timer;
    setImmediate(() => {
      if (timer && timer === this.#timer && !this.#hasMoved) this.#expire();
    });
  }
}
