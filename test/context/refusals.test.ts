// Options that contexts refuse, each by a message that names it and a stable code.

import test, { type ExecutionContext } from 'ava';
import { createContext } from 'libssl-async';

import { fixture, issue, issueAuthority } from '../support/certificates.ts';

const ENCRYPTION = { cipher: 'aes-256-cbc', passphrase: 'secret' };
const authority = issueAuthority();
const identity = issue({ issuer: authority });
const rsa = issue({ type: 'rsa-2048', issuer: authority });
/** In PEM and in DER, with the passphrase `secret`. */
const encryptedPem = identity.privateKey.export({ type: 'pkcs8', format: 'pem', ...ENCRYPTION });
const encryptedDer = identity.privateKey.export({ type: 'pkcs8', format: 'der', ...ENCRYPTION });

/** What is refused: with this code, of this class, by a message that names the option. */
interface Refusal {
  code: string;
  says: RegExp;
  name?: string;
  option?: string;
}

const refuses = test.macro((t: ExecutionContext, options: object, { code, says, name, option }: Refusal) => {
  const error = t.throws(() => createContext(options), { code });
  t.regex(error.message, says);
  if (name !== undefined) t.is(error.name, name);
  if (option !== undefined) t.is((error as { option?: string }).option, option);
});

const UNKNOWN = { code: 'ERR_LIBSSL_ASYNC_UNKNOWN_OPTION', name: 'LibsslAsyncError' };
const UNSUPPORTED = { code: 'ERR_LIBSSL_ASYNC_UNSUPPORTED_OPTION' };
const WRONG_TYPE = { code: 'ERR_INVALID_ARG_TYPE', name: 'TypeError' };
const WRONG_VALUE = { code: 'ERR_INVALID_ARG_VALUE', name: 'TypeError' };
const OUT_OF_RANGE = { code: 'ERR_OUT_OF_RANGE', name: 'RangeError' };
const MISMATCH = { code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH', name: 'TlsError' };
const NO_CIPHER = { code: 'ERR_SSL_NO_CIPHER_MATCH', name: 'TlsError' };
const WRONG_PASSPHRASE = { code: 'ERR_LIBSSL_ASYNC_WRONG_PASSPHRASE', says: /passphrase/ };
const MISSING_PASSPHRASE = { code: 'ERR_MISSING_PASSPHRASE', name: 'TypeError', says: /give its passphrase/ };
const BAD_KEY = { code: 'ERR_LIBSSL_ASYNC_INVALID_KEY' };
const BAD_CERTIFICATE = { code: 'ERR_LIBSSL_ASYNC_INVALID_CERTIFICATE' };
const BAD_PFX = { code: 'ERR_LIBSSL_ASYNC_INVALID_PFX' };

test('a misspelt option', refuses, { cetr: '' }, { ...UNKNOWN, says: /cetr .*did you mean cert\?/, option: 'cetr' });
test('an option in another case', refuses, { alpnProtocols: [] }, { ...UNKNOWN, says: /did you mean ALPNProtocols\?/ });
test('an option like no other', refuses, { frobnicate: 1 }, { ...UNKNOWN, says: /^options\.frobnicate is no option$/ });
test('secureProtocol', refuses, { secureProtocol: 'x' }, { ...UNSUPPORTED, says: /minVersion and maxVersion/ });
test('an option of connect()', refuses, { servername: 'x' }, { ...UNSUPPORTED, says: /option of connect\(\)/ });
test('options that are null', (t) => {
  t.throws(() => createContext(null as never), { code: 'ERR_INVALID_ARG_TYPE', instanceOf: TypeError });
});

test('a key that is a number', refuses, { key: 5 }, { ...WRONG_TYPE, says: /options\.key must be .*received 5/ });
test(
  'a key that is public',
  refuses,
  { key: identity.publicKey },
  { ...WRONG_VALUE, says: /private key; it is a public/ },
);
test(
  'a key that is a certificate',
  refuses,
  { key: rsa.cert },
  { ...BAD_KEY, says: /no private key: PEM of CERTIFICATE/ },
);
test(
  'a key that is neither PEM nor DER',
  refuses,
  { key: [identity.key, 'x'], cert: identity.cert },
  {
    ...BAD_KEY,
    says: /options\.key\[1\]: no private key: neither PEM nor valid DER/,
    option: 'key[1]',
  },
);
test(
  'a garbled key',
  refuses,
  { key: identity.key.replaceAll('M', 'N') },
  { ...BAD_KEY, says: /garbled/, option: 'key' },
);
test('an encrypted key without a passphrase', refuses, { key: encryptedPem }, MISSING_PASSPHRASE);
test('an encrypted key in DER without a passphrase', refuses, { key: encryptedDer }, MISSING_PASSPHRASE);
test('a wrong passphrase', refuses, { key: encryptedPem, passphrase: 'wrong' }, WRONG_PASSPHRASE);
test('a wrong passphrase in DER', refuses, { key: { pem: encryptedDer, passphrase: '' } }, WRONG_PASSPHRASE);
test(
  'a passphrase that is a number, which is not told',
  refuses,
  { passphrase: 1234 },
  {
    ...WRONG_TYPE,
    says: /^(?!.*1234).*options\.passphrase/,
  },
);
test('a passphrase with a NUL', refuses, { passphrase: 'a\0b' }, { ...WRONG_VALUE, says: /options\.passphrase.*NUL/ });

test('a certificate that is a key', refuses, { cert: rsa.key }, { ...BAD_CERTIFICATE, says: /PEM of PRIVATE KEY/ });
test(
  'a garbled certificate in a chain',
  refuses,
  { cert: rsa.cert + rsa.cert.replaceAll('M', 'N') },
  {
    ...BAD_CERTIFICATE,
    says: /options\.cert: certificate number 2 is garbled/,
  },
);
test(
  'a certificate that is cut short',
  refuses,
  { cert: rsa.cert.slice(0, 300) },
  { ...BAD_CERTIFICATE, says: /garbled/ },
);
test(
  'garbage in DER',
  refuses,
  { ca: [authority.der, Buffer.from('x')] },
  {
    ...BAD_CERTIFICATE,
    says: /options\.ca\[1\]: no certificate/,
    option: 'ca[1]',
  },
);
test('a key without a certificate', refuses, { key: rsa.key }, { ...MISMATCH, says: /options\.key: .*option cert/ });
test('a certificate without a key', refuses, { cert: rsa.cert }, { ...MISMATCH, says: /options\.cert: .*option key/ });
test(
  'a certificate of another key',
  refuses,
  { key: issue().key, cert: [identity.cert] },
  {
    ...MISMATCH,
    says: /options\.cert\[0\]/,
  },
);
test(
  'a key too many',
  refuses,
  { key: [identity.key, rsa.key], cert: identity.cert },
  { ...MISMATCH, says: /options\.key\[1\]/ },
);
test(
  'a chain that begins with the issuer',
  refuses,
  { key: identity.key, cert: authority.cert + identity.cert },
  {
    ...MISMATCH,
    says: /has to come first/,
  },
);
test(
  'two certificates of one type',
  refuses,
  { key: [identity.key, authority.key], cert: [identity.cert, authority.cert] },
  {
    ...WRONG_VALUE,
    says: /options\.cert\[1\]: .*cert\[0\] is EC too/,
  },
);

test('pfx with a wrong passphrase', refuses, { pfx: fixture('modern.p12'), passphrase: 'wrong' }, WRONG_PASSPHRASE);
test(
  'pfx with retired algorithms and a wrong passphrase',
  refuses,
  { pfx: fixture('legacy.p12'), passphrase: 'x' },
  WRONG_PASSPHRASE,
);
test('pfx that needs a passphrase', refuses, { pfx: fixture('modern.p12') }, MISSING_PASSPHRASE);
test(
  'pfx that is none',
  refuses,
  { pfx: [Buffer.from(rsa.key)] },
  { ...BAD_PFX, says: /options\.pfx\[0\]: no PKCS #12/ },
);
test('pfx that is a string', refuses, { pfx: 'x' }, { ...WRONG_TYPE, says: /options\.pfx must be/ });

test(
  'crl that is none',
  refuses,
  { crl: rsa.cert },
  { code: 'ERR_LIBSSL_ASYNC_INVALID_CRL', says: /options\.crl: no certificate rev/ },
);
test(
  'dhparam that is none',
  refuses,
  { dhparam: 'Auto' },
  { code: 'ERR_LIBSSL_ASYNC_INVALID_DHPARAM', says: /options\.dhparam/ },
);

test('an unknown cipher', refuses, { ciphers: 'HIGH:AES999' }, { ...NO_CIPHER, says: /options\.ciphers: .*"AES999"/ });
test('an unknown suite', refuses, { ciphers: 'TLS_AES_512' }, { ...NO_CIPHER, says: /"TLS_AES_512"/ });
test(
  'suites of TLS 1.3 alone without TLS 1.3',
  refuses,
  { ciphers: 'TLS_AES_128_GCM_SHA256', maxVersion: 'TLSv1.2' },
  {
    ...NO_CIPHER,
    says: /no cipher for TLSv1\.2/,
  },
);
test('no ciphers', refuses, { ciphers: '' }, { ...WRONG_VALUE, says: /options\.ciphers .*empty/ });
test(
  'an unknown group',
  refuses,
  { groups: 'X25519:FOO' },
  { code: 'ERR_LIBSSL_ASYNC_UNKNOWN_GROUP', says: /groups: .*"FOO"/ },
);
test(
  'an unknown curve',
  refuses,
  { ecdhCurve: 'FOO' },
  { code: 'ERR_LIBSSL_ASYNC_UNKNOWN_GROUP', says: /ecdhCurve: .*"FOO"/ },
);
test(
  'groups twice',
  refuses,
  { groups: 'P-256', ecdhCurve: 'P-256' },
  { ...WRONG_VALUE, says: /options\.groups.*ecdhCurve/ },
);
test(
  'an unknown signature algorithm',
  refuses,
  { sigalgs: 'ed25519:FOO' },
  {
    code: 'ERR_LIBSSL_ASYNC_UNKNOWN_SIGALG',
    says: /options\.sigalgs: .*"FOO"/,
  },
);
test(
  'an unknown version',
  refuses,
  { minVersion: 'SSLv3' },
  {
    code: 'ERR_TLS_INVALID_PROTOCOL_VERSION',
    name: 'TypeError',
    says: /options\.minVersion must be one of .*'SSLv3'/,
  },
);
test(
  'a version that is a number',
  refuses,
  { maxVersion: 1.3 },
  { code: 'ERR_INVALID_ARG_TYPE', says: /options\.maxVersion/ },
);
test(
  'versions the wrong way round',
  refuses,
  { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' },
  {
    ...WRONG_VALUE,
    says: /options\.minVersion must be at most maxVersion/,
  },
);
test(
  'a newest version that is too old',
  refuses,
  { maxVersion: 'TLSv1.1' },
  { ...WRONG_VALUE, says: /options\.maxVersion must be/ },
);

test(
  'a boolean that is a number',
  refuses,
  { requestCert: 1 },
  { ...WRONG_TYPE, says: /options\.requestCert must be true or false/ },
);
test(
  'a timeout of 0',
  refuses,
  { sessionTimeout: 0 },
  { ...OUT_OF_RANGE, says: /options\.sessionTimeout .*from 1 to/ },
);
test('a timeout that is text', refuses, { sessionTimeout: '60' }, { ...WRONG_TYPE, says: /options\.sessionTimeout/ });
test('half a ticket', refuses, { tickets: 0.5 }, { ...OUT_OF_RANGE, says: /options\.tickets/ });
test('secureOptions below 0', refuses, { secureOptions: -1 }, { ...OUT_OF_RANGE, says: /options\.secureOptions/ });
test(
  'ticketKeys of 47 bytes',
  refuses,
  { ticketKeys: Buffer.alloc(47) },
  { ...WRONG_VALUE, says: /ticketKeys must be 48 bytes; it has 47/ },
);
test('no ticketKeys', refuses, { ticketKeys: [] }, { ...WRONG_VALUE, says: /ticketKeys must be at least one key/ });
test(
  'the second of ticketKeys too long',
  refuses,
  { ticketKeys: [Buffer.alloc(48), Buffer.alloc(49)] },
  { ...WRONG_VALUE, says: /ticketKeys\[1\] must be 48 bytes; it has 49/ },
);
test(
  'ticketKeys that are text',
  refuses,
  { ticketKeys: 'k'.repeat(48) },
  { ...WRONG_TYPE, says: /^(?!.*kkk).*ticketKeys/ },
);
test(
  'a long sessionIdContext',
  refuses,
  { sessionIdContext: 'x'.repeat(33) },
  { ...WRONG_VALUE, says: /options\.sessionIdContext/ },
);
test(
  'a protocol without a name',
  refuses,
  { ALPNProtocols: ['h2', ''] },
  { ...WRONG_VALUE, says: /ALPNProtocols\[1\]/ },
);
test(
  'a protocol with a long name',
  refuses,
  { ALPNProtocols: ['x'.repeat(256)] },
  { ...WRONG_VALUE, says: /it has 256/ },
);
test(
  'a wire format that is wrong',
  refuses,
  { ALPNProtocols: Buffer.from('\x02h2\x09http/1.1') },
  {
    ...WRONG_VALUE,
    says: /length at byte 3/,
  },
);
test('protocols that are text', refuses, { ALPNProtocols: 'h2' }, { ...WRONG_TYPE, says: /options\.ALPNProtocols/ });

test('an error of OpenSSL tells its library and its reason', (t) => {
  const error = t.throws<Error & { library?: string; reason?: string }>(() => createContext({ cert: 'x' }));
  t.is(error?.library, 'asn1 encoding routines');
  t.is(typeof error?.reason, 'string');
});

test('a callback that is no function', (t) => {
  t.throws(() => createContext().setAsyncCallback('x' as never, 1), {
    code: 'ERR_INVALID_ARG_TYPE',
    message: /fn must be/,
  });
});
