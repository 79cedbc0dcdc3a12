// What became of counters, of whichever build.

import type { Metrics } from 'libssl-async';

export type Growth = Omit<Metrics, 'pauseTime'>;

/** By how much the counters have grown. */
export function difference(before: Metrics, later: Metrics): Growth {
  const { pauseTime: _, ...after } = later;
  const names = Object.keys(after) as (keyof Growth)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as Growth;
}
