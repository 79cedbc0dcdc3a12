// `npm run soak`: builds what is missing and runs test/soak/main.ts, which gets the arguments.
//
//   --node=24   on that version of Node, over its own OpenSSL

import { build } from './build.mjs';
import { chosenNode } from './install.mjs';
import { heading, run } from './run.mjs';

const { node, args } = chosenNode(process.argv.slice(2));
const isHost = node !== process.execPath;
build({ host: isHost });
heading('soak');
// With the garbage collector at hand, what memory is left tells something. glibc has threads allocate from arenas of
// their own, keeps what fragments there, and blocks for each thread: without, what grows is a leak.
run(node, ['--expose-gc', '--enable-source-maps', 'build/test/soak/main.js', ...args], {
  env: {
    ...process.env,
    ...(isHost && { LIBSSL_ASYNC_BUILD: 'host' }),
    GLIBC_TUNABLES: 'glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1',
  },
});
