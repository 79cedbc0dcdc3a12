// Programs that the documentation shows are what the compiler accepts.

import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import test from 'ava';

const run = promisify(execFile);
const folder = 'target/snippets';

/** What programs have from elsewhere. */
const GLOBALS = `
  declare const cert: string, key: string, ca: string;
  declare const context: import('libssl-async').Context;
  declare const secrets: { get(name: string): Promise<string> };
`;

test('each program of docs/ in TypeScript compiles', async (t) => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'globals.d.ts'), GLOBALS);
  let count = 0;
  for (const page of (await readdir('docs')).filter((name) => name.endsWith('.md'))) {
    for (const [, text] of (await readFile(join('docs', page), 'utf8')).matchAll(/```ts\n([^]*?)\n```/g)) {
      await writeFile(join(folder, `${page.slice(0, -3)}-${++count}.mts`), text!);
    }
  }
  t.true(count > 10);
  const compilerOptions = {
    module: 'nodenext',
    target: 'esnext',
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }));
  await t.notThrowsAsync(
    run(process.execPath, ['node_modules/typescript/bin/tsc', '--project', folder]).catch((error: { stdout: string }) =>
      Promise.reject(new Error(error.stdout)),
    ),
  );
});
