import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

function start(t: ExecutionContext, what: string): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const program = fileURLToPath(new URL('./support/child.js', import.meta.url));
  const child = spawn(process.execPath, [program, what], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

for (const what of ['idle', 'unref']) {
  test(`a process ends when nothing it is to wait for is left: ${what}`, async (t) => {
    const child = start(t, what);
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    t.is(output, 'nothing left\n');
    t.is(code, 0);
  });
}

for (const [what, said] of [
  ['listening', ''],
  ['ref', 'read go\n'],
  ['closing', 'closed\n'],
] as const) {
  test(`a process stays while something is pending: ${what}`, async (t) => {
    const child = start(t, what);
    const output = text(child.stdout);
    await once(child.stdout, 'readable');
    // It would say "nothing left" before "go" reaches it.
    const other = start(t, 'idle');
    await Promise.all([text(other.stdout), once(other, 'exit')]);
    child.stdin!.write('go');
    const [code] = (await once(child, 'exit')) as [number];
    t.is(await output, `waiting\n${said}nothing left\n`);
    t.is(code, 0);
  });
}

test('process.exit() in the midst of everything has its code', async (t) => {
  const child = start(t, 'exit');
  const [[code]] = await Promise.all([once(child, 'exit'), text(child.stdout)]);
  t.is(code, 7);
});
