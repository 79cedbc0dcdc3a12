// Options of createServer, and properties of servers.

import { once } from 'node:events';
import * as net from 'node:net';
import type { TLSSocket, TlsOptions } from 'node:tls';
import * as node from 'node:tls';

import { issue } from '../../support/certificates.ts';
import { authority, clientIdentity } from '../../support/identities.ts';
import { HOST } from '../../support/peers.ts';
import { type Bench, type Probe, identity, only } from './bench.ts';
import { CONTEXT_OPTIONS } from './context-options.ts';
import { keepAliveOf } from './kernel.ts';

const other = issue({ issuer: authority, subject: 'other' });
const PSK = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-PSK-AES128-CBC-SHA256:PSK-AES128-GCM-SHA256' } as const;
const SECRET = Buffer.alloc(32, 7);

/** A handshake of two protocols that a client offers, and which was chosen. */
async function chosen(bench: Bench, server: TlsOptions): Promise<unknown> {
  const { outcome, client } = await bench.meetServer(server, { client: { ALPNProtocols: ['one', 'other'] } });
  return [await outcome, client.alpnProtocol];
}

/** What the server's end of a handshake tells. */
async function of(bench: Bench, server: TlsOptions, say: (socket: TLSSocket) => unknown): Promise<unknown> {
  return say(await (await bench.meetServer(server)).accepted);
}

/** In about how many seconds a client is probed that is silent. */
async function probed(bench: Bench, server: TlsOptions): Promise<unknown> {
  const seconds = await keepAliveOf(await (await bench.meetServer(server)).accepted);
  return seconds === undefined ? 'never' : Math.ceil(seconds / 100);
}

/** What a client hears of a server that answers when the client has ended. */
async function heard(bench: Bench, server: TlsOptions): Promise<string> {
  const { accepted, client, outcome } = await bench.meetServer(server);
  const socket = await accepted;
  await outcome;
  socket.resume().on('end', () => setImmediate(() => socket.end('late')));
  let text = '';
  client.on('data', (data) => (text += String(data)));
  client.end();
  await once(client, 'close');
  return text;
}

/** What comes of a client that has a certificate of nobody's, and of the server's end. */
async function trusted(bench: Bench, server: TlsOptions): Promise<unknown> {
  const { cert, key } = issue({ client: true, subject: 'stranger' });
  const { accepted, refused } = await bench.meetServer({ ca: authority.cert, ...server }, { client: { cert, key } });
  return Promise.race([accepted.then(({ authorized }) => `authorized: ${authorized}`), refused]);
}

export const SERVER_OPTIONS: Readonly<Record<string, Probe>> = {
  ALPNCallback: (bench, given) =>
    chosen(bench, only<TlsOptions>(given, { ALPNCallback: ({ protocols }) => protocols[1] })),
  ALPNProtocols: (bench, given) => chosen(bench, only(given, { ALPNProtocols: ['other'] })),
  SNICallback: async (bench, given) => {
    const context = bench.tls.createSecureContext({ key: other.key, cert: other.cert });
    const { outcome, client } = await bench.meetServer(
      only<TlsOptions>(given, { SNICallback: (_name, done) => done(null, context) }),
      { client: { checkServerIdentity: () => undefined } },
    );
    await outcome;
    return client.getPeerCertificate().subject?.CN;
  },
  allowHalfOpen: (bench, given) => heard(bench, only(given, { allowHalfOpen: true })),
  handshakeTimeout: async (bench, given) => {
    const { server, port } = await bench.serve(bench.tls, { ...identity, handshakeTimeout: given ? 20 : 0 });
    const silent = bench.keep(net.connect(port, HOST));
    const told = once(server, 'tlsClientError').then(([error]) => (error as NodeJS.ErrnoException).code);
    if (given) return told;
    await once(silent, 'connect');
    return 'no time-out';
  },
  keepAlive: (bench, given) => probed(bench, only(given, { keepAlive: true })),
  keepAliveInitialDelay: (bench, given) =>
    probed(bench, { keepAlive: true, ...only(given, { keepAliveInitialDelay: 250_000 }) }),
  pauseOnConnect: (bench, given) => of(bench, only(given, { pauseOnConnect: true }), (socket) => socket.isPaused()),
  pskCallback: async (bench, given) => {
    const { outcome, client } = await bench.meetServer(
      { ...PSK, ...only<TlsOptions>(given, { pskCallback: (_socket, name) => (name === 'me' ? SECRET : null) }) },
      {
        client: { ...PSK, checkServerIdentity: () => undefined, pskCallback: () => ({ psk: SECRET, identity: 'me' }) },
      },
    );
    const came = await outcome;
    return came === 'secure' ? client.getCipher().name.includes('PSK') : came;
  },
  pskIdentityHint: async (bench, given) => {
    let told: string | null | undefined;
    const { outcome } = await bench.meetServer(
      { ...PSK, pskCallback: () => SECRET, ...only(given, { pskIdentityHint: 'who are you' }) },
      {
        client: {
          ...PSK,
          checkServerIdentity: () => undefined,
          pskCallback(hint) {
            told = hint;
            return { psk: SECRET, identity: 'me' };
          },
        },
      },
    );
    return [await outcome, told];
  },
  rejectUnauthorized: (bench, given) =>
    trusted(bench, { requestCert: true, ...only(given, { rejectUnauthorized: false }) }),
  requestCert: async (bench, given) => {
    const { cert, key } = clientIdentity;
    const server = { ca: authority.cert, ...only(given, { requestCert: true }) };
    const { accepted } = await bench.meetServer(server, { client: { cert, key } });
    const socket = await accepted;
    return [socket.authorized, socket.getPeerCertificate().subject?.CN];
  },
  sessionTimeout: CONTEXT_OPTIONS['sessionTimeout']!,
  ticketKeys: CONTEXT_OPTIONS['ticketKeys']!,
};

/** Two clients of a server that may have one, and which are dropped. */
async function dropped(bench: Bench, set: (server: node.Server) => void): Promise<unknown> {
  const { server, port } = await bench.serve(bench.tls);
  set(server);
  const drops: unknown[] = [];
  server.on('drop', (drop) => drops.push(Object.keys(drop as object).toSorted()));
  const visit = async (): Promise<string> => {
    bench.connect(node, { port, ca: authority.cert });
    const fates = [once(server, 'secureConnection').then(() => 'served'), once(server, 'drop').then(() => 'dropped')];
    return Promise.race(fates);
  };
  return [await visit(), await visit(), drops];
}

export const SERVER_PROPERTIES: Readonly<Record<string, Probe>> = {
  maxConnections: (bench, given) => dropped(bench, (server) => given && (server.maxConnections = 1)),
};

export const SERVER_BEYOND_NODE: Readonly<Record<string, [expected: unknown, probe: Probe]>> = {
  highWaterMark: [
    4321,
    (bench, given) => of(bench, only(given, { highWaterMark: 4321 }), (socket) => socket.readableHighWaterMark),
  ],
};
