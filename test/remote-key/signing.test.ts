import { constants, privateDecrypt, sign } from 'node:crypto';

import test from 'ava';
import { createContext, createRemoteKey, metrics } from 'libssl-async';

import { type KeyType, issue } from '../support/certificates.ts';
import { overDriversSerially } from '../support/drivers.ts';
import { authority } from '../support/identities.ts';
import { accepted, dial, nodeClient, serve, withNodeClient, withNodeServer } from '../support/peers.ts';
import { digestName, digestOf, growth, remote } from '../support/remote-keys.ts';

const TYPES: KeyType[] = ['rsa-2048', 'rsa-pss-2048', 'p-256', 'p-384', 'p-521', 'ed25519', 'ed448'];
const IDENTITIES = new Map(TYPES.map((type) => [type, issue({ type, issuer: authority })]));
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

for (const type of TYPES) {
  const identity = IDENTITIES.get(type)!;

  for (const version of VERSIONS) {
    const only = { minVersion: version, maxVersion: version };
    // What a client of node:tls offers by default leaves out ed448.
    const sigalgs = type === 'ed448' ? { sigalgs: 'ed448:ecdsa_secp256r1_sha256' } : {};

    overDriversSerially(`a server's key of type ${type} signs with ${version}`, async (t, recordIO) => {
      const { key, requests } = remote(identity);
      const before = metrics();
      const context = createContext({ key, cert: identity.cert });
      const { connection, peer } = await withNodeClient(t, { recordIO, context }, { ...only, ...sigalgs });
      t.true(peer.authorized);
      t.is(requests.length, 1);
      t.deepEqual(requests[0]!.digest, digestOf(requests[0]!));
      t.like(growth(before), { handshakes: 1, failed: 0, pauses: 1, resumes: 1, callbacks: 1, paused: 0 });
      t.is(connection.asyncStatus, 'ok');
      t.is(key.pending, 0);
    });
  }

  overDriversSerially(`a client's key of type ${type} signs`, async (t, recordIO) => {
    const client = issue({ type, issuer: authority, client: true, names: [], subject: 'client' });
    const { key, requests } = remote(client);
    const before = metrics();
    const context = createContext({ key, cert: client.cert, ca: authority.cert });
    const options = { requestCert: true, ca: authority.cert };
    const { peer } = await withNodeServer(t, { recordIO, context }, options);
    t.true(peer.authorized, String(peer.authorizationError));
    t.is(requests.length, 1);
    t.like(growth(before), { handshakes: 1, failed: 0, pauses: 1, resumes: 1, callbacks: 1, paused: 0 });
  });
}

overDriversSerially('a digest is all that a signer needs', async (t, recordIO) => {
  const identity = IDENTITIES.get('rsa-2048')!;
  const { key } = remote(identity, {
    schemes: ['rsa_pss_rsae_sha256'],
    sign: ({ scheme, digest, message }) => {
      t.is(scheme, 'rsa_pss_rsae_sha256');
      t.is(digest!.length, 32);
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      return sign('sha256', message, { key: identity.privateKey, padding, saltLength: 32 });
    },
  });
  const context = createContext({ key, cert: identity.cert });
  const { peer } = await withNodeClient(t, { recordIO, context });
  t.true(peer.authorized);
});

overDriversSerially('signatures as IEEE P1363 has them are taken, too', async (t, recordIO) => {
  for (const type of ['p-256', 'p-384', 'p-521'] as const) {
    const identity = IDENTITIES.get(type)!;
    const { key } = remote(identity, {
      signatureFormat: 'ieee-p1363',
      sign: ({ scheme, message }) =>
        sign(digestName(scheme), message, { key: identity.privateKey, dsaEncoding: 'ieee-p1363' }),
    });
    const context = createContext({ key, cert: identity.cert });
    const { peer } = await withNodeClient(t, { recordIO, context });
    t.true(peer.authorized);
  }
});

overDriversSerially('the RSA key exchange of TLS 1.2 decrypts', async (t, recordIO) => {
  const identity = IDENTITIES.get('rsa-2048')!;
  const before = metrics();
  let decryptions = 0;
  const { key, requests } = remote(identity, {
    decryptRaw: async ({ ciphertext, signal }) => {
      decryptions++;
      t.is(ciphertext.length, 256);
      t.false(signal.aborted);
      return privateDecrypt({ key: identity.privateKey, padding: constants.RSA_NO_PADDING }, ciphertext);
    },
  });
  const ciphers = 'AES128-GCM-SHA256';
  const context = createContext({ key, cert: identity.cert, ciphers: `${ciphers}:@SECLEVEL=0` });
  const { connection, peer } = await withNodeClient(t, { recordIO, context }, { ciphers, maxVersion: 'TLSv1.2' });
  t.is(connection.cipher!.name, ciphers);
  t.true(peer.authorized);
  t.is(decryptions, 1);
  t.is(requests.length, 0);
  t.like(growth(before), { handshakes: 1, failed: 0, pauses: 1, resumes: 1, callbacks: 1 });
});

overDriversSerially('schemes narrow what is negotiated', async (t, recordIO) => {
  const identity = IDENTITIES.get('rsa-2048')!;
  for (const scheme of ['rsa_pss_rsae_sha512', 'rsa_pss_rsae_sha384']) {
    const { key, requests } = remote(identity, { schemes: [scheme] });
    const context = createContext({ key, cert: identity.cert });
    await withNodeClient(t, { recordIO, context });
    t.deepEqual(
      requests.map((request) => request.scheme),
      [scheme],
    );
  }
});

overDriversSerially('a synchronous answer is as good as a promise', async (t, recordIO) => {
  const identity = IDENTITIES.get('p-256')!;
  const before = metrics();
  const { key } = remote(identity, { sign: ({ message }) => sign('sha256', message, identity.privateKey) });
  const context = createContext({ key, cert: identity.cert });
  await withNodeClient(t, { recordIO, context });
  t.like(growth(before), { pauses: 1, callbacks: 1, resumes: 1 });
});

test.serial('no more requests run at once than the key allows, and none is lost', async (t) => {
  const identity = IDENTITIES.get('p-256')!;
  let running = 0;
  let most = 0;
  const { key, requests } = remote(identity, {
    concurrency: 3,
    sign: async ({ message }) => {
      most = Math.max(most, ++running);
      const signature = await new Promise<Buffer>((resolve, reject) => {
        sign('sha256', message, identity.privateKey, (error, result) => (error ? reject(error) : resolve(result)));
      });
      running--;
      return signature;
    },
  });
  const { port } = await serve(t, { context: createContext({ key, cert: identity.cert }) });
  await Promise.all(Array.from({ length: 40 }, () => nodeClient(t, port)));
  t.is(requests.length, 40);
  t.is(most, 3);
});

test.serial('a key may be named by its public half, in any form', async (t) => {
  const identity = IDENTITIES.get('p-256')!;
  const forms = [
    { publicKey: identity.publicKey },
    { publicKey: identity.privateKey },
    { publicKey: identity.publicKey.export({ type: 'spki', format: 'pem' }) as string },
    { publicKey: identity.publicKey.export({ type: 'spki', format: 'der' }) },
    { certificate: identity.der },
  ];
  for (const form of forms) {
    const key = createRemoteKey({ ...form, sign: ({ message }) => sign('sha256', message, identity.privateKey) });
    const { server, port } = await serve(t, { context: createContext({ key, cert: identity.cert }) });
    const [ours] = await Promise.all([accepted(server), dial(t, port)]);
    t.is(ours.asyncStatus, 'ok');
  }
});
