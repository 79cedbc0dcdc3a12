// The surface of node:tls: what the running Node has, and what its documentation names beside.

import { EventEmitter } from 'node:events';
import { Server as NetServer, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import * as node from 'node:tls';

import * as ours from 'libssl-async/tls';

import { isProbed } from '../tls/probes/all.ts';

/** A name of node:tls. */
export interface Name {
  readonly kind: Kind;
  readonly name: string;
  /** Why it is not here; none if it is. */
  readonly missing: string | undefined;
}

type Kind = keyof typeof DOCUMENTED | 'export' | 'Server' | 'TLSSocket';

/** What cannot be asked of the modules: as the documentation of Node 24 names it. */
const DOCUMENTED = {
  'option of createSecureContext': `
    allowPartialTrustChain ca cert certificateCompression ciphers clientCertEngine crl dhparam ecdhCurve
    honorCipherOrder key maxVersion minVersion passphrase pfx privateKeyEngine privateKeyIdentifier
    secureOptions secureProtocol sessionIdContext sessionTimeout sigalgs ticketKeys
  `,
  'option of createServer': `
    ALPNCallback ALPNProtocols SNICallback allowHalfOpen enableTrace handshakeTimeout highWaterMark
    keepAlive keepAliveInitialDelay noDelay pauseOnConnect pskCallback pskIdentityHint
    rejectUnauthorized requestCert sessionTimeout ticketKeys
  `,
  'option of connect': `
    ALPNProtocols allowHalfOpen autoSelectFamily autoSelectFamilyAttemptTimeout checkServerIdentity
    enableTrace family highWaterMark hints host keepAlive keepAliveInitialDelay localAddress localPort
    lookup minDHSize noDelay onread path port pskCallback rejectUnauthorized requestOCSP secureContext
    servername session signal socket timeout
  `,
  'property of Server': 'dropMaxConnection maxConnections',
  'option of TLSSocket': `
    ALPNCallback ALPNProtocols SNICallback enableTrace isServer rejectUnauthorized requestCert
    requestOCSP secureContext server session
  `,
  'event of Server': `
    OCSPRequest close connection drop error keylog listening newSession resumeSession secureConnection
    tlsClientError
  `,
  'event of TLSSocket': `
    OCSPResponse close connect connectionAttempt connectionAttemptFailed connectionAttemptTimeout data
    drain end error keylog lookup ready secureConnect session timeout
  `,
};

/** Properties that its documentation names and no prototype has. */
const PROPERTIES = [
  'alpnProtocol',
  'authorizationError',
  'authorized',
  'connecting',
  'encrypted',
  'servername',
  'timeout',
];

const RENEGOTIATION = 'renegotiation is off';
const ENGINE = 'throws: give a key of `loadPrivateKey()`';
const TRACE = 'kinds and sizes of messages, on standard error';
const PROMISES = 'may return promises';
const ATTEMPTS = 'attempts to connect are told all at once, in the error';

/** What Node 20 and 22 still have. */
const REMOVED = new Set(['createSecurePair', 'setOptions']);

const UNTOLD = 'nothing tells of it';

/** What is here without a probe, and why. */
export const UNPROBED: Readonly<Record<string, string>> = {
  'option of connect autoSelectFamilyAttemptTimeout': 'takes an address that does not answer',
  'option of connect enableTrace': 'standard error: in less-known.test.ts',
  'option of createServer enableTrace': 'standard error: in less-known.test.ts',
  'option of TLSSocket enableTrace': 'standard error: in less-known.test.ts',
  'option of connect noDelay': UNTOLD,
  'option of createServer noDelay': UNTOLD,
  'option of TLSSocket server': 'a property',
  'property of Server dropMaxConnection': 'always as if it were `true`',
};

/** Why names are not here. */
export const REASONS: Readonly<Record<string, string>> = {
  'option of createSecureContext certificateCompression': 'left out of account: certificates are not compressed',
  'option of createSecureContext clientCertEngine': ENGINE,
  'option of createSecureContext privateKeyEngine': ENGINE,
  'option of createSecureContext privateKeyIdentifier': ENGINE,
  'event of TLSSocket connectionAttempt': ATTEMPTS,
  'event of TLSSocket connectionAttemptFailed': ATTEMPTS,
  'event of TLSSocket connectionAttemptTimeout': ATTEMPTS,
  'TLSSocket connect': 'a socket connects once, by `tls.connect`',
  'TLSSocket setKeyCert': '`SNICallback` chooses',
};

/** What is not quite as in Node. */
export const NOTES: Readonly<Record<string, string>> = {
  'event of Server connection':
    'of TCP connections, if somebody listens to it before `listen`; emitted by others, it is served',
  'export getCertificateCompressionAlgorithms': 'none',
  'TLSSocket enableTrace': TRACE,
  'option of connect enableTrace': TRACE,
  'option of createServer enableTrace': TRACE,
  'option of TLSSocket enableTrace': TRACE,
  'export CLIENT_RENEG_LIMIT': RENEGOTIATION,
  'export CLIENT_RENEG_WINDOW': RENEGOTIATION,
  'Server addContext': "contexts that are added go before the server's own, the last first",
  'Server listen':
    'on a descriptor, a handle, an abstract socket, and in workers of a cluster, Node accepts and this package takes the sockets over',
  'event of Server OCSPRequest': 'with the certificate of the context that was chosen, the first of several',
  'event of Server newSession': 'with TLS 1.2; sessions of TLS 1.3 are tickets',
  'event of Server resumeSession': 'likewise',
  'export DEFAULT_CIPHERS': "Node's own, as the three that follow; as properties of the default export they can be set",
  'export checkServerIdentity': "Node's own, as what certificates are trusted",
  'export getCiphers': "of this package's OpenSSL",
  'option of TLSSocket ALPNCallback': PROMISES,
  'option of TLSSocket SNICallback': PROMISES,
  'option of connect pskCallback': PROMISES,
  'option of createServer ALPNCallback': PROMISES,
  'option of createServer SNICallback': PROMISES,
  'option of createServer pskCallback': PROMISES,
  'property of Server dropMaxConnection': 'always as if it were `true`',
  'property of Server maxConnections': 'counted when the handshake is done; `maxHandshakes` limits those before',
  'event of Server drop': 'when the handshake is done',
  'TLSSocket bufferSize': 'as `writableLength`',
  'TLSSocket setServername': 'right after the socket was made',
  'TLSSocket setSession': 'right after the socket was made',
  'TLSSocket renegotiate': `${RENEGOTIATION}: the callback gets \`ERR_TLS_RENEGOTIATION_DISABLED\``,
  'TLSSocket disableRenegotiation': 'it always is',
};

/** All names, and whether they are here. */
export function surface(): Name[] {
  const socket = new ours.TLSSocket(new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() }));
  socket.on('error', () => {});
  const server = ours.createServer();
  const exported = Object.keys(node).filter((name) => name !== 'default');
  const ofSocket = [...members(node.TLSSocket.prototype, Duplex.prototype), ...PROPERTIES];
  const ofServer = members(node.Server.prototype, EventEmitter.prototype);
  const names = [
    ...exported.map((name) => look('export', name, name in ours)),
    ...ofSocket.map((name) => look('TLSSocket', name, name in socket)),
    ...ofServer.map((name) => look('Server', name, name in server)),
    ...Object.entries(DOCUMENTED).flatMap(([kind, documented]) =>
      words(documented).map((name) =>
        look(kind as Kind, name, isProbed(`${kind} ${name}`) || `${kind} ${name}` in UNPROBED),
      ),
    ),
  ];
  socket.destroy();
  return names
    .filter(({ name }) => !REMOVED.has(name))
    .toSorted((one, other) => compare(one.kind, other.kind) || compare(one.name, other.name));
}

