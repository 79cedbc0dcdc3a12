/** The timer behind `socket.setTimeout()`: it tells of silence, and keeps nothing alive. */
export class SilenceTimer {
  readonly #tell: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** Milliseconds; 0 for none. */
  milliseconds = 0;

  constructor(tell: () => void) {
    this.#tell = tell;
  }

  start(milliseconds: number): void {
    this.stop();
    this.milliseconds = milliseconds;
    if (milliseconds > 0) this.#timer = setTimeout(this.#tell, milliseconds).unref();
  }

  /** Something was sent or received. */
  touch(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
