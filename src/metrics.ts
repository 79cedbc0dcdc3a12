import { native } from './binding.ts';

/** What the worker pool of the process has done, for all its environments. */
export interface Metrics {
  /** Handshakes that succeeded. */
  readonly handshakes: number;
  /** Handshakes that failed or were given up. */
  readonly failed: number;
  /** Handshakes that were refused, as too many were under way and waiting; they count nowhere else. */
  readonly refused: number;
  /** Times that a job paused (`SSL_ERROR_WANT_ASYNC`). */
  readonly pauses: number;
  /** Times that a paused job was resumed. */
  readonly resumes: number;
  /** Times that a source called the asynchronous callback. */
  readonly callbacks: number;
  /** Requests submitted again after `ASYNC_STATUS_EAGAIN`. */
  readonly againRetries: number;
  /** Operations that waited for a free job (`SSL_ERROR_WANT_ASYNC_JOB`). */
  readonly jobWaits: number;
  /** Connections that were given up while paused and whose jobs have ended since. */
  readonly drained: number;
  /** Connections that were given up while paused on a source that never answered; left allocated on purpose. */
  readonly leaked: number;
  /** Gauge: handshakes that have begun and not ended. */
  readonly inFlight: number;
  /** Gauge: those of them that wait for their turn. */
  readonly waiting: number;
  /** Gauge: jobs that are paused now. */
  readonly paused: number;
  /** How long pauses took. */
  readonly pauseTime: Histogram;
}

/** How many things took how long. */
export interface Histogram {
  /** The upper bounds of the buckets, in milliseconds; the last bucket has none. */
  readonly bounds: readonly number[];
  /** How many fell into each bucket: one more than there are bounds. */
  readonly counts: readonly number[];
  /** Milliseconds that all of them took together. */
  readonly sum: number;
}

/** What a private key was asked, and how that ended. `inFlight` and `waiting` are gauges, the other numbers only grow. */
export interface KeyStats {
  /** Requests to sign or to decrypt. */
  readonly requests: number;
  /** Those that were answered, in time and rightly. */
  readonly answered: number;
  /** Those that failed: the signer threw or rejected, or its answer was none. */
  readonly failed: number;
  /** Those that nobody wanted any more: the connection went away. */
  readonly cancelled: number;
  /** Those without an answer within the key's `timeout`. */
  readonly timedOut: number;
  /** Gauge: those that have not ended yet. */
  readonly inFlight: number;
  /** Gauge: those of them that wait for their turn: the signer has as many as it may. */
  readonly waiting: number;
  /** How long it took until they were answered, the time they waited included. */
  readonly time: Histogram;
}

/** A snapshot of the counters, which only grow, and of the gauges. */
export function metrics(): Metrics {
  return native.metrics();
}
