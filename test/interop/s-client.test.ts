// `openssl s_client` at the other end.

import { constants, privateDecrypt } from 'node:crypto';

import type { ExecutionContext } from 'ava';
import { createContext } from 'libssl-async';

import { echo } from '../support/bytes.ts';
import { issue } from '../support/certificates.ts';
import { authority } from '../support/identities.ts';
import { HOST, serve } from '../support/peers.ts';
import { KEY_TYPES, VERSIONS, files, finished, overDriversGiven, start } from '../support/programs.ts';
import { remote } from '../support/remote-keys.ts';

for (const type of KEY_TYPES) {
  const identity = issue({ type, issuer: authority });
  const client = issue({ type, issuer: authority, client: true, names: [], subject: 'client' });

  for (const { version, openssl } of VERSIONS) {
    overDriversGiven('openssl', `s_client is known and comes again, ${version}, ${type}`, async (t, recordIO) => {
      const { key, requests } = remote(identity);
      const context = createContext({
        key,
        cert: identity.cert,
        ca: authority.cert,
        requestCert: true,
        ALPNProtocols: ['echo'],
      });
      const { server, port } = await serve(t, { recordIO, context });
      const met: unknown[] = [];
      server.on('connection', (connection) => {
        const { protocol, authorized, alpnProtocol, sessionReused, servername, peerCertificate } = connection;
        const subject = peerCertificate?.subject;
        met.push({ protocol, authorized, alpnProtocol, sessionReused, servername, subject });
        void echo(connection).catch(() => {});
      });
      const file = files(t);
      const session = file('session', '');
      const own = ['-cert', file('cert', client.cert), '-key', file('key', client.key)];
      const args = [...own, openssl, '-alpn', 'other,echo', '-CAfile', file('ca', authority.cert)];

      const first = await converse(t, port, [...args, '-sess_out', session]);
      t.regex(first, /^New, /m);
      t.regex(first, /Verification: OK/);
      t.is(requests.length, 1);

      t.regex(await converse(t, port, [...args, '-sess_in', session]), /^Reused, /m);
      t.is(requests.length, 1);

      const both = { protocol: version, authorized: true, alpnProtocol: 'echo', servername: 'localhost' };
      const subject = 'CN=client';
      t.deepEqual(met, [
        { ...both, sessionReused: false, subject },
        { ...both, sessionReused: true, subject },
      ]);
    });
  }
}

overDriversGiven('openssl', 's_client has its secret decrypted', async (t, recordIO) => {
  const identity = issue({ type: 'rsa-2048', issuer: authority });
  let decryptions = 0;
  const { key, requests } = remote(identity, {
    decryptRaw: async ({ ciphertext }) => {
      decryptions++;
      return privateDecrypt({ key: identity.privateKey, padding: constants.RSA_NO_PADDING }, ciphertext);
    },
  });
  const context = createContext({ key, cert: identity.cert, ciphers: 'AES128-GCM-SHA256' });
  const { server, port } = await serve(t, { recordIO, context });
  server.on('connection', (connection) => void echo(connection).catch(() => {}));
  const args = ['-tls1_2', '-cipher', 'AES128-GCM-SHA256', '-CAfile', files(t)('ca', authority.cert)];
  t.regex(await converse(t, port, args), /Cipher is AES128-GCM-SHA256/);
  t.is(decryptions, 1);
  t.is(requests.length, 0);
});

overDriversGiven('openssl', 's_client that trusts nobody is told of, and harms nobody', async (t, recordIO) => {
  const identity = issue({ issuer: authority });
  const { key } = remote(identity);
  const { server, port } = await serve(t, { recordIO, context: createContext({ key, cert: identity.cert }) });
  const failed = new Promise<unknown>((resolve) => server.once('tlsClientError', resolve));
  const stranger = issue();
  const client = start(t, 'openssl', [...CONNECT, `${HOST}:${port}`, '-CAfile', files(t)('ca', stranger.cert)]);
  t.like(await failed, { name: 'TlsError', alert: 'unknown_ca', alertReceived: true });
  client.kill();
});

const CONNECT = ['s_client', '-servername', 'localhost', '-verify_return_error', '-connect'];
const LINE = 'there and back';

/** Sends a line, waits for its echo, quits, and returns what the program said. */
async function converse(t: ExecutionContext, port: number, args: readonly string[]): Promise<string> {
  const client = start(t, 'openssl', [...CONNECT, `${HOST}:${port}`, ...args]);
  client.stdin.write(`${LINE}\n`);
  let isEchoed = false;
  const said = await finished(t, client, (soFar) => {
    if (isEchoed || !soFar.includes(`${LINE}\n`)) return;
    isEchoed = true;
    // At the beginning of a line, Q quits.
    client.stdin.write('Q\n');
  });
  t.true(said.includes(LINE), said);
  return said;
}
