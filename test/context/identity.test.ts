// Handshakes with all kinds of keys and certificates.

import test from 'ava';

import { fixture, issue, issueAuthority } from '../support/certificates.ts';
import { connected, refused } from '../support/meeting.ts';

const authority = issueAuthority();

for (const type of ['rsa-2048', 'rsa-3072', 'rsa-pss-2048', 'p-256', 'p-384', 'p-521', 'ed25519', 'ed448'] as const) {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`${type}, ${version}`, async (t) => {
      const { key, cert } = issue({ type, issuer: authority });
      const { client } = await connected(t, { key, cert, maxVersion: version }, { ca: authority.cert });
      t.is(client.protocol, version);
      t.true(client.authorized);
      t.is(client.peerCertificate?.subject, 'CN=localhost');
    });
  }
}

test('ML-DSA-65', async (t) => {
  const file = fixture('ml-dsa-65.pem');
  const { client } = await connected(t, { key: file, cert: file }, { ca: file });
  t.true(client.authorized);
});

test('pfx: its key for a server, its authority for a client', async (t) => {
  const pfx = { pfx: fixture('legacy.p12'), passphrase: 'secret' };
  const { client } = await connected(t, pfx, { ...pfx, ca: [] });
  t.true(client.authorized);
  // The root is not sent.
  t.is(client.peerCertificates.length, 1);
});

test('a server with two certificates takes the one that fits the client', async (t) => {
  const rsa = issue({ type: 'rsa-2048', issuer: authority, subject: 'rsa' });
  const ec = issue({ type: 'p-256', issuer: authority, subject: 'ec' });
  const server = { key: [rsa.key, ec.key], cert: [ec.cert, rsa.cert] };
  for (const [ciphers, subject] of [
    ['ECDHE-RSA-AES128-GCM-SHA256', 'CN=rsa'],
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'CN=ec'],
  ] as const) {
    const { client } = await connected(t, server, { ca: authority.cert, ciphers, maxVersion: 'TLSv1.2' });
    t.is(client.peerCertificate?.subject, subject);
  }
});

const intermediate = issue({ subject: 'intermediate', names: [], issuer: authority, authority: true });
const leaf = issue({ issuer: intermediate });

test('a chain in cert', async (t) => {
  const { key, cert } = leaf;
  const { client } = await connected(t, { key, cert: cert + intermediate.cert }, { ca: authority.cert });
  t.deepEqual(
    client.peerCertificates.map(({ subject }) => subject),
    ['CN=localhost', 'CN=intermediate'],
  );
});

test('a chain that is completed from ca, without the root', async (t) => {
  const { key, cert } = leaf;
  const { client } = await connected(t, { key, cert, ca: [authority.cert, intermediate.cert] }, { ca: authority.cert });
  t.deepEqual(
    client.peerCertificates.map(({ subject }) => subject),
    ['CN=localhost', 'CN=intermediate'],
  );
});

test('allowPartialTrustChain: an intermediate certificate may be trusted', async (t) => {
  const { key, cert } = leaf;
  const ca = intermediate.cert;
  const { client } = await connected(t, { key, cert }, { ca, allowPartialTrustChain: true });
  t.true(client.authorized);
  const failures = await refused(t, { key, cert }, { ca });
  t.is(failures.client.code, 'UNABLE_TO_GET_ISSUER_CERT');
});
