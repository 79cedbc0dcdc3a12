// A server whose signer takes its time, in a process of its own.

import { createPrivateKey, sign } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

import { createRemoteKey, metrics } from 'libssl-async';

import { answer } from '../examples/support/child.ts';
import { Meter } from '../examples/support/meter.ts';
import { listen as listenWith } from './contenders/libssl-async.ts';
import type { Measurement, Pair } from './protocol.ts';

export type PausedHandlers = {
  listen(pair: Pair): Promise<number>;
  begin(): void;
  end(): Measurement;
  /** How many handshakes are paused, and the resident memory in bytes; after a garbage collection if asked to. */
  look(options: { collect: boolean }): { paused: number; memory: number };
};

const TIME = 1000;
const signInPool = promisify(sign);
let meter: Meter;

answer<PausedHandlers>({
  listen({ key, cert }) {
    const local = createPrivateKey(key);
    const remote = createRemoteKey({
      certificate: cert,
      async sign({ message }) {
        await delay(TIME);
        return signInPool('sha256', message, local);
      },
    });
    return listenWith({ key: remote, cert });
  },
  begin() {
    meter = Meter.start();
  },
  end: () => meter.stop(),
  look({ collect }) {
    if (collect) globalThis.gc?.();
    return { paused: metrics().paused, memory: process.memoryUsage.rss() };
  },
});
