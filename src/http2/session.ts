import type { Http2Session } from 'node:http2';

import type { TLSSocket } from '../tls/socket.ts';

/** What users ask the socket of a session for, and node:http2's wrapper of ours has not. */
const ASKED = [
  'alpnProtocol',
  'authorizationError',
  'authorized',
  'encrypted',
  'exportKeyingMaterial',
  'getCertificate',
  'getCipher',
  'getPeerCertificate',
  'getPeerX509Certificate',
  'getProtocol',
  'getSession',
  'isSessionReused',
  'localAddress',
  'localFamily',
  'localPort',
  'remoteAddress',
  'remoteFamily',
  'remotePort',
  'servername',
] as const satisfies readonly (keyof TLSSocket)[];

/** Has a session, and what it has as its socket, tell of the TLS connection below. */
export function tellOfConnection(session: Http2Session, socket: TLSSocket): void {
  Object.defineProperties(session, {
    encrypted: { value: true, configurable: true },
    alpnProtocol: { get: () => socket.alpnProtocol || undefined, configurable: true },
  });
  // A method that returns its socket gives the wrapper itself, and not the stand-in that users have.
  const wrapper = session.socket.setMaxListeners(session.socket.getMaxListeners());
  for (const name of ASKED) {
    const get = (): unknown => {
      const value: unknown = socket[name];
      return typeof value === 'function' ? (value.bind(socket) as unknown) : value;
    };
    Object.defineProperty(wrapper, name, { get, configurable: true });
  }
}
