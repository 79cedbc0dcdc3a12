// A worker thread that does not load the addon: it ends, or waits to be terminated.

import { parentPort, workerData } from 'node:worker_threads';

if (!(workerData as { answers: boolean }).answers) {
  setInterval(() => {}, 1000);
  parentPort!.postMessage('waits');
}
