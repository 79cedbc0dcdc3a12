// What two contexts agree on.

import test from 'ava';
import { createContext } from 'libssl-async';

import { fixture, issue, issueAuthority } from '../support/certificates.ts';
import { connected, refused } from '../support/meeting.ts';
import { nodeClient, serve } from '../support/peers.ts';

const authority = issueAuthority();
const { key, cert } = issue({ type: 'rsa-2048', issuer: authority });
const server = { key, cert };
const client = { ca: authority.cert };

test('ALPN: the first of the server that the client offers', async (t) => {
  const ends = await connected(
    t,
    { ...server, ALPNProtocols: ['a', 'h2', 'http/1.1'] },
    { ...client, ALPNProtocols: ['http/1.1', 'h2'] },
  );
  t.is(ends.client.alpnProtocol, 'h2');
  t.is(ends.server.alpnProtocol, 'h2');
});

test('ALPN: connect() offers others than its context', async (t) => {
  const options = { ALPNProtocols: ['b'] };
  const ends = await connected(
    t,
    { ...server, ALPNProtocols: ['a', 'b'] },
    { ...client, ALPNProtocols: ['a'] },
    options,
  );
  t.is(ends.client.alpnProtocol, 'b');
});

test('ALPN: nothing in common fails the handshake', async (t) => {
  const failures = await refused(t, { ...server, ALPNProtocols: ['h2'] }, { ...client, ALPNProtocols: ['h3'] });
  t.like(failures.server, { alert: 'no_application_protocol', alertReceived: false });
  t.like(failures.client, { alert: 'no_application_protocol', alertReceived: true });
});

test('ALPN: a side that has no protocols does not care', async (t) => {
  const offered = await connected(t, server, { ...client, ALPNProtocols: ['h2'] });
  t.is(offered.client.alpnProtocol, false);
  const wanted = await connected(t, { ...server, ALPNProtocols: ['h2'] }, client);
  t.is(wanted.server.alpnProtocol, false);
});

test('versions that do not meet', async (t) => {
  const failures = await refused(t, { ...server, maxVersion: 'TLSv1.2' }, { ...client, minVersion: 'TLSv1.3' });
  t.like(failures.server, { code: 'ERR_SSL_UNSUPPORTED_PROTOCOL', alert: 'protocol_version' });
  t.like(failures.client, { alert: 'protocol_version', alertReceived: true });
});

test('suites of TLS 1.3 alone switch older versions off', async (t) => {
  const options = { ...server, ciphers: 'TLS_AES_128_GCM_SHA256' };
  const ends = await connected(t, options, client);
  t.is(ends.client.cipher?.standardName, 'TLS_AES_128_GCM_SHA256');
  const failures = await refused(t, options, { ...client, maxVersion: 'TLSv1.2' });
  t.is(failures.server.alert, 'protocol_version');
});

test('TLS 1.0 at the security level 0', async (t) => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const ends = await connected(t, { ...server, ...old }, { ...client, ...old });
  t.is(ends.client.protocol, 'TLSv1');
});

test('honorCipherOrder: whose order counts', async (t) => {
  const options = {
    ...server,
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256',
  } as const;
  const other = { ...client, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384' };
  const ours = await connected(t, options, other);
  t.is(ours.client.cipher?.name, 'ECDHE-RSA-AES256-GCM-SHA384');
  const theirs = await connected(t, { ...options, honorCipherOrder: false }, other);
  t.is(theirs.client.cipher?.name, 'ECDHE-RSA-AES128-GCM-SHA256');
});

for (const [what, dhparam] of [
  ['auto', 'auto'],
  ['parameters', fixture('dh-2048.pem')],
] as const) {
  test(`dhparam: ${what}`, async (t) => {
    const ciphers = 'DHE-RSA-AES128-GCM-SHA256';
    const ends = await connected(t, { ...server, dhparam, maxVersion: 'TLSv1.2' }, { ...client, ciphers });
    t.is(ends.client.cipher?.name, ciphers);
  });
}

test('groups', async (t) => {
  const { port } = await serve(t, { context: createContext({ ...server, groups: 'P-384' }) });
  const peer = await nodeClient(t, port, { ...client, servername: 'localhost', ecdhCurve: 'X25519:P-256:P-384' });
  t.like(peer.getEphemeralKeyInfo(), { type: 'ECDH', name: 'secp384r1' });
});

test('groups that do not meet', async (t) => {
  const failures = await refused(t, { ...server, groups: 'P-384' }, { ...client, groups: 'X25519' });
  t.is(failures.server.alert, 'handshake_failure');
});

test('secureOptions', async (t) => {
  // SSL_OP_NO_TLSv1_3
  const ends = await connected(t, { ...server, secureOptions: 0x2000_0000 }, client);
  t.is(ends.client.protocol, 'TLSv1.2');
});
