import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import test, { type ExecutionContext } from 'ava';

const root = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));

async function copyWithoutAddon(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'libssl-async-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  return folder;
}

const load = (folder: string): Promise<unknown> => import(pathToFileURL(join(folder, 'dist/index.js')).href);

test('a missing addon is named, with the command that builds it', async (t) => {
  const folder = await copyWithoutAddon(t);
  await t.throwsAsync(load(folder), {
    code: 'ERR_LIBSSL_ASYNC_ADDON_MISSING',
    message: (text) => text.includes(join(folder, 'libssl-async.node')) && text.includes('npm run build'),
  });
});

test('an addon that does not load is named, with the reason', async (t) => {
  const folder = await copyWithoutAddon(t);
  await writeFile(join(folder, 'libssl-async.node'), 'not a library');
  await t.throwsAsync(load(folder), {
    code: 'ERR_LIBSSL_ASYNC_ADDON_UNLOADABLE',
    message: (text) => text.includes(join(folder, 'libssl-async.node')),
  });
});
