// Builds what is missing or stale: dependencies, OpenSSL, the addon, TypeScript, and the two committed type files.
//
//   node scripts/build.mjs [--host] [--debug] [--no-dts-cache]
//
//   --host           the addon that uses the OpenSSL of the Node binary, and no OpenSSL of its own
//   --debug          the addon unoptimised, with debug information
//   --no-dts-cache   the addon's crate compiled again, whatever its state, and with it src/native.d.ts

import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { install } from './install.mjs';
import { heading, root, run, runTool } from './run.mjs';

export function build({ bundled = true, host = false, debug = false, dtsCache = true } = {}) {
  install();
  if (bundled) buildAddon(debug, dtsCache);
  if (host) buildHostAddon(debug);
  buildTypeScript();
}

function buildAddon(debug, dtsCache) {
  heading('OpenSSL');
  const openssl = bundledOpenssl();
  heading(`addon (${debug ? 'debug' : 'release'})`);
  const args = [
    'build',
    '--manifest-path=crates/libssl-async-node/Cargo.toml',
    '--package-json-path=package.json',
    '--output-dir=.',
    '--dts=src/native.d.ts',
    '--no-const-enum',
    ...(debug ? [] : ['--release']),
    ...(dtsCache ? [] : ['--no-dts-cache']),
  ];
  runTool('@napi-rs/cli', 'napi', args, { env: { ...process.env, ...openssl } });
}

/** Builds OpenSSL if it is missing, and returns the environment in which cargo links it; for another target with `options`. */
export function bundledOpenssl(options = [], env = process.env) {
  const variables = run('cargo', ['xtask', ...options, 'env'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  return Object.fromEntries(
    variables
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function buildHostAddon(debug) {
  heading(`addon for the OpenSSL of Node (${debug ? 'debug' : 'release'})`);
  const folder = 'target/host';
  const args = ['build', '--package=libssl-async-node', '--no-default-features', ...(debug ? [] : ['--release'])];
  run('cargo', args, { env: { ...process.env, ...hostOpenssl(folder) } });
  const library = join(root, folder, debug ? 'debug' : 'release', 'liblibssl_async_node.so');
  copyFileSync(library, join(root, 'libssl-async-host.node'));
}

/** Without libraries: the functions of OpenSSL are those that the process has when the addon is loaded. */
export function hostOpenssl(folder) {
  const noLibraries = join(root, folder, 'no-libraries');
  mkdirSync(noLibraries, { recursive: true });
  return {
    CARGO_TARGET_DIR: join(root, folder),
    OPENSSL_NO_VENDOR: '1',
    OPENSSL_INCLUDE_DIR: join(root, 'crates/libssl-async-node/host/include'),
    OPENSSL_LIB_DIR: noLibraries,
    OPENSSL_LIBS: '',
  };
}

export function buildTypeScript() {
  heading('TypeScript');
  // Without what a file that has gone left behind: ava would run it, npm would publish it.
  for (const folder of ['dist', 'build']) rmSync(join(root, folder), { recursive: true, force: true });
  for (const folder of ['dist', 'dist/host']) runTool('typescript', 'tsc', ['--project', 'src', '--outDir', folder]);
  run(process.execPath, ['scripts/dts.mjs']);
  // Tests and examples see the package as its users do: dist/ under the types of index.d.ts.
  runTool('typescript', 'tsc', ['--project', '.']);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const flags = new Set(process.argv.slice(2));
  const host = flags.has('--host');
  build({ bundled: !host, host, debug: flags.has('--debug'), dtsCache: !flags.has('--no-dts-cache') });
}
