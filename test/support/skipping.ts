// What tests need that may not be installed: in CI it has to be.

import { spawnSync } from 'node:child_process';

import type { ExecutionContext } from 'ava';

/** Whether all of this is there; if not, the test passes, but for CI. */
export function installed(t: ExecutionContext, needed: Readonly<Record<string, boolean>>): boolean {
  const missing = Object.entries(needed).flatMap(([what, isThere]) => (isThere ? [] : [what]));
  if (missing.length === 0) return true;
  const message = `not installed: ${missing.join(', ')}`;
  if (process.env['CI'] === undefined) t.pass(`skipped: ${message}`);
  else t.fail(message);
  return false;
}

/** Whether there is such a program. */
export function isProgram(name: string): boolean {
  return spawnSync(name, ['--help']).error === undefined;
}
