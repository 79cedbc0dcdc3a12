import defaults, * as nodeTls from 'node:tls';

import { native } from '../binding.ts';
import { connect } from './connect.ts';
import {
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  checkServerIdentity,
  convertALPNProtocols,
  getCACertificates,
  rootCertificates,
  setDefaultCACertificates,
} from './defaults.ts';
import { SecureContext, createSecureContext } from './secure-context.ts';
import { Server, createServer } from './server.ts';
import { TLSSocket } from './socket.ts';

export { type ConnectionOptions, connect } from './connect.ts';
export * from './defaults.ts';
export type { ALPNCallback, Chosen, SNICallback } from './hello.ts';
export type { OnRead } from './onread.ts';
export type { PskClientCallback, PskServerCallback } from './psk.ts';
export { SecureContext, type SecureContextOptions, createSecureContext } from './secure-context.ts';
export type { TlsOptions } from './server-options.ts';
export { Server, createServer } from './server.ts';
export type { TLSSocketOptions } from './socket-options.ts';
export { TLSSocket } from './socket.ts';

/** The names of the cipher suites that this package's OpenSSL has by default, in lower case. */
export function getCiphers(): string[] {
  return native.ciphers();
}

/** The algorithms that certificates are compressed with: none. */
export function getCertificateCompressionAlgorithms(): string[] {
  return [];
}

/** node:tls's default of `ciphers`, when it was loaded; the default export has the current one. */
export const DEFAULT_CIPHERS: string = nodeTls.DEFAULT_CIPHERS;
/** node:tls's default of `ecdhCurve`, when it was loaded; the default export has the current one. */
export const DEFAULT_ECDH_CURVE: string = nodeTls.DEFAULT_ECDH_CURVE;
/** node:tls's default of `maxVersion`, when it was loaded; the default export has the current one. */
export const DEFAULT_MAX_VERSION: nodeTls.SecureVersion = nodeTls.DEFAULT_MAX_VERSION;
/** node:tls's default of `minVersion`, when it was loaded; the default export has the current one. */
export const DEFAULT_MIN_VERSION: nodeTls.SecureVersion = nodeTls.DEFAULT_MIN_VERSION;

/**
 * As `import tls from 'node:tls'` gives it. Its `DEFAULT_*` are node:tls's, read and set there.
 *
 * @hidden
 */
const tls = {
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  SecureContext,
  Server,
  TLSSocket,
  checkServerIdentity,
  connect,
  convertALPNProtocols,
  createSecureContext,
  createServer,
  getCACertificates,
  getCertificateCompressionAlgorithms,
  getCiphers,
  rootCertificates,
  setDefaultCACertificates,
  get DEFAULT_CIPHERS(): string {
    return defaults.DEFAULT_CIPHERS;
  },
  set DEFAULT_CIPHERS(ciphers: string) {
    defaults.DEFAULT_CIPHERS = ciphers;
  },
  get DEFAULT_ECDH_CURVE(): string {
    return defaults.DEFAULT_ECDH_CURVE;
  },
  set DEFAULT_ECDH_CURVE(curves: string) {
    defaults.DEFAULT_ECDH_CURVE = curves;
  },
  get DEFAULT_MIN_VERSION(): nodeTls.SecureVersion {
    return defaults.DEFAULT_MIN_VERSION;
  },
  set DEFAULT_MIN_VERSION(version: nodeTls.SecureVersion) {
    defaults.DEFAULT_MIN_VERSION = version;
  },
  get DEFAULT_MAX_VERSION(): nodeTls.SecureVersion {
    return defaults.DEFAULT_MAX_VERSION;
  },
  set DEFAULT_MAX_VERSION(version: nodeTls.SecureVersion) {
    defaults.DEFAULT_MAX_VERSION = version;
  },
};

export default tls;
