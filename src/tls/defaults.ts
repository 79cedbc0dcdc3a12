import * as tls from 'node:tls';

/** node:tls's own: returns what is wrong with a certificate for a name. */
export const checkServerIdentity = tls.checkServerIdentity;
/** node:tls's own: the certificates that Node brings with it. */
export const rootCertificates = tls.rootCertificates;
/** node:tls's own; of no effect, as nobody renegotiates here. */
export const CLIENT_RENEG_LIMIT = tls.CLIENT_RENEG_LIMIT;
/** node:tls's own; of no effect, as nobody renegotiates here. */
export const CLIENT_RENEG_WINDOW = tls.CLIENT_RENEG_WINDOW;

/** What versions of Node may not have, and its types do not tell. */
interface Newer {
  getCACertificates?: (type?: 'default' | 'system' | 'bundled' | 'extra') => string[];
  setDefaultCACertificates?: (certificates: readonly (string | NodeJS.ArrayBufferView)[]) => void;
  convertALPNProtocols?: (protocols: unknown, out: { ALPNProtocols?: Buffer }) => void;
}

const newer = tls as Newer;

/** The certificates that are trusted by default, and others; `undefined` before Node 22.15. */
export const getCACertificates = newer.getCACertificates;
/** Sets what is trusted by default, here too; `undefined` before Node 24.5. */
export const setDefaultCACertificates = newer.setDefaultCACertificates;
/** Makes the wire format of a list of protocols, as `out.ALPNProtocols`. */
export const convertALPNProtocols = newer.convertALPNProtocols;
