// Options that contexts take.

import { X509Certificate } from 'node:crypto';
import * as tls from 'node:tls';

import test, { type ExecutionContext } from 'ava';
import { Context, type ContextOptions, createContext } from 'libssl-async';

import { fixture, issue, issueAuthority, revoke } from '../support/certificates.ts';

const ENCRYPTION = { cipher: 'aes-256-cbc', passphrase: 'secret' };
const authority = issueAuthority();
const identity = issue({ issuer: authority });
const rsa = issue({ type: 'rsa-2048', issuer: authority });
/** In PEM and in DER, with the passphrase `secret`. */
const encryptedPem = identity.privateKey.export({ type: 'pkcs8', format: 'pem', ...ENCRYPTION });
const encryptedDer = identity.privateKey.export({ type: 'pkcs8', format: 'der', ...ENCRYPTION });

/** What is accepted. */
const accepts = test.macro((t: ExecutionContext, options: ContextOptions) => {
  t.true(createContext(options) instanceof Context);
});

test('no options', (t) => t.true(createContext() instanceof Context));
test('undefined for all', accepts, { key: undefined, ca: undefined, ciphers: undefined, requestCert: undefined });

test('key and cert in PEM', accepts, { key: identity.key, cert: identity.cert });
test('key and cert in buffers', accepts, { key: Buffer.from(identity.key), cert: Buffer.from(identity.cert) });
test('key and cert in DER', accepts, {
  key: identity.privateKey.export({ type: 'sec1', format: 'der' }),
  cert: identity.der,
});
test('key as a KeyObject, cert as an X509Certificate', accepts, {
  key: identity.privateKey,
  cert: new X509Certificate(identity.der),
});
test('key and cert in one file', accepts, {
  key: identity.cert + identity.key,
  cert: identity.key + identity.cert + authority.cert,
});
test('key and cert in ArrayBuffers', accepts, { key: arrayBuffer(identity.key), cert: arrayBuffer(identity.cert) });
test('keys in another order than their certificates', accepts, {
  key: [rsa.key, { pem: identity.key }],
  cert: [identity.cert, rsa.cert + authority.cert],
});
for (const type of ['rsa-pss-2048', 'p-384', 'p-521', 'ed25519', 'ed448'] as const) {
  test(`a key of type ${type}`, (t) => {
    const { key, cert } = issue({ type });
    t.notThrows(() => createContext({ key, cert }));
  });
}
test('a key of type ML-DSA-65', accepts, { key: fixture('ml-dsa-65.pem'), cert: fixture('ml-dsa-65.pem') });

test('encrypted keys in PEM and DER', accepts, {
  key: [encryptedPem, { pem: rsa.key }],
  cert: [identity.cert, rsa.cert],
  passphrase: 'secret',
});
test('an encrypted key with a passphrase of its own', accepts, {
  key: { pem: encryptedDer, passphrase: 'secret' },
  cert: identity.cert,
  passphrase: 'another',
});

test('pfx', accepts, { pfx: fixture('modern.p12'), passphrase: 'secret' });
test('pfx with retired algorithms', accepts, { pfx: [{ buf: fixture('legacy.p12'), passphrase: 'secret' }] });
test('pfx without a passphrase', accepts, { pfx: fixture('no-passphrase.p12') });
test('pfx beside a key', accepts, { pfx: fixture('modern.p12'), passphrase: 'secret', key: rsa.key, cert: rsa.cert });

test('ca as a bundle and as a list', accepts, { ca: [authority.cert + identity.cert, new X509Certificate(rsa.der)] });
test('no ca at all', accepts, { ca: [] });
test('crl', accepts, { ca: authority.cert, crl: [revoke(authority, [identity]), revoke(authority, [])] });
test('crl in DER', accepts, { ca: authority.cert, crl: der(revoke(authority, [])) });

test('the default ciphers of Node', accepts, { ciphers: tls.DEFAULT_CIPHERS });
test('ciphers with selectors', accepts, { ciphers: 'TLS_AES_128_GCM_SHA256:HIGH:!aNULL:!FROBNICATE:@STRENGTH' });
test('a security level', accepts, { ciphers: 'DEFAULT@SECLEVEL=0', minVersion: 'TLSv1' });
test('groups', accepts, { groups: 'X25519MLKEM768:X25519:P-256' });
test('groups that are auto', accepts, { groups: 'auto' });
test('ecdhCurve', accepts, { ecdhCurve: 'prime256v1:secp384r1' });
test('sigalgs', accepts, { sigalgs: 'rsa_pss_rsae_sha256:ECDSA+SHA256:ed25519' });
test('versions', accepts, { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' });
test('dhparam auto', accepts, { dhparam: 'auto' });
test('dhparam', accepts, { dhparam: fixture('dh-2048.pem') });
test('ALPNProtocols', accepts, { ALPNProtocols: ['h2', Buffer.from('http/1.1')] });
test('ALPNProtocols in the wire format', accepts, { ALPNProtocols: Buffer.from('\x02h2\x08http/1.1') });
test('sessions and tickets', accepts, {
  sessionTimeout: 60,
  sessionIdContext: 'mine',
  ticketKeys: Buffer.alloc(48, 1),
  tickets: 1,
});
test('no tickets', accepts, { tickets: 0 });
test('the rest', accepts, {
  allowPartialTrustChain: true,
  honorCipherOrder: false,
  requestCert: true,
  rejectUnauthorized: false,
  secureOptions: 0x4000,
});

test('setAsyncCallback returns the context', (t) => {
  const context = createContext();
  t.is(
    context.setAsyncCallback(() => {}, undefined),
    context,
  );
});

function arrayBuffer(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).buffer;
}

function der(text: string): Buffer {
  return Buffer.from(text.replaceAll(/-----.*-----|\n/g, ''), 'base64');
}
