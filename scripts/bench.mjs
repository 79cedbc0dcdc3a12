// `npm run bench`: builds what is missing and runs bench/main.ts, which gets the arguments.
//
//   --node=24   runs it, and all it compares, on that version of Node, which is installed into target/node-24

import { build } from './build.mjs';
import { chosenNode } from './install.mjs';
import { heading, run } from './run.mjs';

const { node, args } = chosenNode(process.argv.slice(2));

build();
heading('load');
run('cargo', ['build', '--release', '--package', 'load']);
heading('bench');
run(node, ['build/bench/main.js', ...args]);
