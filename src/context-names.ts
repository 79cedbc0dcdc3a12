import type { ContextOptions } from './context-options.ts';

/** The names of all options. */
export const CONTEXT_OPTIONS = [
  'ALPNProtocols',
  'allowPartialTrustChain',
  'ca',
  'cert',
  'ciphers',
  'crl',
  'dhparam',
  'ecdhCurve',
  'groups',
  'honorCipherOrder',
  'key',
  'maxVersion',
  'minVersion',
  'passphrase',
  'pfx',
  'rejectUnauthorized',
  'requestCert',
  'secureOptions',
  'sessionIdContext',
  'sessionTimeout',
  'sigalgs',
  'ticketKeys',
  'tickets',
] as const satisfies readonly (keyof ContextOptions)[];

const OF_A_CONNECTION = 'it is an option of connect()';
const OF_BOTH = 'it is an option of connect() and createServer()';
const A_REMOTE_KEY = 'give a key of createRemoteKey() as key';

/** Options that node:tls has for contexts, connections or servers, and what to do instead. */
export const FOREIGN_OPTIONS: Readonly<Record<string, string>> = {
  ALPNCallback: 'give the protocols as ALPNProtocols',
  SNICallback: 'one context serves all names',
  certificateCompression: 'certificates are not compressed',
  checkServerIdentity: OF_A_CONNECTION,
  clientCertEngine: A_REMOTE_KEY,
  enableTrace: 'there is no trace',
  handshakeTimeout: OF_BOTH,
  host: OF_A_CONNECTION,
  lookup: OF_A_CONNECTION,
  minDHSize: "OpenSSL's security level decides, which @SECLEVEL in ciphers sets",
  path: OF_BOTH,
  port: OF_BOTH,
  privateKeyEngine: A_REMOTE_KEY,
  privateKeyIdentifier: A_REMOTE_KEY,
  pskCallback: OF_BOTH,
  pskIdentityHint: 'it is an option of createServer()',
  secureContext: 'createContext() makes contexts of this package',
  secureProtocol: 'give minVersion and maxVersion',
  servername: OF_A_CONNECTION,
  session: OF_A_CONNECTION,
  socket: OF_A_CONNECTION,
  verifyPeer: OF_BOTH,
};
