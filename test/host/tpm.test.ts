// A TPM in software, through the provider of Debian: `swtpm`, `libtss2-tcti-swtpm0` and `tpm2-openssl`.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';
import { loadPrivateKey, loadProvider } from 'libssl-async/host';

import { certificateOf, serveClients } from './support/serving.ts';
import { installed, isProgram } from '../support/skipping.ts';

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const path = join(LIBRARIES, 'ossl-modules/tpm2.so');
const HANDSHAKES = 100;
// Paths of sockets have to be short.
const folder = mkdtempSync(join(tmpdir(), 'tpm-'));
const socket = join(folder, 'socket');
const pid = join(folder, 'pid');

test.after.always(() => {
  if (existsSync(pid)) end();
  rmSync(folder, { recursive: true });
});

test('keys of a TPM serve handshakes until it is gone', async (t) => {
  const needs = {
    'libtss2-tcti-swtpm0': existsSync(join(LIBRARIES, 'libtss2-tcti-swtpm.so.0')),
    openssl: isProgram('openssl'),
    swtpm: isProgram('swtpm'),
    'tpm2-openssl': existsSync(path),
  };
  if (!installed(t, needs)) return;
  start();
  process.env['TPM2OPENSSL_TCTI'] = `swtpm:path=${socket}`;
  process.env['TSS2_LOG'] = 'all+NONE';
  const uris = [
    makeKey('rsa', '-algorithm', 'RSA', '-pkeyopt', 'bits:2048'),
    makeKey('ec', '-algorithm', 'EC', '-pkeyopt', 'group:P-256'),
  ];
  const provider = await loadProvider({ name: 'tpm2', path });
  // It does one thing at a time, and so its provider may be asked for one at a time.
  const options = { provider, offload: 1 };
  const serving = [];
  for (const uri of uris) {
    const key = await loadPrivateKey(uri, options);
    const { authority, cert } = certificateOf(key);
    const serve = (count: number, failures = 0): ReturnType<typeof serveClients> =>
      serveClients(t, count, 32, failures, { key, cert }, authority);
    const all = HANDSHAKES;
    const { growth } = await serve(all);
    t.like(growth, { handshakes: all, failed: 0, pauses: all, resumes: all, callbacks: all }, uri);
    serving.push(serve);
  }
  const nowhere = loadPrivateKey('file:/nowhere/key.pem', options);
  await t.throwsAsync(nowhere, { code: 'ERR_LIBSSL_ASYNC_KEY_NOT_LOADED', message: /\/nowhere\/key\.pem/ });

  end();
  for (const serve of serving) {
    const { errors } = await serve(8, 8);
    t.is(errors.length, 8);
    for (const error of errors) t.like(error, { code: 'ERR_LIBSSL_ASYNC_KEY_FAILED', library: 'tpm2' });
  }
  await serveClients(t, 8, 8);
});

/** Starts the TPM; it listens when this returns. */
function start(): void {
  const sockets = ['--server', `type=unixio,path=${socket}`, '--ctrl', `type=unixio,path=${socket}.ctrl`];
  const state = ['--tpmstate', `dir=${folder}`, '--pid', `file=${pid}`, '--flags', 'not-need-init,startup-clear'];
  execFileSync('swtpm', ['socket', '--tpm2', '--daemon', ...state, ...sockets]);
}

function end(): void {
  process.kill(Number(readFileSync(pid, 'utf8')));
  rmSync(pid, { force: true });
}

/** The URI of a key that is made in the TPM: its file has what only this TPM can read. */
function makeKey(name: string, ...options: string[]): string {
  const file = join(folder, name);
  execFileSync('openssl', ['genpkey', '-provider', 'tpm2', ...options, '-out', file], { stdio: 'ignore' });
  return `file:${file}`;
}
