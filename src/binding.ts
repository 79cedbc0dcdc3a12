import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build, packageFolder } from './build.ts';
import type * as Native from './native.d.ts';

const FILES = { bundled: 'libssl-async.node', host: 'libssl-async-host.node' };
const COMMANDS = { bundled: 'npm run build', host: 'npm run build:host' };

const require = createRequire(packageFolder);
const { version, optionalDependencies } = require('./package.json') as {
  version: string;
  /** Those for each platform that there is one for; none in a checkout. */
  optionalDependencies?: Readonly<Record<string, string>>;
};
const here = `${process.platform}-${process.arch}, Node ${process.versions.node}`;

/** The addon. */
export const native = load();

/** What a checkout has built, or the one of the package for this platform. */
function load(): typeof Native {
  const built = fileURLToPath(new URL(FILES[build], packageFolder));
  let unloadable: Error | undefined;
  for (const path of [built, ...platformPackages().map((name) => `${name}/${FILES[build]}`)]) {
    try {
      if (path !== built) checkVersion(dirname(path));
      return require(path) as typeof Native;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') unloadable ??= unloadableAddon(path, error);
    }
  }
  throw unloadable ?? missingAddon(built);
}

/** Those that may fit, the likeliest first: which C library Linux has here, only loading it tells for sure. */
function platformPackages(): string[] {
  const abis: Partial<Record<NodeJS.Platform, string[]>> = { linux: ['-gnu', '-musl'], win32: ['-msvc'] };
  return (abis[process.platform] ?? ['']).map((abi) => `libssl-async-${process.platform}-${process.arch}${abi}`);
}

function checkVersion(name: string): void {
  const its = (require(`${name}/package.json`) as { version: string }).version;
  if (its !== version) throw new Error(`${name} is of version ${its}, and libssl-async of version ${version}`);
}

function missingAddon(built: string): Error {
  const names = platformPackages().filter((name) => optionalDependencies === undefined || name in optionalDependencies);
  let advice = `${built} does not exist; in a checkout, \`${COMMANDS[build]}\` makes it`;
  if (optionalDependencies && names.length > 0)
    advice =
      `${names.join(' or ')} is not installed, an optional dependency, which \`--omit=optional\` and lock files ` +
      `made on another platform leave out: \`npm install ${names[0]}@${version}\` brings it`;
  else if (optionalDependencies) advice = 'none is published for this platform';
  return coded('ERR_LIBSSL_ASYNC_ADDON_MISSING', `libssl-async has no addon for ${here}: ${advice}`);
}

function unloadableAddon(path: string, cause: unknown): Error {
  const message = `libssl-async cannot load its addon ${path} on ${here}: ${(cause as Error).message}`;
  return coded('ERR_LIBSSL_ASYNC_ADDON_UNLOADABLE', message, cause);
}

function coded(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code });
}
