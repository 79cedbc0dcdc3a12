// A little of what `npm run soak -- --only=hanging` does for long; with an engine where Node's OpenSSL is used.

import test from 'ava';
import { configure } from 'libssl-async';

import { hanging } from './soak/hanging.ts';

const CLIENTS = 200;

configure({ drainTimeout: 1000 });

test('of handshakes whose signer hangs for one in a hundred, the others succeed', async (t) => {
  const ledger = await hanging(CLIENTS);
  for (const row of ledger.rows()) t.log(row.join(' '));
  t.deepEqual(ledger.faults, []);
});
