// Waiting for what tells nobody: in turns of the event loop, never by the clock.

import { readdirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

import { metrics } from 'libssl-async';

/** Lets the event loop turn so many times. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** How long {@link eventually} goes on by default, in milliseconds: only tests that fail come near it. */
const PATIENCE = 20_000;

/** Waits until `condition` holds; returns whether it does in the end. */
export async function eventually(condition: () => boolean, patience = PATIENCE): Promise<boolean> {
  const deadline = performance.now() + patience;
  while (!condition() && performance.now() < deadline) await nextTurn();
  return condition();
}

/** Whether no handshake runs in this process. */
export function isIdle(): boolean {
  const { inFlight, paused } = metrics();
  return inFlight === 0 && paused === 0;
}

/** The open descriptors of this process. */
export function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
