// `npm run bench`: builds what is missing and runs bench/main.ts, which gets the arguments.
//
//   --node=24   runs it, and all it compares, on that version of Node, which is installed into target/node-24

import { join } from 'node:path';

import { build } from './build.mjs';
import { heading, root, run } from './run.mjs';

const VERSION = /^--node=(\d+)$/;

const version = process.argv.map((argument) => VERSION.exec(argument)?.[1]).find(Boolean);
const args = process.argv.slice(2).filter((argument) => !VERSION.test(argument));

build();
heading('load');
run('cargo', ['build', '--release', '--package', 'load']);
const node = version ? installNode(version) : process.execPath;
heading('bench');
run(node, ['build/bench/main.js', ...args]);

/** Installs an official binary of Node, and returns its path. */
function installNode(major) {
  heading(`Node ${major}`);
  const folder = `target/node-${major}`;
  run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', `node@${major}`]);
  return join(root, folder, 'node_modules/node/bin/node');
}
