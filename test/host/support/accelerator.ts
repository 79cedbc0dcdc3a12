// The asynchronous test engine and provider of the Rust tests, compiled with Node's own headers, or with those of the system.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import type { ExecutionContext } from 'ava';
import type { Engine } from 'libssl-async/host';

/** What the engine has counted. */
export interface Counters {
  readonly inFlight: number;
  readonly taken: number;
  readonly told: number;
  readonly refused: number;
  readonly callbacks: number;
  readonly polls: number;
  readonly failed: number;
}

/** What a TLS 1.3 server with X25519 asks for: its share of the key exchange, the secret, the signature. */
export const PAUSES = 3;
/** What the engine serves. */
export const METHODS = ['RSA', 'EC', 'PKEY_CRYPTO'] as const;
/** Of each kind; 5,000 is what was measured. */
export const HANDSHAKES = Number(process.env['ENGINE_HANDSHAKES'] ?? 300);

const root = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));
const folder = join(root, 'target/engines');

const ENGINE = ['engine.c', 'methods.c', 'cipher.c', 'accelerator.c'].map((source) => `engines/accelerator/${source}`);

/** Compiles the engine; none where there are no headers. */
export function compiledEngine(name: string): string | undefined {
  return compile(name, ENGINE);
}

/** As above; without headers the test passes, but for CI. */
export function compileEngine(t: ExecutionContext, name: string, link: string[] = []): string | undefined {
  return compile(name, ENGINE, link) ?? skip(t);
}

/** Compiles the provider that has the same accelerator, as above. */
export function compileProvider(t: ExecutionContext, name: string): string | undefined {
  const sources = ['provider.c', 'key.c', 'signature.c', 'store.c'].map((source) => `providers/asynchronous/${source}`);
  return compile(name, [...sources, 'engines/accelerator/accelerator.c']) ?? skip(t);
}

function skip(t: ExecutionContext): undefined {
  if (process.env['CI'] !== undefined) t.fail('no headers of OpenSSL 3');
  else t.pass('skipped: no headers of OpenSSL 3');
}

function compile(name: string, sources: string[], link: string[] = []): string | undefined {
  const headers = [join(dirname(process.execPath), '../include/node'), '/usr/include'];
  const include = headers.find((path) => existsSync(join(path, 'openssl/engine.h')));
  if (include === undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, name);
  const paths = sources.map((source) => join(root, 'crates/libssl-async/tests', source));
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-g', '-pthread', `-I${include}`, '-o', file, ...paths, ...link]);
  return file;
}

/** What the engine itself has counted up to now. */
export function counters(engine: Engine): Counters {
  const file = join(folder, `counters-${process.pid}.json`);
  engine.control('REPORT', file);
  return JSON.parse(readFileSync(file, 'utf8')) as Counters;
}
