// A process with one contender, which its argument names.

import { setTimeout as delay } from 'node:timers/promises';

import { answer } from '../examples/support/child.ts';
import { Meter } from '../examples/support/meter.ts';
import type { ContenderName, Listen, ServerHandlers } from './protocol.ts';

const CONTENDERS: Record<ContenderName, () => Promise<{ listen: Listen }>> = {
  'node:tls': () => import('./contenders/node-tls.ts'),
  'libssl-async': () => import('./contenders/libssl-async.ts'),
  'libssl-async/tls': () => import('./contenders/drop-in.ts'),
  'libssl-async, promise key': () => import('./contenders/promise-key.ts'),
};

let meter: Meter;

answer<ServerHandlers>({
  async listen(pair) {
    const { listen } = await CONTENDERS[process.argv[2] as ContenderName]();
    return listen(pair);
  },
  begin() {
    meter = Meter.start();
  },
  end: () => meter.stop(),
  async memory() {
    // Twice, as what the first finds unreachable may hold what finalizers free.
    for (let pass = 0; pass < 2; pass++) {
      globalThis.gc?.();
      await delay(100);
    }
    return process.memoryUsage.rss();
  },
});
