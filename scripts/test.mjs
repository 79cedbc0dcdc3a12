// `npm test`: builds what is missing, then runs the Rust tests against the bundled OpenSSL, and ava.
// With arguments, only ava, which gets them: `npm test -- test/versions.test.ts --match='…'`.
//
//   --node=24   runs ava on that version of Node, which is installed into target/node-24

import { build } from './build.mjs';
import { chosenNode } from './install.mjs';
import { compiled, heading, run, runTool } from './run.mjs';

const given = process.argv.slice(2);

build({ host: true });
const { node, args } = chosenNode(given);
if (given.length === 0) {
  heading('Rust tests');
  run('cargo', ['xtask', 'test', '--features', 'libssl-async/aws-lc,libssl-async/tracing']);
}
heading('ava');
runTool('ava', 'ava', args.map(compiled), { node });
