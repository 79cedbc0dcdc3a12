import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** What has to precede a command so that it stays on one core: nothing where there is only one, or no `taskset`. */
export function onCore(core: number): string[] {
  return canPin ? ['taskset', '--cpu-list', `${core}`] : [];
}

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;
