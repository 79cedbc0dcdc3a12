import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import test, { type ExecutionContext } from 'ava';
import { versions } from 'libssl-async';

const root = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));

async function copyWithoutAddon(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'libssl-async-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  return folder;
}

const HOST = { addon: 'libssl-async-host.node', command: 'npm run build:host' };
const BUNDLED = { addon: 'libssl-async.node', command: 'npm run build' };
const ENTRIES = [
  { entry: 'dist/index.js', ...(versions.build === 'host' ? HOST : BUNDLED) },
  { entry: 'dist/host/index.js', ...HOST },
];

for (const { entry, addon, command } of ENTRIES) {
  const load = (folder: string): Promise<unknown> => import(pathToFileURL(join(folder, entry)).href);

  test(`a missing addon is named, with the command that builds it: ${entry}`, async (t) => {
    const folder = await copyWithoutAddon(t);
    await t.throwsAsync(load(folder), {
      code: 'ERR_LIBSSL_ASYNC_ADDON_MISSING',
      message: (text) => text.includes(join(folder, addon)) && text.includes(`\`${command}\``),
    });
  });

  test(`an addon that does not load is named, with the reason: ${entry}`, async (t) => {
    const folder = await copyWithoutAddon(t);
    await writeFile(join(folder, addon), 'not a library');
    await t.throwsAsync(load(folder), {
      code: 'ERR_LIBSSL_ASYNC_ADDON_UNLOADABLE',
      message: (text) => text.includes(join(folder, addon)),
    });
  });
}

test('a build that is none is named', async (t) => {
  const { execPath, env } = process;
  const program = ['--input-type=module', '--eval', "import 'libssl-async'"];
  const running = promisify(execFile)(execPath, program, { cwd: root, env: { ...env, LIBSSL_ASYNC_BUILD: 'hots' } });
  await t.throwsAsync(running, { message: /LIBSSL_ASYNC_BUILD is bundled or host, not hots/ });
});
