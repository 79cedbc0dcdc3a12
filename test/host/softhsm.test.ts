// A token of SoftHSM2, through the PKCS#11 engine of Debian: `softhsm2`, `opensc` and `libengine-pkcs11-openssl`.

import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { getPriority } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import test from 'ava';
import { type Engine, createContext, loadEngine, loadPrivateKey } from 'libssl-async/host';

import { issue } from '../support/certificates.ts';
import { type Served, certificateOf, serveClients } from './support/serving.ts';
import { installed } from '../support/skipping.ts';
import { PIN, engineOptions, makeTokens, needs, uri } from './support/token.ts';

/** With each key; 1,000 is what was measured. */
const HANDSHAKES = Number(process.env['ENGINE_HANDSHAKES'] ?? 100);
const AT_ONCE = 32;

const pin = (): string => PIN;

/** This engine cannot be loaded a second time in a process. */
let engine: Engine;
let removable: string;

test.before(async (t) => {
  if (Object.values(needs).includes(false)) return;
  removable = makeTokens();
  engine = await loadEngine(engineOptions);
  t.is(engine.id, 'pkcs11');
});

test.serial('keys of a token serve handshakes, and nothing of Node waits for it', async (t) => {
  if (!installed(t, needs)) return;
  // First: who is logged in is not asked again.
  const failed = { code: 'ERR_LIBSSL_ASYNC_KEY_NOT_LOADED' };
  await t.throwsAsync(loadPrivateKey(uri('rsa'), { engine, pin: () => '0000' }), failed);
  await t.throwsAsync(loadPrivateKey(uri('rsa'), { engine }), failed);
  const thrown = new Error('nobody knows the PIN');
  t.is(await t.throwsAsync(loadPrivateKey(uri('rsa'), { engine, pin: () => Promise.reject(thrown) })), thrown);
  const wrong = loadPrivateKey(uri('rsa'), { engine, pin: () => 1234 as never });
  await t.throwsAsync(wrong, { code: 'ERR_INVALID_ARG_TYPE', message: /the PIN must be a string/ });
  await t.throwsAsync(loadPrivateKey(uri('none'), { engine, pin }), { ...failed, message: /object=none/ });

  for (const label of ['rsa', 'ec']) {
    const questions: string[] = [];
    const key = await loadPrivateKey(uri(label), {
      engine,
      async pin(question) {
        questions.push(question);
        // Somebody looks for it.
        await delay(5);
        return PIN;
      },
    });
    t.is(key.uri, uri(label));
    for (const question of questions) t.regex(question, /test/);
    const { authority, cert } = certificateOf(key);
    const { growth, statuses } = await serveClients(t, HANDSHAKES, AT_ONCE, 0, { key, cert }, authority);
    const all = HANDSHAKES;
    t.like(growth, { handshakes: all, failed: 0, pauses: all, resumes: all, callbacks: all }, label);
    t.deepEqual(statuses, new Set(['ok']));
    t.like(key.stats(), { requests: all, answered: all, failed: 0, inFlight: 0, waiting: 0 });
  }
  // The threads that wait for the token leave the event loop its core, as the workers do.
  t.deepEqual(new Set(priorities('libssl-async-offload')), new Set([Math.min(getPriority() + 10, 19)]));

  const rsa = await loadPrivateKey(uri('rsa'), { engine, pin });
  const other = issue();
  t.throws(() => createContext({ key: rsa, cert: other.cert }), { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' });
});

test.serial('a token that is removed fails its handshakes only', async (t) => {
  if (!installed(t, needs)) return;
  const served = async (label: string, token?: string): Promise<(failures: number) => Promise<Served>> => {
    const key = await loadPrivateKey(uri(label, token), { engine, pin });
    const { authority, cert } = certificateOf(key);
    return (failures) => serveClients(t, 32, 8, failures, { key, cert }, authority);
  };
  const labels = ['rsa', 'ec'];
  const removed = await Promise.all(labels.map((label) => served(label, 'removable')));
  const others = await Promise.all(labels.map((label) => served(label)));
  for (const serve of [...removed, ...others]) await serve(0);
  rmSync(removable, { recursive: true });
  for (const serve of removed) {
    const { errors } = await serve(32);
    t.is(errors.length, 32);
    for (const error of errors) {
      const code = 'ERR_LIBSSL_ASYNC_KEY_FAILED';
      t.like(error, { code, library: 'PKCS#11 module', reason: 'Object handle invalid' });
    }
  }
  for (const serve of others) t.deepEqual((await serve(0)).errors, []);
  await serveClients(t, 32, 8);
});

/** How much lower than usual the priorities of the threads of this name are. */
function priorities(name: string): number[] {
  const threads = readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/stat`, 'utf8'));
  // The kernel keeps 15 bytes of a name.
  const named = threads.filter((thread) => thread.includes(`(${name.slice(0, 15)})`));
  return named.map((thread) => Number(thread.slice(thread.lastIndexOf(')')).split(' ')[17]));
}
