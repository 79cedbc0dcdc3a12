// A few seconds of what `npm run soak -- --only=chaos` does for long.

import test from 'ava';

import { chaos } from './soak/chaos.ts';

const SECONDS = 5;

test('peers, signer, worker thread and listening socket die under load: each promise is settled, each error has its code', async (t) => {
  const ledger = await chaos(SECONDS);
  for (const row of ledger.rows()) t.log(row.join(' '));
  t.deepEqual(ledger.faults, []);
  t.deepEqual(ledger.pending(), []);
  t.true((ledger.outcomes.get('connect')?.get('ok') ?? 0) > 0);
  t.true(ledger.outcomes.has('killed'));
});
