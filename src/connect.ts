import { type LookupAddress, type LookupAllOptions, lookup as dnsLookup } from 'node:dns';
import { isIP } from 'node:net';
import { type PeerCertificate, checkServerIdentity as nodeCheckServerIdentity } from 'node:tls';

import { protocolList } from './alpn.ts';
import { Connection } from './connection.ts';
import { type Context, contextOf, createContext } from './context.ts';
import { environment } from './environment.ts';
import { TlsError, abortError, invalidArgument } from './errors.ts';

/** Node's form of a function that resolves names, called with `all: true`. */
export type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** The TCP port. */
  port?: number | undefined;
  /** A name or an IP address. Default: `'localhost'`. */
  host?: string | undefined;
  /** The path of a Unix socket, in place of `host` and `port`. */
  path?: string | undefined;
  /** The settings. Default: those of `createContext({})`, which trusts what Node trusts. */
  context?: Context | undefined;
  /** The name that the server is asked for and its certificate is checked for. Default: `host`. */
  servername?: string | undefined;
  /** Protocols for ALPN, in order of preference. Default: the context's. */
  ALPNProtocols?: readonly string[] | undefined;
  /** A session to resume, from {@link Connection.getSession}. */
  session?: Uint8Array | undefined;
  /** Whether a server that is not trusted is refused. Default: the context's, `true` unless it says otherwise. */
  rejectUnauthorized?: boolean | undefined;
  /** Checks that the certificate is for `servername`; returns what is wrong. Default: node:tls's. */
  checkServerIdentity?: ((servername: string, certificate: PeerCertificate) => Error | undefined) | undefined;
  /** Whether the handshake is done; otherwise {@link Connection.handshake} does it. Default: `true`. */
  handshake?: boolean | undefined;
  /** Milliseconds that the handshake may take, 0 for no limit. Default: 0. */
  handshakeTimeout?: number | undefined;
  /** Where record I/O runs: on the event loop, or on the workers. Default: `'loop'` where the host has what it needs. */
  recordIO?: 'loop' | 'worker' | undefined;
  /** What a TCP connection that ends without `close_notify` means. Default: `'error'`. */
  truncation?: 'error' | 'end' | undefined;
  /** Sends small writes at once (`TCP_NODELAY`). Default: `true`. */
  noDelay?: boolean | undefined;
  /** The IP version: 4, 6, or 0, the default, for both. */
  family?: 0 | 4 | 6 | undefined;
  /** Whether several addresses are tried side by side (RFC 8305); otherwise only the first. Default: `true`. */
  autoSelectFamily?: boolean | undefined;
  /** Milliseconds after which the next address is tried too. Default: 250. */
  autoSelectFamilyAttemptTimeout?: number | undefined;
  /** Resolves `host`. Default: `dns.lookup`. */
  lookup?: Lookup | undefined;
  /** The IP address to connect from. */
  localAddress?: string | undefined;
  /** The port to connect from. */
  localPort?: number | undefined;
  /** Gives the connection up. */
  signal?: AbortSignal | undefined;
}

let defaultContext: Context | undefined;

/**
 * Connects, and does the handshake unless `handshake` is `false`.
 *
 * Rejects with Node's code where the system fails (`ECONNREFUSED`) or the server is not trusted
 * (`CERT_HAS_EXPIRED`, `ERR_TLS_CERT_ALTNAME_INVALID`), with `ERR_SSL_*` where the protocol does, and with the signal's
 * reason behind `ABORT_ERR`; nothing is left behind then. Corresponds to `SSL_connect`.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  validate(options);
  const { signal, path } = options;
  if (signal?.aborted) throw abortError(signal);
  const addresses = path === undefined ? await resolve(options) : [];
  if (signal?.aborted) throw abortError(signal);
  const connection = dial(options, addresses);
  // Without a handshake, this waits for the socket to be connected.
  await connection.awaitHandshake(signal);
  return connection;
}

function dial(options: ConnectOptions, addresses: string[]): Connection {
  const context = options.context ?? (defaultContext ??= createContext({}));
  const { native: nativeContext, asyncCallback, rejectUnauthorized: rejects } = contextOf(context);
  const host = options.host ?? 'localhost';
  const servername = options.servername ?? (options.path === undefined ? host : undefined);
  const rejectUnauthorized = options.rejectUnauthorized ?? rejects;
  const protocols = protocolList(options.ALPNProtocols, 'ALPNProtocols');
  const client = {
    ...(servername !== undefined && isIP(servername) === 0 && { servername }),
    ...(protocols && { alpnProtocols: protocols }),
    ...(options.session && { session: Buffer.from(options.session) }),
    rejectUnauthorized,
  };
  const remote = options.recordIO === 'worker' || !environment.hasEventLoop;
  const timeout = options.handshakeTimeout ?? 0;
  const handshake = { client, timeout, tells: asyncCallback !== undefined, secrets: false, remote };
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
    remote,
    truncation: options.truncation ?? 'error',
    onEstablished: (connection) => checkIdentity(connection, servername ?? host, rejectUnauthorized, options),
  });
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
  const lookup = options.lookup ?? dnsLookup;
  const addresses = await new Promise<LookupAddress[]>((done, fail) => {
    lookup(host, { all: true, family: options.family ?? 0 }, (error, found) => (error ? fail(error) : done(found)));
  });
  const alternating = interleave(addresses);
  return options.autoSelectFamily === false ? alternating.slice(0, 1) : alternating;
}

/** Alternates between the families, beginning with the one that comes first (RFC 8305, section 4). */
function interleave(addresses: LookupAddress[]): string[] {
  const first = addresses.filter(({ family }) => family === addresses[0]!.family);
  const second = addresses.filter(({ family }) => family !== addresses[0]!.family);
  const length = Math.max(first.length, second.length);
  const pairs = Array.from({ length }, (_, index) => [first[index], second[index]]);
  return pairs.flat().flatMap((entry) => (entry ? [entry.address] : []));
}

function validate(options: ConnectOptions): void {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { port, path, host } = options;
  if (path === undefined && !(Number.isInteger(port) && port! > 0 && port! <= 65_535)) {
    throw invalidArgument('options.port', 'an integer from 1 to 65535', port);
  }
  if (host !== undefined && (typeof host !== 'string' || host === '')) {
    throw invalidArgument('options.host', 'a string that is not empty', host);
  }
  if (options.context !== undefined) contextOf(options.context);
}
