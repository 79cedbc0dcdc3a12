// A token of SoftHSM2, through the PKCS#11 engine of Debian: `softhsm2`, `opensc` and `libengine-pkcs11-openssl`.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import test from 'ava';
import { type StoredKey, createContext, loadEngine, loadPrivateKey } from 'libssl-async/host';

import { certify, issue, issueAuthority } from '../support/certificates.ts';
import { serveClients } from './support/serving.ts';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const ENGINE = '/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so';
const PIN = '1234';
/** With each key; 1,000 is what was measured. */
const HANDSHAKES = Number(process.env['ENGINE_HANDSHAKES'] ?? 100);
const AT_ONCE = 32;

const uri = (label: string): string => `pkcs11:token=test;object=${label};type=private`;

test('keys of a token serve handshakes, and nothing of Node waits for it', async (t) => {
  if (!existsSync(MODULE) || !existsSync(ENGINE)) {
    const message = 'softhsm2 and libengine-pkcs11-openssl are not installed';
    if (process.env['CI'] === undefined) t.pass(`skipped: ${message}`);
    else t.fail(message);
    return;
  }
  makeToken();
  const engine = await loadEngine({ path: ENGINE, commands: [['MODULE_PATH', MODULE]] });
  t.is(engine.id, 'pkcs11');

  // First: who is logged in is not asked again.
  const failed = { code: 'ERR_LIBSSL_ASYNC_KEY_NOT_LOADED' };
  await t.throwsAsync(loadPrivateKey(uri('rsa'), { engine, pin: () => '0000' }), failed);
  await t.throwsAsync(loadPrivateKey(uri('rsa'), { engine }), failed);
  const thrown = new Error('nobody knows the PIN');
  t.is(await t.throwsAsync(loadPrivateKey(uri('rsa'), { engine, pin: () => Promise.reject(thrown) })), thrown);
  const wrong = loadPrivateKey(uri('rsa'), { engine, pin: () => 1234 as never });
  await t.throwsAsync(wrong, { code: 'ERR_INVALID_ARG_TYPE', message: /the PIN must be a string/ });
  await t.throwsAsync(loadPrivateKey(uri('none'), { engine, pin: () => PIN }), { ...failed, message: /object=none/ });

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
  }

  const rsa = await loadPrivateKey(uri('rsa'), { engine, pin: () => PIN });
  const other = issue();
  t.throws(() => createContext({ key: rsa, cert: other.cert }), { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' });
  engine.close();
});

/** A token with an RSA key and a P-256 key, generated in it. */
function makeToken(): void {
  const root = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));
  const folder = join(root, 'target/softhsm', String(process.pid));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'tokens'), { recursive: true });
  const configuration = join(folder, 'softhsm2.conf');
  writeFileSync(configuration, `directories.tokendir = ${join(folder, 'tokens')}\n`);
  process.env['SOFTHSM2_CONF'] = configuration;
  run('softhsm2-util', '--init-token', '--free', '--label', 'test', '--pin', PIN, '--so-pin', '5678');
  for (const [label, id, type] of [
    ['rsa', '01', 'rsa:2048'],
    ['ec', '02', 'EC:prime256v1'],
  ] as const) {
    const login = ['--module', MODULE, '--token-label', 'test', '--login', '--pin', PIN];
    run('pkcs11-tool', ...login, '--keypairgen', '--key-type', type, '--label', label, '--id', id);
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A certificate of the key, from an authority of its own. */
function certificateOf(key: StoredKey): { authority: string; cert: string } {
  const authority = issueAuthority();
  const { cert } = certify(key.publicKey, authority.privateKey, { issuer: authority });
  return { authority: authority.cert, cert };
}