function look(kind: Kind, name: string, isHere: boolean): Name {
  return { kind, name, missing: isHere ? undefined : (REASONS[`${kind} ${name}`] ?? '') };
}

/** The public names of a prototype and of those it inherits from, up to one that both sides share. */
function members(prototype: object, shared: object): string[] {
  const names = new Set<string>();
  const inherited = [Socket.prototype, NetServer.prototype] as object[];
  for (let at: object = prototype; at !== shared; at = Object.getPrototypeOf(at) as object) {
    if (at !== prototype && !inherited.includes(at)) break;
    for (const name of Object.getOwnPropertyNames(at)) {
      if (!name.startsWith('_') && name !== 'constructor') names.add(name);
    }
  }
  return [...names];
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** The table of the documentation. */
export function tableOf(names: readonly Name[]): string {
  const kinds = [...new Set(names.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const its = names.filter((name) => name.kind === kind);
    const here = its.filter(({ missing }) => missing === undefined);
    const told = here.map(({ name }) => {
      const note = NOTES[`${kind} ${name}`];
      return note === undefined ? `\`${name}\`` : `\`${name}\` (${note})`;
    });
    const missing = its
      .filter((name) => name.missing !== undefined)
      .map(({ name, missing: reason }) => `\`${name}\`: ${reason}`);
    return `| ${kind} | ${here.length} of ${its.length} | ${told.join(', ')} | ${missing.join('; ')} |`;
  });
  const here = names.filter(({ missing }) => missing === undefined).length;
  const share = ((100 * here) / names.length).toFixed(1);
  return [
    `${here} of the ${names.length} names of Node ${process.versions.node.split('.')[0]} are there: ${share} %.`,
    '',
    '| of | there | | not there |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}
