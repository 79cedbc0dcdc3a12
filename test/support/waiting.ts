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

/** Waits until `condition` holds; returns whether it has. */
export async function eventually(condition: () => boolean, patience = PATIENCE): Promise<boolean> {
  const deadline = performance.now() + patience;
  // What holds once may not hold a moment later: it is looked at once in a turn.
  for (;;) {
    if (condition()) return true;
    if (performance.now() >= deadline) return false;
    await nextTurn();
  }
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
