// Contexts whose remote key does not do all that its type can.

import { constants, sign } from 'node:crypto';

import test from 'ava';
import { type RemoteKey, createRemoteKey } from 'libssl-async';

import { type Identity, issue, issueAuthority } from '../support/certificates.ts';
import { connected, refused } from '../support/meeting.ts';

const authority = issueAuthority();
const ca = authority.cert;
const rsa = issue({ type: 'rsa-2048', issuer: authority, subject: 'rsa' });
const ec = issue({ issuer: authority, subject: 'ec' });
const client = issue({ type: 'p-384', issuer: authority, client: true });

/** The schemes that it signed with. */
function remote(identity: Identity, ...schemes: string[]): { key: RemoteKey; used: string[] } {
  const used: string[] = [];
  const key = createRemoteKey({
    certificate: identity.cert,
    schemes,
    sign({ scheme, message }) {
      used.push(scheme);
      const padding = scheme.includes('pss') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
      const salt = { padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
      return sign(scheme.slice(-6), message, { key: identity.privateKey, ...salt });
    },
  });
  return { key, used };
}

const SHA256 = 'rsa_pss_rsae_sha256';
const SHA384 = 'rsa_pss_rsae_sha384';

test('a server signs with a scheme of its key, whatever the client prefers', async (t) => {
  const { key, used } = remote(rsa, SHA384);
  await connected(t, { key, cert: rsa.cert }, { ca, sigalgs: `${SHA256}:${SHA384}:ecdsa_secp256r1_sha256` });
  t.deepEqual(used, [SHA384]);
});

test('a server whose key has no scheme of the client refuses it', async (t) => {
  const { key, used } = remote(rsa, SHA384);
  const failures = await refused(t, { key, cert: rsa.cert }, { ca, sigalgs: `${SHA256}:ecdsa_secp256r1_sha256` });
  t.is(failures.client.alert, 'handshake_failure');
  t.deepEqual(used, []);
});

test('another key of the same server is not narrowed', async (t) => {
  const { key } = remote(rsa, SHA384);
  const server = { key: [key, ec.key], cert: [rsa.cert, ec.cert] };
  const ends = await connected(t, server, { ca, sigalgs: `${SHA256}:ecdsa_secp256r1_sha256` });
  t.is(ends.client.peerCertificate?.subject, 'CN=ec');
});

test('sigalgs narrow it further', async (t) => {
  const { key, used } = remote(rsa, SHA256, SHA384);
  await connected(t, { key, cert: rsa.cert, sigalgs: `${SHA384}:ed25519` }, { ca });
  t.deepEqual(used, [SHA384]);
});

test('what clients sign with is not narrowed', async (t) => {
  const { key } = remote(rsa, SHA384);
  const ends = await connected(
    t,
    { key, cert: rsa.cert, ca, requestCert: true },
    { ca, key: client.key, cert: client.cert },
  );
  t.true(ends.server.authorized);
});

test('a client signs with a scheme of its key, and accepts others of servers', async (t) => {
  const identity = issue({ type: 'rsa-2048', issuer: authority, client: true, subject: 'client' });
  const { key, used } = remote(identity, SHA384);
  const ends = await connected(
    t,
    { key: ec.key, cert: ec.cert, ca, requestCert: true },
    { ca, key, cert: identity.cert },
  );
  t.is(ends.server.peerCertificate?.subject, 'CN=client');
  t.deepEqual(used, [SHA384]);
});
