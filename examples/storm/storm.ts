// What the processes of the demonstration tell each other.

import type { Measurement } from '../support/meter.ts';

/** A private key and its certificate, in PEM. */
export interface Pair {
  readonly key: string;
  readonly cert: string;
}

/** A server under the storm. */
export interface Contender {
  readonly port: number;
  /** What happened so far; only where there is a remote key. */
  counts?(): Counts;
}

/** What has to be the same at the end: each handshake is one of each. */
export interface Counts {
  readonly handshakes: number;
  readonly pauses: number;
  readonly callbacks: number;
  readonly signatures: number;
  /** Gauges, which end at 0. */
  readonly inFlight: number;
  readonly paused: number;
  /** How often `asyncStatus` was what, when the callback was called. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** Handlers of `server.ts`. */
export type ServerHandlers = {
  listen(pair: Pair): Promise<number>;
  begin(): void;
  end(): Measurement;
  counts(): Counts | undefined;
};

/** Handlers of `clients.ts`. */
export type ClientHandlers = {
  storm(options: StormOptions): Promise<StormResult>;
};

export interface StormOptions {
  readonly port: number;
  readonly cert: string;
  /** Connections at once. */
  readonly connections: number;
  /** How long new connections are made; those under way then are finished. */
  readonly seconds: number;
  /** Bytes that each connection sends and has to get back. */
  readonly bytes: number;
}

export interface StormResult {
  readonly seconds: number;
  /** Connections that got back what they had sent, byte for byte. */
  readonly right: number;
  /** Connections that got something else. */
  readonly wrong: number;
  /** Connections that failed. */
  readonly failed: number;
  /** Why the first of them did. */
  readonly error: string | undefined;
}
