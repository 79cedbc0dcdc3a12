// Options of createSecureContext: of both sides.

import { execFile } from 'node:child_process';
import { constants, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { ConnectionOptions, SecureContextOptions, TLSSocket, TlsOptions } from 'node:tls';

import { type Identity, issue, issueAuthority, revoke } from '../../support/certificates.ts';
import { authority, serverIdentity } from '../../support/identities.ts';
import { type Bench, type Probe, codeOf, codeWhere, identity, only } from './bench.ts';

const rsa = issue({ issuer: authority, type: 'rsa-2048' });
const intermediate = issueAuthority({ issuer: authority, subject: 'intermediate' });
const leaf = issue({ issuer: intermediate });
const of = ({ key, cert }: Identity): TlsOptions => ({ key, cert });
const tls12 = { maxVersion: 'TLSv1.2' } as const;

/** What came of a client's handshake that has a context of these options. */
async function withContext(bench: Bench, options: SecureContextOptions, server: TlsOptions = {}): Promise<string> {
  const secureContext = bench.tls.createSecureContext({ ca: authority.cert, ...options });
  const { outcome, client } = await bench.meetClient({ secureContext }, { server });
  const came = await outcome;
  return came === 'secure' ? `${client.getProtocol()} ${client.getCipher().name}` : came;
}

/** A server's handshake with a client that speaks TLS 1.2, and what the client has to say of it. */
async function told<Said>(
  bench: Bench,
  server: TlsOptions,
  say: (client: TLSSocket) => Said,
  client: ConnectionOptions = {},
): Promise<Said | string> {
  try {
    const meeting = await bench.meetServer(server, { client: { ...tls12, ...client } });
    const came = await meeting.outcome;
    return came === 'secure' ? say(meeting.client) : came;
  } catch (error) {
    return codeOf(error);
  }
}

/** Whether the client of one server is resumed by another of other options. */
async function resumed(bench: Bench, [one, other]: [TlsOptions, TlsOptions]): Promise<boolean> {
  const first = await bench.meetServer({ ...one, ...tls12 });
  await first.outcome;
  const { client, outcome } = await bench.meetServer(
    { ...other, ...tls12 },
    { client: { session: first.client.getSession()! } },
  );
  await outcome;
  return client.isSessionReused();
}

/** The lifetime of 4321 seconds that the ticket of a session has, in DER: [9] INTEGER. */
const LIFETIME = Buffer.from('a904020210e1', 'hex');

export const CONTEXT_OPTIONS: Readonly<Record<string, Probe>> = {
  allowPartialTrustChain: (bench, given) =>
    withContext(bench, { ca: intermediate.cert, ...only(given, { allowPartialTrustChain: true }) }, of(leaf)),
  ca: async (bench, given) => {
    const secureContext = bench.tls.createSecureContext(only(given, { ca: authority.cert }));
    return (await bench.meetClient({ secureContext })).outcome;
  },
  cert: (bench, given) => told(bench, { cert: undefined, ...only(given, { cert: identity.cert }) }, () => 'served'),
  ciphers: (bench, given) => withContext(bench, only(given, { ciphers: 'TLS_CHACHA20_POLY1305_SHA256' })),
  crl: (bench, given) => withContext(bench, only(given, { crl: revoke(authority, [serverIdentity]) })),
  dhparam: (bench, given) =>
    told(bench, { ...of(rsa), ...only(given, { dhparam: 'auto' }) }, (client) => client.getCipher().name, {
      ciphers: 'DHE-RSA-AES128-GCM-SHA256',
    }),
  ecdhCurve: (bench, given) =>
    told(bench, only(given, { ecdhCurve: 'P-384' }), (client) => client.getEphemeralKeyInfo()),
  honorCipherOrder: (bench, given) => {
    const [one, other] = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'];
    const server = { ciphers: `${one}:${other}`, ...only(given, { honorCipherOrder: false }) };
    return told(bench, server, (client) => client.getCipher().name, { ciphers: `${other}:${one}` });
  },
  key: (bench, given) => told(bench, { key: undefined, ...only(given, { key: identity.key }) }, () => 'served'),
  maxVersion: (bench, given) => withContext(bench, only(given, tls12)),
  minVersion: (bench, given) => withContext(bench, only(given, { minVersion: 'TLSv1.3' }), tls12),
  passphrase: (bench, given) => {
    const key = serverIdentity.privateKey.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open',
    });
    const { cert } = identity;
    return codeWhere(() => bench.tls.createSecureContext({ key, cert, ...only(given, { passphrase: 'open' }) }));
  },
  pfx: async (bench, given) =>
    told(bench, { key: undefined, cert: undefined, ...only(given, { pfx: await archive() }) }, () => 'served'),
  secureOptions: (bench, given) => withContext(bench, only(given, { secureOptions: constants.SSL_OP_NO_TLSv1_3 })),
  secureProtocol: (bench, given) => withContext(bench, only(given, { secureProtocol: 'TLSv1_2_method' })),
  sessionIdContext: (bench, given) => {
    const ticketKeys = randomBytes(48);
    const server = (sessionIdContext: string): TlsOptions => ({ ticketKeys, ...only(given, { sessionIdContext }) });
    return resumed(bench, [server('one'), server('other')]);
  },
  sessionTimeout: (bench, given) =>
    told(bench, only(given, { sessionTimeout: 4321 }), (client) => client.getSession()!.includes(LIFETIME)),
  sigalgs: async (bench, given) => {
    const secureContext = bench.tls.createSecureContext({
      ca: authority.cert,
      ...only(given, { sigalgs: 'RSA-PSS+SHA512' }),
    });
    const { accepted } = await bench.meetClient({ secureContext }, { server: of(rsa) });
    return given ? (await accepted).getSharedSigalgs() : (await accepted).getSharedSigalgs().length > 1;
  },
  ticketKeys: (bench, given) => {
    const server = only(given, { ticketKeys: randomBytes(48) });
    return resumed(bench, [server, server]);
  },
};

/** What the program of OpenSSL makes of the identity, without a passphrase. */
async function archive(): Promise<Buffer> {
  const child = execFile('openssl', ['pkcs12', '-export', '-passout', 'pass:'], { encoding: 'buffer' });
  child.stdin!.end(identity.key + identity.cert);
  const chunks: Buffer[] = [];
  child.stdout!.on('data', (data: Buffer) => chunks.push(data));
  await once(child, 'close');
  return Buffer.concat(chunks);
}
