import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import test from 'ava';

const run = promisify(execFile);

test('the nine steps of the manual page come in their order', async (t) => {
  const { stdout } = await run(process.execPath, ['build/examples/man-page.js'], { timeout: 60_000 });
  const steps = stdout.split('\n').flatMap((line) => /^(\d)\. /.exec(line)?.[1] ?? []);
  t.deepEqual(steps, ['1', '2', '3', '4', '5', '6', '7', '8', '9']);
  t.regex(stdout, /status: ok$/m);
});
