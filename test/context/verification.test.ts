// Peers that are trusted, and peers that are not.

import { once } from 'node:events';

import test from 'ava';
import { createContext } from 'libssl-async';

import { type Identity, issue, issueAuthority, revoke } from '../support/certificates.ts';
import { type TlsFailure, connected, refused } from '../support/meeting.ts';
import { dial, nodeClientSocket, nodeServer, serve } from '../support/peers.ts';

const authority = issueAuthority();
const good = issue({ issuer: authority });
const selfSigned = issue();
const expired = issue({ issuer: authority, expired: true });
const revoked = issue({ issuer: authority });
const crl = revoke(authority, [revoked]);
const ca = authority.cert;

const server = ({ key, cert }: Identity): { key: string; cert: string } => ({ key, cert });

const cases = [
  { what: 'expired', identity: expired, options: { ca }, code: 'CERT_HAS_EXPIRED', alert: 'certificate_expired' },
  {
    what: 'self-signed',
    identity: selfSigned,
    options: { ca },
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    alert: 'unknown_ca',
  },
  {
    what: 'of an unknown authority',
    identity: good,
    options: { ca: [] },
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    alert: 'unknown_ca',
  },
  {
    what: 'of an authority that Node does not know',
    identity: good,
    options: {},
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    alert: 'unknown_ca',
  },
  { what: 'revoked', identity: revoked, options: { ca, crl }, code: 'CERT_REVOKED', alert: 'certificate_revoked' },
  {
    what: 'for clients',
    identity: issue({ issuer: authority, client: true }),
    options: { ca },
    code: 'INVALID_PURPOSE',
    alert: 'unsupported_certificate',
  },
];

for (const { what, identity, options, code, alert } of cases) {
  test(`a server whose certificate is ${what} is refused in the handshake`, async (t) => {
    const failures = await refused(t, server(identity), options);
    t.like(failures.client, { name: 'TlsError', code, alert, alertReceived: false });
    t.like(failures.server, { name: 'TlsError', alert, alertReceived: true });
  });

  test(`a server whose certificate is ${what} is told, if it is not to be refused`, async (t) => {
    const { client } = await connected(t, server(identity), { ...options, rejectUnauthorized: false });
    t.false(client.authorized);
    t.is(client.authorizationError, code);
  });
}

/** More than one thing is wrong with these. */
const combined = [
  { what: 'expired and self-signed', identity: issue({ expired: true }), options: { ca } },
  { what: 'expired and of an unknown authority', identity: expired, options: { ca: [] } },
  { what: 'expired and revoked', identity: expired, options: { ca, crl: revoke(authority, [expired]) } },
  { what: 'of an authority without a list', identity: good, options: { ca, crl: revoke(issueAuthority(), []) } },
];

for (const { what, identity, options } of [...cases, ...combined]) {
  test(`node:tls gives the same code for a server whose certificate is ${what}`, async (t) => {
    const failures = await refused(t, server(identity), options);
    const { port } = await serve(t, { context: createContext(server(identity)) });
    const socket = nodeClientSocket(t, port, { ca: undefined, ...options, servername: 'localhost' });
    const [error] = (await once(socket, 'error')) as [TlsFailure];
    t.is(failures.client.code, error.code);
    // Newer versions of Node add advice.
    t.true(error.message.startsWith(failures.client.message));
  });
}

test('a server of another name is refused', async (t) => {
  const { key, cert } = issue({ issuer: authority, names: ['other'] });
  const error = await t.throwsAsync(connected(t, { key, cert }, { ca }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  t.regex(error.message, /localhost/);
});

test('a server without a certificate is refused', async (t) => {
  const anonymous = { ciphers: 'AECDH-AES128-SHA@SECLEVEL=0', maxVersion: 'TLSv1.2' } as const;
  const port = await nodeServer(t, () => {}, { key: undefined, cert: undefined, ...anonymous });
  const context = createContext({ ca, ...anonymous });
  await t.throwsAsync(dial(t, port, { context }), { name: 'TlsError', code: 'UNABLE_TO_GET_ISSUER_CERT' });
  const connection = await dial(t, port, { context, rejectUnauthorized: false });
  t.false(connection.authorized);
  t.is(connection.authorizationError, 'UNABLE_TO_GET_ISSUER_CERT');
});

test('a resumed session is for one name alone', async (t) => {
  const { server: ours, port } = await serve(t, { context: createContext(server(good)) });
  ours.on('connection', (connection) => void connection.write('x'));
  const context = createContext({ ca });
  const first = await dial(t, port, { context, servername: 'localhost' });
  await first.read();
  await t.throwsAsync(dial(t, port, { context, servername: 'other', session: first.getSession() }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});

test('connect() may go on with a server that its context would refuse', async (t) => {
  const { client } = await connected(t, server(selfSigned), { ca }, { rejectUnauthorized: false });
  t.is(client.authorizationError, 'DEPTH_ZERO_SELF_SIGNED_CERT');
});

const client = issue({ issuer: authority, client: true, names: [], subject: 'client' });
const asking = { ...server(good), ca, requestCert: true };

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a client with a certificate, ${maxVersion}`, async (t) => {
    const ends = await connected(t, { ...asking, maxVersion }, { ca, ...server(client) });
    t.true(ends.server.authorized);
    t.is(ends.server.peerCertificate?.subject, 'CN=client');
  });

  test(`a client without a certificate is refused, ${maxVersion}`, async (t) => {
    const failures = await refused(t, { ...asking, maxVersion }, { ca });
    const alert = maxVersion === 'TLSv1.3' ? 'certificate_required' : 'handshake_failure';
    t.like(failures.server, { code: 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', alert, alertReceived: false });
    t.like(failures.client, { alert, alertReceived: true });
  });

  test(`a client with an unknown certificate is refused, ${maxVersion}`, async (t) => {
    const { key, cert } = issue({ client: true });
    const failures = await refused(t, { ...asking, maxVersion }, { ca, key, cert });
    t.like(failures.server, { code: 'DEPTH_ZERO_SELF_SIGNED_CERT', alert: 'unknown_ca' });
    t.like(failures.client, { alert: 'unknown_ca', alertReceived: true });
  });
}

test('a server that refuses no client tells what is wrong with it', async (t) => {
  const options = { ...asking, rejectUnauthorized: false };
  const none = await connected(t, options, { ca });
  t.false(none.server.authorized);
  const { key, cert } = issue({ client: true });
  const unknown = await connected(t, options, { ca, key, cert });
  t.is(unknown.server.authorizationError, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  const known = await connected(t, options, { ca, ...server(client) });
  t.true(known.server.authorized);
});
