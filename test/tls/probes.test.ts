// Each option and event of node:tls that is said to be here does what it does there.

import * as node from 'node:tls';

import test from 'ava';
import * as ours from 'libssl-async/tls';

import { Bench, type Probe, type Tls } from './probes/bench.ts';
import { BEYOND_NODE, EVENTS, PROBES } from './probes/all.ts';

async function observe(tls: unknown, probe: Probe, given: boolean): Promise<unknown> {
  await using bench = new Bench(tls as Tls);
  return await probe(bench, given);
}

for (const [name, probe] of Object.entries(PROBES)) {
  test(name, async (t) => {
    const expected = await observe(node, probe, true);
    t.deepEqual(await observe(ours, probe, true), expected);
    t.notDeepEqual(await observe(ours, probe, false), expected, 'it makes no difference');
  });
}

for (const [name, probe] of Object.entries(EVENTS)) {
  test(name, async (t) => {
    t.deepEqual(await observe(ours, probe, true), await observe(node, probe, true));
  });
}

for (const [name, [expected, probe]] of Object.entries(BEYOND_NODE)) {
  test(`${name}, which Node leaves out of account`, async (t) => {
    t.deepEqual(await observe(ours, probe, true), expected);
    t.notDeepEqual(await observe(ours, probe, false), expected, 'it makes no difference');
  });
}
