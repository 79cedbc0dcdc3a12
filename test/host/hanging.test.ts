// An engine that never answers keeps no process.

import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { start } from '../support/programs.ts';
import { compileEngine } from './support/accelerator.ts';

const program = fileURLToPath(new URL('./support/hanging.js', import.meta.url));

for (const [what, code, said] of [
  ['exit', 7, ''],
  ['unref', 0, '20 are paused\n'],
  ['timeout', 0, 'ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT; 0 drained\n'],
  ['close', 0, 'closed: 0 drained, 20 left; of all 20\n'],
] as const) {
  test.serial(`a process ends with handshakes that its engine never completes: ${what}`, async (t) => {
    const path = compileEngine(t, 'hanging.so');
    if (path === undefined) return;
    const child = start(t, process.execPath, ['--enable-source-maps', program, path, what]);
    const [output, complaints, [ended]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null]>,
    ]);
    t.is(output, said, complaints);
    t.is(complaints, '');
    t.is(ended, code);
  });
}
