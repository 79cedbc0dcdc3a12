// Handshakes whose signatures an asynchronous provider computes, in the OpenSSL of this Node.

import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import test from 'ava';
import { createContext, loadPrivateKey, loadProvider } from 'libssl-async/host';

import { issue, issueAuthority } from '../support/certificates.ts';
import { HANDSHAKES, compileProvider } from './support/accelerator.ts';
import { serveClients } from './support/serving.ts';

test('signatures of a provider pause, and its callbacks and descriptors resume', async (t) => {
  const path = compileProvider(t, 'async-test-provider.so');
  if (path === undefined) return;
  const authority = issueAuthority();
  const { key: pem, cert } = issue({ issuer: authority });
  const file = join(dirname(path), `provider-${process.pid}.pem`);
  const passphrase = 'open sesame';
  writeFileSync(
    file,
    createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }),
  );
  const uri = `async-test:${file}`;
  const name = 'async-test';

  for (const [notify, status] of [
    ['callback', 'ok'],
    ['descriptor', 'unsupported'],
    ['both', 'ok'],
  ] as const) {
    const provider = await loadProvider({ name, path, config: { notify } });
    const key = await loadPrivateKey(uri, { provider, offload: false, pin: () => Promise.resolve(passphrase) });
    const { growth, statuses, callbacks } = await serveClients(t, HANDSHAKES, 64, 0, { key, cert }, authority.cert);
    const told = notify === 'descriptor' ? 0 : HANDSHAKES;
    t.like(growth, { handshakes: HANDSHAKES, failed: 0, pauses: HANDSHAKES, resumes: HANDSHAKES, callbacks: told });
    t.is(callbacks, told);
    t.deepEqual(statuses, new Set([status]));
  }

  const refused = loadProvider({ name, path, config: { notify: 'by pigeon' } });
  await t.throwsAsync(refused, { code: 'ERR_LIBSSL_ASYNC_PROVIDER_UNUSABLE', message: /async-test/ });
  const provider = await loadProvider({ name, path });
  const failed = { code: 'ERR_LIBSSL_ASYNC_KEY_NOT_LOADED' };
  await t.throwsAsync(loadPrivateKey(uri, { provider, pin: () => 'wrong' }), failed);
  await t.throwsAsync(loadPrivateKey('async-test:/nowhere', { provider }), { ...failed, message: /\/nowhere/ });
  const key = await loadPrivateKey(uri, { provider, pin: () => passphrase });
  t.throws(() => createContext({ key, cert: issue().cert }), { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH' });
});
