import { readFileSync } from 'node:fs';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** What a process has spent between {@link Meter.start} and {@link Meter.stop}. */
export interface Measurement {
  readonly seconds: number;
  /** CPU time of all threads, in microseconds. */
  readonly cpu: number;
  /** CPU time of the JavaScript thread, in microseconds; only where the system tells it. */
  readonly mainThread: number | undefined;
  /** Milliseconds from one tick of a timer of 10 ms to the next: 10 is an event loop that has nothing else to do. */
  readonly loop: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Measures the process that it is in. */
export class Meter {
  readonly #begun = performance.now();
  readonly #cpu = process.cpuUsage();
  readonly #mainThread = mainThreadMicroseconds();
  readonly #delay: IntervalHistogram;

  private constructor() {
    // At a finer resolution, the loop's ordinary messages are all that shows.
    this.#delay = monitorEventLoopDelay({ resolution: 10 });
    this.#delay.enable();
  }

  static start(): Meter {
    return new Meter();
  }

  stop(): Measurement {
    const { user, system } = process.cpuUsage(this.#cpu);
    const mainThread = mainThreadMicroseconds();
    this.#delay.disable();
    const milliseconds = (percentile: number): number => this.#delay.percentile(percentile) / 1e6;
    return {
      seconds: (performance.now() - this.#begun) / 1000,
      cpu: user + system,
      mainThread: mainThread === undefined ? undefined : mainThread - this.#mainThread!,
      loop: { p50: milliseconds(50), p99: milliseconds(99), max: milliseconds(100) },
    };
  }
}

/** Of newer versions of Node. */
type ThreadCpuUsage = () => NodeJS.CpuUsage;

function mainThreadMicroseconds(): number | undefined {
  const { threadCpuUsage } = process as { threadCpuUsage?: ThreadCpuUsage };
  if (threadCpuUsage) {
    const { user, system } = threadCpuUsage();
    return user + system;
  }
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
    return Number(nanoseconds) / 1000;
  } catch {
    return undefined;
  }
}
