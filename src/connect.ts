import { AsyncResource } from 'node:async_hooks';
import { type LookupAddress, lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkServerIdentity as nodeCheckServerIdentity } from 'node:tls';

import { protocolList } from './alpn.ts';
import { type ConnectOptions, checkConnectOptions } from './connect-options.ts';
import { Connection, type ConnectionSettings } from './connection.ts';
import { type Context, contextOf, createContext } from './context.ts';
import { environment } from './environment.ts';
import { TlsError, abortError } from './errors.ts';
import { onAbort } from './operations.ts';
import { over } from './over.ts';
import { asciiName } from './server-name.ts';

let defaultContext: Context | undefined;

/**
 * Connects, and does the handshake unless `handshake` is `false`.
 *
 * Rejects with Node's code where the system fails (`ECONNREFUSED`) or the server is not trusted
 * (`CERT_HAS_EXPIRED`, `ERR_TLS_CERT_ALTNAME_INVALID`), with `ERR_SSL_*` where the protocol does, and with the signal's
 * reason behind `ABORT_ERR`; nothing is left behind then. Corresponds to `SSL_connect`.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  checkConnectOptions(options);
  const { signal, path, socket } = options;
  if (signal?.aborted) throw abortError(signal);
  const name = nameOf(options);
  if (socket) return connectOver(socket, options, name);
  const addresses = path === undefined ? await resolve(options) : [];
  const connection = dial(options, addresses, name);
  // Without a handshake, this waits for the socket to be connected.
  await connection.awaitHandshake(signal);
  return connection;
}

/** What the server's certificate has to be for. */
function nameOf({ servername, host }: ConnectOptions): string {
  return servername ? asciiName(servername, 'servername') : asciiName(host ?? 'localhost', 'host');
}

async function connectOver(socket: Duplex, options: ConnectOptions, name: string): Promise<Connection> {
  const settings = settingsOf(options, name);
  const { native, tie } = over(socket);
  const connection = new Connection(native, settings);
  tie(connection);
  if (options.handshake ?? true) await connection.handshake({ signal: options.signal });
  return connection;
}

function dial(options: ConnectOptions, addresses: string[], name: string): Connection {
  const settings = settingsOf(options, name);
  const { client, handshakeTimeout: timeout, remote } = settings;
  const handshake = { client: client!, timeout, tells: false, secrets: false, remote };
  const begins = options.handshake ?? true;
  const native = environment.dial(
    {
      addresses,
      port: options.port ?? 0,
      ...(options.path !== undefined && { path: options.path }),
      attemptDelay: options.autoSelectFamilyAttemptTimeout ?? 250,
      ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
      localPort: options.localPort ?? 0,
      noDelay: options.noDelay ?? true,
    },
    begins ? contextOf(settings.context).native : null,
    begins ? handshake : null,
  );
  const connection = new Connection(native, settings);
  if (begins) connection.begin();
  return connection;
}

function settingsOf(options: ConnectOptions, name: string): ConnectionSettings {
  const context = options.context ?? (defaultContext ??= createContext({}));
  const rejectUnauthorized = options.rejectUnauthorized ?? contextOf(context).rejectUnauthorized;
  const protocols = protocolList(options.ALPNProtocols, 'ALPNProtocols');
  return {
    context,
    server: undefined,
    client: {
      ...(asksFor(name, options) && { servername: name }),
      ...(protocols && { alpnProtocols: protocols }),
      ...(options.session && { session: Buffer.from(options.session) }),
      rejectUnauthorized,
      requestOcsp: options.requestOCSP ?? false,
      asksVerify: options.verifyPeer !== undefined,
      asksPsk: options.pskCallback !== undefined,
      traces: options.enableTrace ?? false,
    },
    verifyPeer: options.verifyPeer && AsyncResource.bind(options.verifyPeer, 'libssl-async.VerifyPeer'),
    pskCallback: options.pskCallback && AsyncResource.bind(options.pskCallback, 'libssl-async.PskCallback'),
    handshakeTimeout: options.handshakeTimeout ?? 0,
    idleTimeout: options.idleTimeout ?? 0,
    remote: options.recordIO === 'worker' || !environment.hasEventLoop,
    truncation: options.truncation,
    onClosed: undefined,
    onEstablished: (connection) => checkIdentity(connection, name, rejectUnauthorized, options),
  };
}

/** Whether the server is told the name: addresses are not (RFC 6066, section 3), nor is the name of a path. */
function asksFor(name: string, { servername, host, path, socket }: ConnectOptions): boolean {
  const isPlaceless = path !== undefined || (socket !== undefined && host === undefined);
  return isIP(name) === 0 && (servername ?? (isPlaceless ? '' : name)) !== '';
}

function checkIdentity(connection: Connection, name: string, rejects: boolean, options: ConnectOptions): void {
  if (connection.isPreShared) return connection.trustKey();
  const certificate = connection.peerCertificate?.toLegacyObject();
  const check = options.checkServerIdentity ?? nodeCheckServerIdentity;
  // Only a cipher without authentication does without a certificate; the error is Node's.
  const error = certificate
    ? check(name, certificate)
    : new TlsError('UNABLE_TO_GET_ISSUER_CERT', 'unable to get issuer certificate');
  if (!error) return;
  if (rejects) throw error;
  connection.refuseIdentity((error as NodeJS.ErrnoException).code ?? error.message);
}

async function resolve(options: ConnectOptions): Promise<string[]> {
  const host = options.host ?? 'localhost';
  if (isIP(host)) return [host];
  const addresses = await look(host, options);
  const none = addresses.find(({ address }) => isIP(address) === 0);
  if (none)
    throw lookupError('ERR_INVALID_IP_ADDRESS', `lookup found ${none.address} for ${host}, which is no IP address`);
  if (addresses.length === 0) throw lookupError('ENOTFOUND', `lookup found no address for ${host}`);
  const alternating = interleave(addresses);
  return options.autoSelectFamily === false ? alternating.slice(0, 1) : alternating;
}

async function look(host: string, options: ConnectOptions): Promise<LookupAddress[]> {
  const { lookup = dnsLookup, family = 0, signal } = options;
  let unsubscribe: (() => void) | undefined;
  try {
    return await new Promise((done, fail) => {
      unsubscribe = onAbort(signal, fail);
      lookup(host, { all: true, family }, (error, found) => (error ? fail(error) : done(found)));
    });
  } finally {
    unsubscribe?.();
  }
}

function lookupError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, syscall: 'lookup' });
}

/** Alternates between the families, beginning with the one that comes first (RFC 8305, section 4). */
function interleave(addresses: LookupAddress[]): string[] {
  const first = addresses.filter(({ family }) => family === addresses[0]!.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]!.family);
  const length = Math.max(first.length, second.length);
  const pairs = Array.from({ length }, (_, index) => [first[index], second[index]]);
  return pairs.flat().flatMap((entry) => (entry ? [entry.address] : []));
}
