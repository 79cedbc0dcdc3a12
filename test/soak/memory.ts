// Memory, which must not grow.

import { setTimeout as delay } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';

import { median } from '../../examples/support/table.ts';
import type { Ledger } from './ledger.ts';

export const TENTHS = 10;
/** How much more memory the last tenth may have than the first. */
const TOLERANCE = 1.02;

/** What memory there is, in KiB: of the process, and of it what is not V8's heap. */
export interface Memory {
  readonly resident: number;
  readonly native: number;
}

/** Compares the median of the last tenth with that of the first. */
export function checkMemory(ledger: Ledger, samples: readonly Memory[]): void {
  const tenth = Math.floor(samples.length / TENTHS);
  if (tenth === 0) return;
  for (const kind of ['resident', 'native'] as const) {
    const tenths = Array.from({ length: TENTHS }, (_, index) =>
      median(samples.slice(index * tenth, (index + 1) * tenth).map((memory) => memory[kind])),
    );
    const change = tenths.at(-1)! / tenths[0]!;
    ledger.count(`${kind} memory, KiB`, `${tenths.map(Math.round).join(' ')}: ${((change - 1) * 100).toFixed(2)} %`);
    // V8 gives its heap back when it likes: what it has says nothing of what was lost.
    if (kind === 'native' && change > TOLERANCE) ledger.fault('memory grows');
  }
}

export async function sample(): Promise<Memory> {
  for (let pass = 0; pass < 3; pass++) {
    globalThis.gc?.();
    await delay(20);
  }
  const resident = process.memoryUsage.rss() / 1024;
  return { resident, native: resident - getHeapStatistics().total_physical_size / 1024 };
}
