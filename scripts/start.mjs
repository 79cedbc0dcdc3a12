// `npm start`: builds what is missing and runs examples/start.ts.

import { build } from './build.mjs';
import { heading, run } from './run.mjs';

build();
heading('examples/start.ts');
run(process.execPath, ['build/examples/start.js', ...process.argv.slice(2)]);
