// Worker threads that load the addon and go: by themselves, or terminated with handshakes paused.

import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

import { metrics } from 'libssl-async';

import { descriptors, eventually, isIdle } from '../support/waiting.ts';
import { Ledger } from './ledger.ts';

const AT_ONCE = 8;
/** How much more memory there may be at the end than after the first tenth, beside what Node's own threads cost. */
const TOLERANCE = 1.05;

/** What a worker thread runs. */
interface Program {
  readonly what: string;
  readonly url: URL;
}

const HANDSHAKES: Program = { what: 'worker threads', url: new URL('../support/worker.js', import.meta.url) };
const NOTHING: Program = { what: 'threads that load nothing', url: new URL('idle-worker.js', import.meta.url) };

/** Starts so many, a few at once. */
export async function environments(count: number): Promise<Ledger> {
  const ledger = new Ledger();
  // Node itself has more memory after threads that load nothing: as much more is nobody's leak.
  await run(ledger, Math.max(count / 10, AT_ONCE), NOTHING);
  const before = process.memoryUsage.rss();
  await run(ledger, count, NOTHING);
  const grown = Math.max(process.memoryUsage.rss() - before, 0);
  await run(ledger, Math.max(count / 10, AT_ONCE));
  const first = await sample(ledger);
  await run(ledger, count);
  const last = await sample(ledger);
  for (const name of ['descriptors', 'threads'] as const) {
    if (last[name] > first[name]) ledger.fault(`${last[name]} ${name} in place of ${first[name]}`);
  }
  if (last.memory - grown > first.memory * TOLERANCE) ledger.fault('memory grows');
  if (last.mapped !== first.mapped || last.mapped === 0) ledger.fault('the addon was unloaded');
  if (metrics().leaked > 0) ledger.fault(`${metrics().leaked} leaked`);
  return ledger;
}

async function run(ledger: Ledger, count: number, program = HANDSHAKES): Promise<void> {
  let begun = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (begun < count) await (begun++ % 2 === 0 ? ends(ledger, program) : isTerminated(ledger, program));
    }),
  );
}

async function ends(ledger: Ledger, { url, what }: Program): Promise<void> {
  const worker = start(ledger, url, true);
  const [code] = (await once(worker, 'exit')) as [number];
  ledger.count(what, `ended by themselves with ${code}`);
}

async function isTerminated(ledger: Ledger, { url, what }: Program): Promise<void> {
  const worker = start(ledger, url, false);
  await once(worker, 'message');
  await worker.terminate();
  ledger.count(what, 'terminated');
}

function start(ledger: Ledger, url: URL, answers: boolean): Worker {
  const worker = new Worker(url, { workerData: { answers } });
  return worker.on('error', (error) => ledger.fault(`worker thread: ${error.stack}`));
}

async function sample(ledger: Ledger): Promise<Record<'descriptors' | 'mapped' | 'memory' | 'threads', number>> {
  if (!(await eventually(isIdle))) ledger.fault(`not idle: ${JSON.stringify(metrics())}`);
  globalThis.gc?.();
  const now = {
    descriptors: descriptors(),
    threads: readdirSync('/proc/self/task').length,
    memory: process.memoryUsage.rss(),
    mapped: readFileSync('/proc/self/maps', 'utf8').split('libssl-async.node').length - 1,
  };
  ledger.count(
    'process',
    `${now.descriptors} descriptors, ${now.threads} threads, ${(now.memory / 2 ** 20).toFixed(0)} MiB`,
  );
  return now;
}
