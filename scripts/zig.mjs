// zig as C compiler and linker, from its Python package: addons for older Linux than this one, and for other processors.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { heading, root, run } from './run.mjs';

const PACKAGES = ['ziglang==0.17.1', 'cargo-zigbuild==0.24.1'];

/** The oldest glibc that Node's own binaries run on, since version 20. */
export const GLIBC = '2.28';

const folder = join(root, 'target/zig');
const programs = join(folder, 'bin');

/** Installs zig if need be, and returns the environment in which C is compiled for a target of Rust's. */
export function zigEnvironment(triple) {
  install();
  const [arch, , os, abi] = triple.split('-');
  const target = `${arch}-${os}-${abi === 'gnu' ? `gnu.${GLIBC}` : abi}`;
  const name = triple.replaceAll('-', '_');
  return {
    ...process.env,
    PATH: `${programs}${delimiter}${process.env.PATH}`,
    [`CC_${name}`]: wrapper(`cc-${triple}`, `cc -- -target ${target}`),
    [`AR_${name}`]: wrapper(`ar-${triple}`, 'ar --'),
    [`RANLIB_${name}`]: wrapper(`ranlib-${triple}`, 'ranlib --'),
    // Without it Rust makes no libraries that are loaded into a process of musl's.
    ...(abi === 'musl' && { RUSTFLAGS: '-C target-feature=-crt-static' }),
  };
}

/** `cargo zigbuild` has the C library's version behind the target. */
export function zigTarget(triple) {
  return triple.endsWith('-gnu') ? `${triple}.${GLIBC}` : triple;
}

function install() {
  const stamp = join(folder, PACKAGES.join(' '));
  if (existsSync(stamp)) return;
  heading('zig');
  run('python3', ['-m', 'venv', '--clear', folder]);
  run(join(programs, 'python3'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
  writeFileSync(stamp, '');
}

/** A compiler is one word: OpenSSL and cargo take nothing else. */
function wrapper(name, command) {
  const file = join(programs, name);
  mkdirSync(programs, { recursive: true });
  writeFileSync(file, `#!/bin/sh\nexec "${programs}/cargo-zigbuild" zig ${command} "$@"\n`, { mode: 0o755 });
  return file;
}
