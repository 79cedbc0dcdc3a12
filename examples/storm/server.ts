// A process with one of the two servers; its argument says which.

import { answer } from '../support/child.ts';
import { Meter } from '../support/meter.ts';
import type { Contender, ServerHandlers } from './storm.ts';

let contender: Contender | undefined;
let meter: Meter;

answer<ServerHandlers>({
  async listen(pair) {
    const { listen } =
      process.argv[2] === 'node:tls' ? await import('./node-tls.ts') : await import('./libssl-async.ts');
    contender = await listen(pair);
    return contender.port;
  },
  begin() {
    meter = Meter.start();
  },
  end: () => meter.stop(),
  counts: () => contender?.counts?.(),
});
