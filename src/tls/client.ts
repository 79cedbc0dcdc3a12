import { lookup as dnsLookup } from 'node:dns';
import { type LookupFunction, Socket, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity as nodeCheckServerIdentity } from 'node:tls';

import type { ConnectOptions, Lookup } from '../connect-options.ts';
import { connect as connectConnection } from '../connect.ts';
import type { Connection } from '../connection.ts';
import { rejectsByDefault } from '../context.ts';
import type { ConnectionOptions } from './connect.ts';
import { clientError, codeOf, nodeError } from './errors.ts';
import { clientContext } from './secure-context.ts';
import type { TLSSocketOptions } from './socket-options.ts';
import type { TLSSocket } from './socket.ts';

/** Has a socket connect over a stream that is there already. */
export function connectOver(socket: TLSSocket, stream: Duplex, options: TLSSocketOptions): void {
  // Whoever makes a socket himself checks the certificate himself, as with node:tls.
  const { rejectUnauthorized = false, server: _server, isServer: _isServer, ...rest } = options;
  begin(socket, { ...rest, socket: stream, rejectUnauthorized });
}

/** Has a socket connect, and shake hands; throws what is wrong with the options, before anything has begun. */
export function begin(socket: TLSSocket, options: ConnectionOptions): void {
  const context = clientContext(options);
  const rejects = options.rejectUnauthorized ?? rejectsByDefault();
  void run(socket, options, { ...(context && { context }), rejectUnauthorized: rejects });
}

/** Connects, shakes hands, and tells; what fails destroys the socket. */
async function run(socket: TLSSocket, options: ConnectionOptions, own: Partial<ConnectOptions>): Promise<void> {
  const closed = new AbortController();
  socket.once('close', () => closed.abort());
  let connection: Connection | undefined;
  try {
    const { socket: stream } = options;
    if (stream) {
      await connected(stream);
      socket.standOn(stream);
    }
    if (socket.destroyed) return void stream?.destroy();
    // Whoever has made the socket may say more by its methods.
    await Promise.resolve();
    const given = { ...options, ...socket.chosen };
    connection = await connectConnection({ ...connectOptions(given, socket), ...own, signal: closed.signal });
    connection.on('session', (session) => socket.emit('session', session));
    if (socket.listenerCount('keylog') > 0) connection.on('keylog', (line) => socket.emit('keylog', line));
    socket.connected(connection);
    if (!stream) {
      socket.emit('connect');
      socket.emit('ready');
    }
    await connection.handshake();
    checkSize(connection, options.minDHSize);
    if (options.requestOCSP) socket.emit('OCSPResponse', connection.ocspResponse ?? null);
    if (socket.destroyed) return;
    connection.streamInto(socket);
  } catch (error) {
    if (!socket.destroyed) fail(socket, error as Error, connection, options);
    return;
  }
  socket.emit('secureConnect');
  socket.emit('secure');
}

/** Waits until a socket is connected. */
async function connected(stream: Duplex): Promise<void> {
  if (!(stream instanceof Socket) || !stream.connecting) return;
  await new Promise<void>((resolve, reject) => {
    stream.once('connect', resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the socket was closed before it was connected')));
  });
}

/** Throws if the server's key of a finite-field exchange has fewer bits. */
function checkSize(connection: Connection, minDHSize = 1024): void {
  const { type, size = 0 } = connection.details.ephemeralKey ?? {};
  if (type === 'DH' && size < minDHSize)
    throw nodeError('ERR_TLS_DH_PARAM_SIZE', `DH parameter size ${size} is less than ${minDHSize}`);
}

function fail(socket: TLSSocket, error: Error, connection: Connection | undefined, options: ConnectionOptions): void {
  const localAddress = connection?.localAddress?.address;
  const { host, port, path } = options;
  if (isRefusal(error)) socket.authorizationError = connection?.authorizationError ?? codeOf(error) ?? error.message;
  socket.destroy(clientError(error, { host, port, path, ...(localAddress !== undefined && { localAddress }) }));
}

/** Whether it is the peer's certificate that is wrong; what a check of the user's throws may have any code, or none. */
function isRefusal(error: Error): boolean {
  const code = codeOf(error);
  return code === 'ERR_TLS_CERT_ALTNAME_INVALID' || (error.name === 'TlsError' && code?.startsWith('ERR_') === false);
}

/** Looks names up, and tells of it. */
function lookupOf({ lookup, hints }: ConnectionOptions, socket: TLSSocket): Lookup {
  const find: LookupFunction = lookup ?? dnsLookup;
  return (host, given, callback) => {
    find(host, { ...given, ...(hints !== undefined && { hints }) }, (error, found, family) => {
      const addresses = Array.isArray(found) ? found : [{ address: found, family: family ?? isIP(found) }];
      for (const one of addresses) socket.emit('lookup', error, one.address, one.family, host);
      callback(error, addresses);
    });
  };
}

/** What this package's own `connect` takes. */
function connectOptions(options: ConnectionOptions, tells: TLSSocket): ConnectOptions {
  const { host, port, path, socket, servername, session, ALPNProtocols, family, requestOCSP } = options;
  const {
    autoSelectFamily,
    autoSelectFamilyAttemptTimeout,
    localAddress,
    localPort,
    checkServerIdentity,
    verifyPeer,
    pskCallback,
  } = options;
  const place = path ? { path } : { host: host ?? 'localhost', port: Number(port) };
  const given: { [Name in keyof ConnectOptions]: unknown } = {
    ...(socket ? { socket, host } : place),
    servername,
    session: typeof session === 'string' ? Buffer.from(session, 'latin1') : session,
    ALPNProtocols,
    lookup: lookupOf(options, tells),
    family,
    requestOCSP,
    enableTrace: options.enableTrace || undefined,
    autoSelectFamily,
    autoSelectFamilyAttemptTimeout,
    localAddress,
    localPort,
    checkServerIdentity: checkServerIdentity ?? nodeCheckServerIdentity,
    verifyPeer,
    pskCallback: pskCallback ? (hint: string | undefined) => pskCallback(hint ?? null) : undefined,
    noDelay: options.noDelay ?? false,
    handshake: false,
    truncation: 'end',
  };
  const entries = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as ConnectOptions;
}
