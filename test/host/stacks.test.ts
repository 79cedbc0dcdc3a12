// The stacks of jobs in the OpenSSL of this Node: with a guard page and room, if it is 3.2 or newer.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { compileEngine } from './support/accelerator.ts';

const CHILD = fileURLToPath(new URL('support/fibres.js', import.meta.url));
const [major, minor] = process.versions.openssl.split('.').map(Number);
const areOurs = major! > 3 || (major === 3 && minor! >= 2);

test('jobs have guard pages and room, and an overflow ends the process', (t) => {
  const path = compileEngine(t, 'stacks.so');
  if (path === undefined) return;
  const run = (kilobytes: number) =>
    spawnSync(process.execPath, [CHILD, path, String(kilobytes)], { encoding: 'utf8' });

  const sparing = run(8);
  t.is(sparing.status, 0, sparing.stderr);
  const { jobs, guards } = JSON.parse(sparing.stdout) as { jobs: number; guards: number };
  // A job of the first handshake is used again.
  if (areOurs) t.true(guards >= jobs - 1, sparing.stdout);
  else t.is(guards, 0);
  if (!areOurs) return;
  const generous = run(200);
  t.is(generous.status, 0, generous.stderr);
  t.is(run(300).signal, 'SIGSEGV');
});
