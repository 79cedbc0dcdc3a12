import { readFileSync, readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

import test from 'ava';
import { configure } from 'libssl-async';

import { pair } from './support/peers.ts';

test('options that are wrong are named, with a stable code', (t) => {
  const cases: [unknown, string, RegExp][] = [
    [undefined, 'ERR_INVALID_ARG_TYPE', /^options must be an object/],
    [{ thread: 2 }, 'ERR_LIBSSL_ASYNC_UNKNOWN_OPTION', /options\.thread .*did you mean threads\?/],
    [{ threads: 0 }, 'ERR_OUT_OF_RANGE', /options\.threads .*from 1 to 1024/],
    [{ threads: '2' }, 'ERR_INVALID_ARG_TYPE', /options\.threads/],
    [{ drainTimeout: -1 }, 'ERR_OUT_OF_RANGE', /options\.drainTimeout/],
    [{ nice: 20 }, 'ERR_OUT_OF_RANGE', /options\.nice .*from 0 to 19/],
    [{ opensslConfig: 5 }, 'ERR_INVALID_ARG_TYPE', /options\.opensslConfig/],
    [{ opensslConfig: '/none/openssl.cnf' }, 'ENOENT', /no such file .*'\/none\/openssl\.cnf'/],
    [{ opensslConfig: fileURLToPath(import.meta.url) }, 'ERR_OSSL_CONF_MISSING_EQUAL_SIGN', /options\.opensslConfig/],
  ];
  for (const [options, code, message] of cases) t.throws(() => configure(options as never), { code, message });
});

test.serial('threads and their priority are chosen before the first connection', async (t) => {
  configure({ threads: 1, nice: 7 });
  await pair(t);
  if (process.platform === 'linux') t.deepEqual(niceOfWorkers(), [getPriority() + 7]);
  t.throws(() => configure({ nice: 0 }), { code: 'ERR_LIBSSL_ASYNC_ALREADY_STARTED' });
  t.throws(() => configure({ drainTimeout: 2 }), { code: 'ERR_LIBSSL_ASYNC_ALREADY_STARTED', message: /drainTimeout/ });
  t.throws(() => configure({ threads: 2 }), { code: 'ERR_LIBSSL_ASYNC_ALREADY_STARTED' });
});

/** The nice values of the threads that run handshakes. */
function niceOfWorkers(): number[] {
  const stats = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/stat`, 'utf8'));
  const workers = stats.filter((stat) => /\(libssl-async-\d+\)/.test(stat));
  // The nineteenth field of proc(5), where the name is the second.
  return workers.map((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]));
}
