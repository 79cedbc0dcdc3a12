// A little of what `npm run soak -- --only=callbacks` does for long.

import test from 'ava';

import { callbacks } from './soak/callbacks.ts';

const REQUESTS = 1000;

test('requests are answered or refused as the promises of callbacks say', async (t) => {
  const ledger = await callbacks(REQUESTS);
  for (const row of ledger.rows()) t.log(row.join(' '));
  t.deepEqual(ledger.faults, []);
  t.true((ledger.outcomes.get('answered')?.get('resumed') ?? 0) > 0);
  t.true(ledger.outcomes.has('refused'));
});
