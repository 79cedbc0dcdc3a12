// Handshakes that the asynchronous test engine computes, in the OpenSSL of this Node.

import test from 'ava';
import { loadEngine, versions } from 'libssl-async/host';

import { HANDSHAKES, METHODS, PAUSES, compileEngine, counters } from './support/accelerator.ts';
import { serveClients } from './support/serving.ts';

test.serial('an engine computes, and its callbacks, descriptors and silence resume', async (t) => {
  const path = compileEngine(t, 'async-test.so');
  if (path === undefined) return;
  // Its name, as each test file has a process of its own that may load it once.
  const engine = await loadEngine({ path, methods: METHODS });
  t.is(engine.id, 'async-test');
  t.is(engine.name, 'asynchronous test engine');
  t.like(
    engine.commands().find(({ name }) => name === 'QUEUE'),
    { input: 'number', description: 'Requests in flight at most' },
  );

  const pauses = PAUSES * HANDSHAKES;
  const told = await serveClients(t, HANDSHAKES, 64);
  t.like(told.growth, {
    handshakes: HANDSHAKES,
    failed: 0,
    pauses,
    resumes: pauses,
    callbacks: pauses,
    againRetries: 0,
  });
  t.deepEqual(told.statuses, new Set(['ok']));
  t.is(told.callbacks, pauses);
  t.like(counters(engine), { taken: pauses, told: pauses, callbacks: pauses, refused: 0, inFlight: 0 });
  t.is(engine.stats().inFlight, 0);

  engine.control('QUEUE', 8);
  const refused = await serveClients(t, HANDSHAKES, 256);
  t.like(refused.growth, { handshakes: HANDSHAKES, failed: 0, callbacks: pauses });
  const again = refused.growth.againRetries;
  t.true(again > 0);
  t.is(refused.growth.pauses, pauses + again);
  t.like(counters(engine), { taken: 2 * pauses, told: 2 * pauses, refused: again });
  engine.control('QUEUE', 1024);

  engine.control('NOTIFY', 'descriptor');
  const described = await serveClients(t, HANDSHAKES, 64);
  t.like(described.growth, { handshakes: HANDSHAKES, failed: 0, pauses, resumes: pauses, callbacks: 0 });
  t.like(counters(engine), { taken: 3 * pauses, told: 3 * pauses, callbacks: 2 * pauses });

  engine.control('NOTIFY', 'callback');
  engine.control('FAIL', 1);
  const failed = await serveClients(t, 1, 1, 1);
  t.like(failed.growth, { handshakes: 0, failed: 1 });
  t.is((await serveClients(t, 10, 10)).growth.handshakes, 10);

  engine.close();
  t.throws(() => engine.id, { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
  t.is(versions.build, 'host');
});
