// Options of remote keys that are refused, each by a message that names it and a stable code.

import { createSecretKey, generateKeyPairSync } from 'node:crypto';

import test, { type ExecutionContext } from 'ava';
import { createRemoteKey } from 'libssl-async';

import { issue } from '../support/certificates.ts';

const identity = issue();
const sign = (): Buffer => Buffer.alloc(64);
const certificate = identity.cert;
const sound = { certificate, sign };

const refuses = test.macro((t: ExecutionContext, options: unknown, code: string, message: RegExp) => {
  t.throws(() => createRemoteKey(options as never), { code, message });
});

const TYPE = 'ERR_INVALID_ARG_TYPE';
const VALUE = 'ERR_INVALID_ARG_VALUE';
const RANGE = 'ERR_OUT_OF_RANGE';
const UNKNOWN = 'ERR_LIBSSL_ASYNC_UNKNOWN_OPTION';
const UNSUPPORTED = 'ERR_LIBSSL_ASYNC_UNSUPPORTED_OPTION';

test('options that are null', refuses, null, TYPE, /^options must be an object/);
test('a misspelt option', refuses, { ...sound, timout: 1 }, UNKNOWN, /options\.timout .*did you mean timeout\?/);
test('the private key', refuses, { ...sound, key: identity.key }, UNSUPPORTED, /options\.key .*elsewhere/);
test('no signer', refuses, { certificate }, TYPE, /^options\.sign must be a function/);
test('a signer that is none', refuses, { certificate, sign: 'sha256' }, TYPE, /^options\.sign must be a function/);
test('neither half', refuses, { sign }, TYPE, /^options\.certificate must be .* unless publicKey is given/);
test(
  'both halves',
  refuses,
  { ...sound, publicKey: identity.publicKey },
  VALUE,
  /^options\.publicKey must be left out/,
);
test('a certificate that is a number', refuses, { certificate: 5, sign }, TYPE, /^options\.certificate must be PEM/);
test('a certificate that is junk', refuses, { certificate: 'junk', sign }, VALUE, /^options\.certificate: .*neither/);
test('a certificate that is empty', refuses, { certificate: Buffer.of(), sign }, VALUE, /^options\.certificate: /);
test('a private key for a certificate', refuses, { certificate: identity.key, sign }, VALUE, /^options\.certificate: /);
test('a public key that is junk', refuses, { publicKey: 'junk', sign }, VALUE, /^options\.publicKey: .*neither/);
test('a public key that is an object', refuses, { publicKey: {}, sign }, TYPE, /^options\.publicKey must be PEM/);
test(
  'a public key that is secret',
  refuses,
  { publicKey: createSecretKey(Buffer.alloc(16)), sign },
  TYPE,
  /^options\.publicKey must be .*key pair/,
);
test(
  'a key that cannot sign',
  refuses,
  { publicKey: generateKeyPairSync('x25519').publicKey, sign },
  VALUE,
  /^options\.publicKey: .*cannot be remote/,
);
test('a scheme that there is not', refuses, { ...sound, schemes: ['rsa_md5'] }, VALUE, /^options\.schemes: .*rsa_md5/);
test(
  'a scheme of other keys',
  refuses,
  { ...sound, schemes: ['rsa_pss_rsae_sha256'] },
  VALUE,
  /^options\.schemes: .*rsa_pss_rsae_sha256/,
);
test('no schemes', refuses, { ...sound, schemes: [] }, VALUE, /^options\.schemes: .*at least one/);
test('schemes that are text', refuses, { ...sound, schemes: 'ed25519' }, TYPE, /^options\.schemes must be an array/);
test('a scheme that is a number', refuses, { ...sound, schemes: [5] }, TYPE, /^options\.schemes must be an array/);
test('a concurrency of 0', refuses, { ...sound, concurrency: 0 }, RANGE, /^options\.concurrency .*from 1/);
test('a concurrency that is text', refuses, { ...sound, concurrency: '8' }, TYPE, /^options\.concurrency/);
test('a time below 0', refuses, { ...sound, timeout: -1 }, RANGE, /^options\.timeout .*from 1/);
test('a time that is too long', refuses, { ...sound, timeout: 2 ** 32 }, RANGE, /^options\.timeout/);
test(
  'another format',
  refuses,
  { ...sound, signatureFormat: 'raw' },
  TYPE,
  /^options\.signatureFormat must be 'der' or/,
);
test('a decryptor that is none', refuses, { ...sound, decryptRaw: 5 }, TYPE, /^options\.decryptRaw must be a function/);
test('a boolean that is text', refuses, { ...sound, verifySignatures: 'no' }, TYPE, /^options\.verifySignatures must/);
