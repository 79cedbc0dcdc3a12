import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import test from 'ava';
import { metrics } from 'libssl-async';

import { accepted, dial, serve } from './support/peers.ts';
import { descriptors, eventually, isIdle } from './support/waiting.ts';

/** How many handshakes are paused in a thread that does not answer. */
const PAUSED = 200;

function start(answers: boolean): Worker {
  return new Worker(new URL('./support/worker.js', import.meta.url), { workerData: { answers, handshakes: PAUSED } });
}

async function terminatePaused(): Promise<void> {
  const worker = start(false);
  await once(worker, 'message');
  await worker.terminate();
}

test.serial('a worker thread has an environment of its own, and ends by itself', async (t) => {
  const worker = start(true);
  // Both may come in one turn of the loop.
  const [[greeting], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  t.is(greeting, 'hello');
  t.is(code, 0);
});

test.serial('several environments work side by side', async (t) => {
  const workers = Array.from({ length: 3 }, () => start(true));
  const { server, port } = await serve(t);
  const [ours, greetings] = await Promise.all([
    Promise.all([accepted(server), dial(t, port)]).then(([connection]) => connection),
    Promise.all(workers.map(async (worker) => ((await once(worker, 'message')) as [string])[0])),
    Promise.all(workers.map((worker) => once(worker, 'exit'))),
  ]);
  t.is(ours.protocol, 'TLSv1.3');
  t.deepEqual(greetings, ['hello', 'hello', 'hello']);
});

test.serial('a worker thread may be terminated at once', async (t) => {
  for (let round = 0; round < 10; round++) await start(true).terminate();
  const { server, port } = await serve(t);
  const [ours] = await Promise.all([accepted(server), dial(t, port)]);
  t.is(ours.protocol, 'TLSv1.3');
});

test.serial('a worker thread may be terminated while hundreds of its handshakes are paused', async (t) => {
  await terminatePaused();
  t.true(await eventually(isIdle));
  const before = descriptors();
  for (let round = 0; round < 10; round++) await terminatePaused();
  t.true(await eventually(() => isIdle() && descriptors() <= before), `${descriptors()} in place of ${before}`);
  t.is(metrics().leaked, 0);
});
