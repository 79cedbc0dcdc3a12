// What node:tls has is here, or docs/node-tls.md says that it is not.

import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import * as nodeTls from 'node:tls';

import test from 'ava';
import defaults, * as tls from 'libssl-async/tls';

const documented = new Set(
  [...readFileSync('docs/node-tls.md', 'utf8').matchAll(/`([\w.]+)`/g)].map(([, name]) => name),
);

const SURFACES: [what: string, theirs: object[], ours: object][] = [
  ['exports', [nodeTls], tls],
  ['properties of the default export', [nodeTls], defaults],
  ['methods of servers', [nodeTls.Server.prototype, net.Server.prototype], tls.Server.prototype],
  ['methods of sockets', [nodeTls.TLSSocket.prototype, net.Socket.prototype], tls.TLSSocket.prototype],
];

for (const [what, theirs, ours] of SURFACES) {
  test(`node:tls’s ${what} are here or explained`, (t) => {
    const wanted = theirs
      .flatMap((object) => Object.getOwnPropertyNames(object))
      .filter((name) => !name.startsWith('_'));
    const ignored = new Set(['default', 'module.exports', 'constructor']);
    const missing = wanted.filter((name) => !ignored.has(name) && !(name in ours));
    t.deepEqual(
      missing.filter((name) => !documented.has(name)),
      [],
    );
    t.true(missing.length <= wanted.length * 0.25, missing.join(', '));
  });
}

test('what is the same as Node’s is Node’s', (t) => {
  t.is(tls.checkServerIdentity, nodeTls.checkServerIdentity);
  t.is(tls.rootCertificates, nodeTls.rootCertificates);
  t.true(tls.getCiphers().includes('tls_aes_128_gcm_sha256'));
});

test.serial('defaults are Node’s, and can be set', (t) => {
  const settings: { DEFAULT_MIN_VERSION: nodeTls.SecureVersion } = defaults;
  const before = settings.DEFAULT_MIN_VERSION;
  t.teardown(() => (settings.DEFAULT_MIN_VERSION = before));
  settings.DEFAULT_MIN_VERSION = 'TLSv1.3';
  t.throws(() => tls.createSecureContext({ maxVersion: 'TLSv1.2' }), { code: 'ERR_INVALID_ARG_VALUE' });
});
