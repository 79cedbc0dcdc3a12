// What the benchmarks' processes of Node tell each other.

import type { Measurement } from '../examples/support/meter.ts';

export type { Measurement };

export const CONTENDERS = ['node:tls', 'libssl-async', 'libssl-async/tls', 'libssl-async, promise key'] as const;
export type ContenderName = (typeof CONTENDERS)[number];

export const KEY_TYPES = ['P-256', 'RSA-2048'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** A private key and its certificate, in PEM. */
export interface Pair {
  readonly key: string;
  readonly cert: string;
}

/** What all contenders are given; the clients insist on it. */
export const SETTINGS = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_256_GCM_SHA384',
  ecdhCurve: 'X25519',
} as const;

/** Makes a server that echoes what it gets; resolves to its port. */
export type Listen = (pair: Pair) => Promise<number>;

/** Handlers of `server.ts`. */
export type ServerHandlers = {
  listen(pair: Pair): Promise<number>;
  begin(): void;
  end(): Measurement;
  /** Resident memory after a garbage collection, in bytes. */
  memory(): Promise<number>;
};
