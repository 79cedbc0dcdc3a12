import { type LookupAddress, lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import { checkServerIdentity as nodeCheckServerIdentity } from 'node:tls';

import { protocolList } from './alpn.ts';
import { type ConnectOptions, checkConnectOptions } from './connect-options.ts';
import { Connection } from './connection.ts';
import { type Context, contextOf, createContext } from './context.ts';
import { environment } from './environment.ts';
import { TlsError, abortError } from './errors.ts';
import { onAbort } from './operations.ts';
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
  const { signal, path } = options;
  if (signal?.aborted) throw abortError(signal);
  const name = nameOf(options);
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

function dial(options: ConnectOptions, addresses: string[], name: string): Connection {
  const context = options.context ?? (defaultContext ??= createContext({}));
  const { native: nativeContext, rejectUnauthorized: rejects } = contextOf(context);
  const rejectUnauthorized = options.rejectUnauthorized ?? rejects;
  const protocols = protocolList(options.ALPNProtocols, 'ALPNProtocols');
  const client = {
    ...(asksFor(name, options) && { servername: name }),
    ...(protocols && { alpnProtocols: protocols }),
    ...(options.session && { session: Buffer.from(options.session) }),
    rejectUnauthorized,
  };
  const remote = options.recordIO === 'worker' || !environment.hasEventLoop;
  const timeout = options.handshakeTimeout ?? 0;
  const handshake = { client, timeout, tells: false, secrets: false, remote };
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
    begins ? nativeContext : null,
    begins ? handshake : null,
  );
  return new Connection(native, {
    context,
    server: undefined,
    client,
    handshakeTimeout: timeout,
    idleTimeout: options.idleTimeout ?? 0,
    remote,
    truncation: options.truncation,
    onClosed: undefined,
    onEstablished: (connection) => checkIdentity(connection, name, rejectUnauthorized, options),
  });
}

/** Whether the server is told the name: addresses are not (RFC 6066, section 3), nor is the name of a path. */
function asksFor(name: string, { servername, path }: ConnectOptions): boolean {
  return isIP(name) === 0 && (servername ?? (path === undefined ? name : '')) !== '';
}

function checkIdentity(connection: Connection, name: string, rejects: boolean, options: ConnectOptions): void {
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
