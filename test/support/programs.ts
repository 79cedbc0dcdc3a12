// Other programs as peers, where they are installed.

import { type ChildProcessByStdio, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

import test, { type ExecutionContext } from 'ava';

import type { KeyType } from './certificates.ts';
import { overDrivers } from './drivers.ts';

/** The types of keys that OpenSSL knows since version 3.0. */
export const KEY_TYPES: readonly KeyType[] = [
  'rsa-2048',
  'rsa-pss-2048',
  'p-256',
  'p-384',
  'p-521',
  'ed25519',
  'ed448',
];

/** The versions that all programs speak, and how `openssl` and curl call them. */
export const VERSIONS = [
  { version: 'TLSv1.2', openssl: '-tls1_2', curl: '1.2' },
  { version: 'TLSv1.3', openssl: '-tls1_3', curl: '1.3' },
] as const;

export type Program = ChildProcessByStdio<Writable, Readable, Readable>;

/** Declares a test for each driver, which is skipped, and says so, if a program is not installed. */
export function overDriversGiven(program: string, title: string, body: Parameters<typeof overDrivers>[1]): void {
  if (isInstalled(program)) return overDrivers(title, body);
  test(title, (t) => {
    t.log(`skipped: ${program} is not installed`);
    t.pass();
  });
}

/** Starts a program, which does not survive the test. */
export function start(
  t: ExecutionContext,
  program: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'gid' | 'uid'> = {},
): Program {
  const child = spawn(program, args, { ...options, stdio: 'pipe' });
  t.teardown(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => {});
  return child;
}

/** Waits for the end of a program, which has to be a good one; resolves to what it said, which `hear` is told meanwhile. */
export async function finished(
  t: ExecutionContext,
  program: Program,
  hear: (said: string) => void = () => {},
): Promise<string> {
  let said = '';
  program.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
    hear(said);
  });
  const [complaints, [code]] = await Promise.all([
    text(program.stderr),
    once(program, 'close') as Promise<[number | null]>,
  ]);
  t.is(code, 0, `${said}\n${complaints}`);
  return said;
}

/** Writes files for programs; they go with the test. */
export function files(t: ExecutionContext): (name: string, content: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'libssl-async-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ['version']).error === undefined;
}
