// Runs the programs that build and test the project, from its root folder, on the caller's terminal.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program to its end and returns what it wrote, if `options.stdio` asks for that; a failure ends this process. */
export function run(command, args, options = {}) {
  const { error, status, signal, stdout } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: 'inherit',
    ...options,
  });
  if (error?.code === 'ENOENT') fail(`\`${command}\` is not installed; what it takes to build: CONTRIBUTING.md`);
  if (error) throw error;
  if (status !== 0) fail(`failed (${signal ?? status}): ${[command, ...args].join(' ')}`, status ?? 1);
  return stdout;
}

/** Runs the command `name` of an installed npm package; with `node`, on that Node. */
export function runTool(packageName, name, args, { node = process.execPath, ...options } = {}) {
  const folder = join(root, 'node_modules', packageName);
  const { bin } = createRequire(import.meta.url)(join(folder, 'package.json'));
  run(node, [join(folder, bin[name]), ...args], options);
}

/** What a test of test/ is compiled to; other arguments of ava's stay as they are. */
export function compiled(argument) {
  return argument.replace(/^test\/(.+)\.ts$/, 'build/test/$1.js');
}

export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

export function heading(text) {
  console.log(`\n=== ${text}`);
}

function fail(message, status = 1) {
  console.error(message);
  process.exit(status);
}
