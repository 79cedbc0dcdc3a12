// `npm run sanitize`: builds the addon with AddressSanitizer, and runs ava's tests over it; with arguments, some of them.
// What leaks is not told: at the end of a process, V8 holds what nobody has collected. Linux only; needs gcc's libasan.
//
// For the time of the tests, the addon of this folder is the sanitized one.

import { execFileSync } from 'node:child_process';
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import { build, bundledOpenssl } from './build.mjs';
import { compiled, heading, root, run, runTool } from './run.mjs';

/** Connections and their keys, and the ends of environments. */
const CONNECTIONS = ['connection', 'remote-key', 'security'].map((folder) => `build/test/${folder}/*.test.js`);
const ENDS = ['build/test/threads.test.js', 'build/test/stress.test.js'];

build({ debug: true });
heading('addon with AddressSanitizer');
const target = execFileSync('rustc', ['--print', 'host-tuple'], { encoding: 'utf8' }).trim();
const folder = join(root, 'target/sanitize/address');
run('cargo', ['build', '--package', 'libssl-async-node', '--target', target], {
  env: {
    ...process.env,
    ...bundledOpenssl(),
    CARGO_TARGET_DIR: folder,
    RUSTC_BOOTSTRAP: '1',
    RUSTFLAGS: '-Zsanitizer=address',
  },
});

const addon = join(root, 'libssl-async.node');
const kept = join(folder, 'debug.node');
copyFileSync(addon, kept);
// However it ends.
process.once('exit', () => renameSync(kept, addon));
copyFileSync(join(folder, target, 'debug/liblibssl_async_node.so'), addon);
heading('ava');
const args = process.argv.slice(2);
runTool('ava', 'ava', ['--timeout=5m', ...(args.length > 0 ? args.map(compiled) : [...CONNECTIONS, ...ENDS])], {
  env: {
    ...process.env,
    LD_PRELOAD: execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim(),
    // Frames that are kept elsewhere after a return do not go together with fibres.
    ASAN_OPTIONS: 'detect_stack_use_after_return=0:detect_leaks=0',
  },
});
