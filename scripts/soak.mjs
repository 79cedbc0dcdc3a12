// `npm run soak`: builds what is missing and runs test/soak/main.ts, which gets the arguments.

import { build } from './build.mjs';
import { heading, run } from './run.mjs';

build();
heading('soak');
// With the garbage collector at hand, what memory is left tells something. glibc has threads allocate from arenas of
// their own, keeps what fragments there, and blocks for each thread: without, what grows is a leak.
run(process.execPath, ['--expose-gc', '--enable-source-maps', 'build/test/soak/main.js', ...process.argv.slice(2)], {
  env: { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1' },
});
