// A listener that accepts nobody, run by `deafListener`: its queue fills up, and Linux drops what comes then.

import { writeSync } from 'node:fs';
import { createServer } from 'node:net';

const [host, port] = process.argv.slice(2);
createServer().listen({ host, port: Number(port), backlog: 1 }, () => {
  writeSync(1, 'ready');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
