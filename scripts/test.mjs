// `npm test`: builds what is missing, then runs the Rust tests against the bundled OpenSSL, and ava.
// With arguments, only ava, which gets them: `npm test -- test/versions.test.ts --match='…'`.

import { build } from './build.mjs';
import { compiled, heading, run, runTool } from './run.mjs';

const args = process.argv.slice(2);

build();
if (args.length === 0) {
  heading('Rust tests');
  run('cargo', ['xtask', 'test', '--features', 'libssl-async/aws-lc,libssl-async/tracing']);
}
heading('ava');
runTool('ava', 'ava', args.map(compiled));
