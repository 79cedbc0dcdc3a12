// Builds what is missing or stale: dependencies, OpenSSL, the addon, TypeScript, and the two committed type files.
//
//   node scripts/build.mjs [--debug] [--no-dts-cache]
//
//   --debug          the addon unoptimised, with debug information
//   --no-dts-cache   the addon's crate compiled again, whatever its state, and with it src/native.d.ts

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { install } from './install.mjs';
import { heading, root, run, runTool } from './run.mjs';

export function build({ debug = false, dtsCache = true } = {}) {
  install();
  buildAddon(debug, dtsCache);
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

/** Builds OpenSSL if it is missing, and returns the environment in which cargo links it. */
export function bundledOpenssl() {
  const variables = run('cargo', ['xtask', 'env'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return Object.fromEntries(
    variables
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function buildTypeScript() {
  heading('TypeScript');
  // Without what a file that has gone left behind: ava would run it, npm would publish it.
  for (const folder of ['dist', 'build']) rmSync(join(root, folder), { recursive: true, force: true });
  runTool('typescript', 'tsc', ['--project', 'src']);
  run(process.execPath, ['scripts/dts.mjs']);
  // Tests and examples see the package as its users do: dist/ under the types of index.d.ts.
  runTool('typescript', 'tsc', ['--project', '.']);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  build({ debug: process.argv.includes('--debug'), dtsCache: !process.argv.includes('--no-dts-cache') });
}
