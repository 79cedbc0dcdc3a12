import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { accepted, closed, nodeClient, serve } from './support/peers.ts';
import { type Program, finished, start as startProgram } from './support/programs.ts';

function start(t: ExecutionContext, what: string): Program {
  return startProgram(t, process.execPath, [program('child'), what]);
}

/** The path of a program of test/support. */
function program(name: string): string {
  return fileURLToPath(new URL(`./support/${name}.js`, import.meta.url));
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
    child.stdin.write('go');
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

for (const [what, code, complaint] of [
  ['exit', 7, /^$/],
  ['throw', 1, /Error: meant to be/],
  ['close', 0, /^$/],
] as const) {
  test(`a process ends with hundreds of handshakes paused: ${what}`, async (t) => {
    for (let round = 0; round < 3; round++) {
      const child = startProgram(t, process.execPath, [program('paused'), what]);
      const [complaints, [ended]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
      t.is(ended, code);
      t.regex(complaints, complaint);
    }
  });
}

test('the addon stays in memory when the threads that loaded it are gone', async (t) => {
  const said = await finished(t, startProgram(t, process.execPath, [program('threads-only')]));
  t.is(said, 'ended with 0, and the addon is there\n'.repeat(3));
});

test('children of a cluster serve one port together', async (t) => {
  const said = await finished(t, startProgram(t, process.execPath, [program('cluster')]));
  t.is(said, '1 port, 3 children, ended with 0, 0, 0\n');
});

test('a child process inherits no connection', async (t) => {
  const { server, port } = await serve(t);
  const [connection, peer] = await Promise.all([accepted(server), nodeClient(t, port)]);
  // It lives for as long as the test.
  const child = startProgram(t, process.execPath, ['--eval', 'console.log("here"); process.stdin.resume()']);
  await once(child.stdout, 'data');
  const ended = closed(peer);
  connection.destroy();
  await ended;
  await server.close();
  t.is(child.exitCode, null);
});
