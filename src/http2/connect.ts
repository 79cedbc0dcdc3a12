import { isIP } from 'node:net';
import { type ClientHttp2Session, type SecureClientSessionOptions, connect as currentConnect } from 'node:http2';

import { type ConnectionOptions, connect as connectTls } from '../tls/connect.ts';
import { TLSSocket } from '../tls/socket.ts';
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
 *
 * With `createConnection` the session is over the stream that it returns, and with `http:` it is node:http2's, without TLS.
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
  const [options, listener] = typeof first === 'function' ? [{}, first] : [first ?? {}, second];
  const url = typeof authority === 'string' ? new URL(authority) : authority;
  const make = typeof options.createConnection === 'function' ? options.createConnection : undefined;
  let secure: TLSSocket | undefined;
  const createConnection: SecureClientSessionOptions['createConnection'] = (to, given) => {
    const stream = make ? make(to, given) : connectSecurely(to, options);
    if (stream instanceof TLSSocket) secure = stream;
    return stream;
  };
  const isOurs = make !== undefined || (url.protocol || options.protocol || 'https:') === 'https:';
  const given = (isOurs ? { ...options, createConnection } : options) as SecureClientSessionOptions;
  const session = connectSession(url, given, listener as Parameters<typeof connectSession>[2]);
  if (secure) tellOnceSecure(session, secure);
  return session;
}

function connectSecurely(url: URL, options: Http2ConnectOptions): TLSSocket {
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  return connectTls({
    host,
    port: Number(url.port || 443),
    ALPNProtocols: ['h2'],
    noDelay: true,
    ...(isIP(host) === 0 && { servername: host }),
    ...options,
  });
}

function tellOnceSecure(session: ClientHttp2Session, socket: TLSSocket): void {
  const tell = (): void => {
    if (!session.destroyed) tellOfConnection(session, socket);
  };
  if (socket.secureConnecting) socket.once('secureConnect', tell);
  else tell();
}
