import { isIP } from 'node:net';
import {
  type ClientHttp2Session,
  type ClientSessionOptions,
  type SecureClientSessionOptions,
  connect as currentConnect,
} from 'node:http2';

import { type ConnectionOptions, connect as connectTls } from '../tls/connect.ts';
import { tellOfConnection } from './session.ts';

/** As it is now: `libssl-async/register` puts what is here in its place. */
const connectSession = currentConnect;

/** Options of {@link connect}: node:http2's, and those of this package's `tls.connect`. */
export type Http2ConnectOptions = Omit<SecureClientSessionOptions, keyof ConnectionOptions> & ConnectionOptions;

/** What is told of a session that has begun. */
export type SessionListener = (session: ClientHttp2Session) => void;

/**
 * Connects to an HTTP/2 server over TLS, with the arguments of node:http2's `connect`. What is asked before the handshake is
 * done waits for it; what fails the connection is an `error` of the session.
 */
export function connect(authority: string | URL, listener?: SessionListener): ClientHttp2Session;
export function connect(
  authority: string | URL,
  options?: Http2ConnectOptions,
  listener?: SessionListener,
): ClientHttp2Session;
export function connect(
  authority: string | URL,
  first?: Http2ConnectOptions | SessionListener,
  second?: SessionListener,
): ClientHttp2Session {
  const options = typeof first === 'function' ? {} : (first ?? {});
  const listener = typeof first === 'function' ? first : second;
  const url = new URL(authority);
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  const socket = connectTls({
    host,
    port: Number(url.port || 443),
    ALPNProtocols: ['h2'],
    noDelay: true,
    ...(isIP(host) === 0 && { servername: host }),
    ...options,
  });
  const given = { ...(options as ClientSessionOptions), createConnection: () => socket };
  const session = connectSession(authority, given, listener as Parameters<typeof connectSession>[2]);
  socket.once('secureConnect', () => {
    if (!session.destroyed) tellOfConnection(session, socket);
  });
  return session;
}
