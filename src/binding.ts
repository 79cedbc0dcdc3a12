import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { build, packageFolder } from './build.ts';
import type * as Native from './native.d.ts';

const FILES = { bundled: 'libssl-async.node', host: 'libssl-async-host.node' };
const COMMANDS = { bundled: 'npm run build', host: 'npm run build:host' };

/** The addon. */
export const native = load(fileURLToPath(new URL(FILES[build], packageFolder)));

function load(path: string): typeof Native {
  try {
    return createRequire(import.meta.url)(path) as typeof Native;
  } catch (cause) {
    const here = `${process.platform}-${process.arch}, Node ${process.versions.node}`;
    const missing = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    throw Object.assign(
      new Error(
        missing
          ? `libssl-async has no addon for ${here}: ${path} does not exist; in a checkout, \`${COMMANDS[build]}\` makes it`
          : `libssl-async cannot load its addon ${path} on ${here}: ${(cause as Error).message}`,
        { cause },
      ),
      { code: missing ? 'ERR_LIBSSL_ASYNC_ADDON_MISSING' : 'ERR_LIBSSL_ASYNC_ADDON_UNLOADABLE' },
    );
  }
}
