// Collecting garbage when a test wants it, without an option of Node's.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects garbage: all of it, or with `minor` that of young objects. */
export const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void;
