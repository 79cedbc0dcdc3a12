import { setInterval, setTimeout as delay } from 'node:timers/promises';

import { Child } from '../examples/support/child.ts';
import type { Measurement } from '../examples/support/meter.ts';
import { table } from '../examples/support/table.ts';
import { issue } from '../test/support/certificates.ts';
import { onCore } from './cores.ts';
import { Load } from './load.ts';
import type { PausedHandlers } from './paused-server.ts';

/** A storm of handshakes whose signer answers after a second. */
export interface PausedResult {
  readonly connections: number;
  readonly succeeded: number;
  /** The most that were paused at once. */
  readonly paused: number;
  /** Resident memory that each of these took, in bytes. */
  readonly bytes: number;
  readonly idle: Measurement['loop'];
  readonly storm: Measurement['loop'];
}

/** Milliseconds between two looks at how many handshakes are paused. */
const LOOK = 25;

/** Has so many handshakes paused at once, and compares the event loop meanwhile with the idle one just before. */
export async function measurePaused(connections: number): Promise<PausedResult> {
  const server = new Child<PausedHandlers>(new URL('paused-server.js', import.meta.url), {
    nodeArgs: ['--expose-gc'],
    prefix: onCore(0),
  });
  const load = new Load();
  const { key, cert } = issue();
  const port = await server.ask('listen', { key, cert });
  // What a process has only once.
  await load.run({ kind: 'idle', port, cert, connections: 16, seconds: 0 });
  const { memory } = await server.ask('look', { collect: true });
  await server.ask('begin');
  await delay(2000);
  const { loop: idle } = await server.ask('end');

  await server.ask('begin');
  let most = { paused: 0, memory };
  const watching = new AbortController();
  const watched = (async () => {
    for await (const _ of setInterval(LOOK, undefined, { signal: watching.signal })) {
      const now = await server.ask('look', { collect: false });
      if (now.paused > 0 && now.paused >= most.paused) most = now;
    }
  })().catch(() => {});
  const { operations } = await load.run({ kind: 'idle', port, cert, connections, seconds: 0 });
  watching.abort();
  await watched;
  const { loop } = await server.ask('end');
  load.stop();
  await server.stop();
  const bytes = (most.memory - memory) / most.paused;
  return { connections, succeeded: operations, paused: most.paused, bytes, idle, storm: loop };
}

export function pausedTableOf({ connections, succeeded, paused, bytes, idle, storm }: PausedResult): string {
  return table([
    ['handshakes whose signer takes 1 s', 'succeeded', 'paused at once', 'KiB each', 'loop p99 ms', 'idle', '× idle'],
    [
      String(connections),
      String(succeeded),
      String(paused),
      (bytes / 1024).toFixed(1),
      storm.p99.toFixed(1),
      idle.p99.toFixed(1),
      (storm.p99 / idle.p99).toFixed(2),
    ],
  ]);
}
