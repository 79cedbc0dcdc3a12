// An engine that this package has to poll.

import test from 'ava';
import { loadEngine } from 'libssl-async/host';

import { HANDSHAKES, METHODS, PAUSES, compileEngine, counters } from './support/accelerator.ts';
import { serveClients } from './support/serving.ts';

test('an engine that is polled from outside is', async (t) => {
  const path = compileEngine(t, 'polled.so');
  if (path === undefined) return;
  const engine = await loadEngine({
    path,
    id: 'async-test',
    commands: ['ENABLE_EXTERNAL_POLLING', ['QUEUE', '1024']],
    methods: METHODS,
  });
  const pauses = PAUSES * HANDSHAKES;
  const { growth } = await serveClients(t, HANDSHAKES, 64);
  t.like(growth, { handshakes: HANDSHAKES, failed: 0, pauses, resumes: pauses, callbacks: pauses });
  t.like(counters(engine), { taken: pauses, told: pauses, refused: 0 });
  t.true(counters(engine).polls > 0);
  t.true(engine.stats().polls > 0);
  engine.close();
});
