// Measures of the channels of diagnostics.ts, for observers of performance entries.

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { performance } from 'node:perf_hooks';

import type { HandshakeMessage, RequestMessage } from './diagnostics.ts';

const HANDSHAKE = 'libssl-async:handshake';
const REQUEST = 'libssl-async:request';

/** When requests that have no answer yet were made. */
const begun = new WeakMap<RequestMessage, number>();

const SUBSCRIBERS: readonly [channel: string, told: (message: unknown) => void][] = [
  [`${HANDSHAKE}:end`, (message) => onHandshake(message as HandshakeMessage)],
  [`${REQUEST}:start`, (message) => void begun.set(message as RequestMessage, performance.now())],
  [`${REQUEST}:end`, (message) => onRequest(message as RequestMessage)],
  [`${REQUEST}:error`, (message) => onRequest(message as RequestMessage)],
];
let isMeasuring = false;

/** Has observers told from now on, or no more. */
export function measure(on: boolean): void {
  if (on === isMeasuring) return;
  isMeasuring = on;
  for (const [channel, told] of SUBSCRIBERS) (on ? subscribe : unsubscribe)(channel, told);
}

function onHandshake({ connection, time, endTime }: HandshakeMessage): void {
  const { protocol, cipher, sessionReused } = connection!;
  entry(HANDSHAKE, endTime! - time!, endTime!, { protocol, cipher: cipher?.name, sessionReused });
}

function onRequest(message: RequestMessage): void {
  const { operation, scheme, error } = message;
  const start = begun.get(message);
  if (start !== undefined) entry(REQUEST, start, performance.now(), { operation, scheme, failed: error !== undefined });
}

function entry(name: string, start: number, end: number, detail: object): void {
  performance.measure(name, { start: Math.max(start, 0), end, detail });
  // Observers have it. What is kept would grow for as long as the process runs.
  performance.clearMeasures(name);
}
