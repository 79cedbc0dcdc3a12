// `npm run soak`: builds what is missing and runs test/soak/main.ts, which gets the arguments.

import { build } from './build.mjs';
import { heading, run } from './run.mjs';

build();
heading('soak');
// With the garbage collector at hand, what memory is left tells something.
run(process.execPath, ['--expose-gc', '--enable-source-maps', 'build/test/soak/main.js', ...process.argv.slice(2)]);
