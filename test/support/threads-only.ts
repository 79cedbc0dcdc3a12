// Worker threads load the addon and go, one after the other; the main thread never does. Run by process.test.ts.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

for (let round = 0; round < 3; round++) {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { answers: true } });
  const [code] = (await once(worker, 'exit')) as [number];
  const isThere = /libssl-async(-host)?\.node/.test(readFileSync('/proc/self/maps', 'utf8'));
  console.log(`ended with ${code}, and the addon is ${isThere ? 'there' : 'gone'}`);
}
