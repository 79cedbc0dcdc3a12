// A server with a limit of handshakes, in a process of its own.

import { createPrivateKey, sign } from 'node:crypto';
import { promisify } from 'node:util';

import { createRemoteKey, metrics } from 'libssl-async';

import { answer } from '../examples/support/child.ts';
import { Meter } from '../examples/support/meter.ts';
import { listen as listenWith } from './contenders/libssl-async.ts';
import type { Measurement, Pair } from './protocol.ts';

export type StormHandlers = {
  listen(options: Pair & { maxHandshakes: number }): Promise<number>;
  begin(): void;
  end(): Measurement & { refused: number; handshakes: number };
};

const signInPool = promisify(sign);
let meter: Meter;
let before: ReturnType<typeof metrics>;

answer<StormHandlers>({
  listen({ key, cert, maxHandshakes }) {
    const local = createPrivateKey(key);
    const remote = createRemoteKey({
      certificate: cert,
      sign: ({ message }) => signInPool('sha256', message, local),
    });
    return listenWith({ key: remote, cert }, { maxHandshakes });
  },
  begin() {
    before = metrics();
    meter = Meter.start();
  },
  end() {
    const { refused, handshakes } = metrics();
    return { ...meter.stop(), refused: refused - before.refused, handshakes: handshakes - before.handshakes };
  },
});
