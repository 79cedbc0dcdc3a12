// Installs the development dependencies, if they are not those of package-lock.json.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { heading, readJson, root, run } from './run.mjs';

/** npm writes it at the end of an installation. */
const INSTALLED = 'node_modules/.package-lock.json';

export function install() {
  if (isCurrent()) return;
  heading('npm ci');
  // Errors only: some packages ask for a newer Node in parts of theirs that are not used here.
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  if (npm) run(process.execPath, [npm, ...args]);
  else run('npm', args);
}

/**
 * The Node that an argument `--node=24` asks for, in `target/node-24`, or else this one; and the other arguments. It is
 * installed if need be.
 */
export function chosenNode(given) {
  const major = given.map((argument) => VERSION.exec(argument)?.[1]).find(Boolean);
  const args = given.filter((argument) => !VERSION.test(argument));
  return { node: major === undefined ? process.execPath : installNode(major), args };
}

const VERSION = /^--node=(\d+)$/;

/** Installs an official binary of Node, and returns its path. */
function installNode(major) {
  const folder = `target/node-${major}`;
  const node = join(root, folder, 'node_modules/node/bin/node');
  if (existsSync(node)) return node;
  heading(`Node ${major}`);
  run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', `node@${major}`]);
  return node;
}

function isCurrent() {
  if (!existsSync(join(root, INSTALLED))) return false;
  const installed = readJson(INSTALLED).packages;
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, { optional, version }]) =>
      path === '' || (optional && !installed[path]) || installed[path]?.version === version,
  );
}
