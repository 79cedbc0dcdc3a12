import type { LookupAddress, LookupAllOptions } from 'node:dns';
import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import type { PeerCertificate } from 'node:tls';

import { protocolList } from './alpn.ts';
import { native } from './binding.ts';
import { type Context, contextOf } from './context.ts';
import { invalidArgument } from './errors.ts';
import {
  MOST_MILLISECONDS,
  checkNames,
  optionalBoolean,
  optionalFunction,
  optionalInteger,
  optionalString,
} from './options.ts';
import { checkStream } from './over.ts';
import type { PskClientCallback } from './psk.ts';
import { CONTEXT_HINTS, checkSignal, checkTransport } from './transport-options.ts';
import type { VerifyPeer } from './verify-peer.ts';

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
  /**
   * A stream to the server that is there already, in place of an address: a `net.Socket`, whose descriptor is used then, or
   * any other `Duplex`. It belongs to the connection from then on, and ends with it.
   */
  socket?: Duplex | undefined;
  /** The settings. Default: those of `createContext({})`, which trusts what Node trusts. */
  context?: Context | undefined;
  /** Whether the server is asked for an OCSP response, {@link Connection.ocspResponse}. Default: `false`. */
  requestOCSP?: boolean | undefined;
  /** The name that the server is asked for and its certificate is checked for; both in ASCII. Default: `host`. */
  servername?: string | undefined;
  /** Protocols for ALPN, in order of preference. Default: the context's. */
  ALPNProtocols?: readonly string[] | undefined;
  /** A session to resume, from {@link Connection.getSession}. */
  session?: Uint8Array | undefined;
  /** Whether a server that is not trusted is refused. Default: the context's, `true` unless it says otherwise. */
  rejectUnauthorized?: boolean | undefined;
  /** Checks that the certificate is for `servername`; returns what is wrong. Default: node:tls's. */
  checkServerIdentity?: ((servername: string, certificate: PeerCertificate) => Error | undefined) | undefined;
  /**
   * Asked whether the server is accepted, once its chain is verified: it may look into an OCSP responder or a data base. A refusal
   * fails the handshake with `ERR_LIBSSL_ASYNC_CALLBACK_FAILED` and the reason as its cause; the server gets the alert
   * `bad_certificate`. Corresponds to `SSL_CTX_set_cert_verify_callback`, whose callback pauses the job.
   */
  verifyPeer?: VerifyPeer | undefined;
  /**
   * Asked for a pre-shared key; TLS 1.2 needs a cipher suite for it, TLS 1.3 one with SHA-256, in the context's `ciphers`. A server
   * that has it too needs no certificate, and has no name to be checked. Corresponds to `SSL_set_psk_client_callback`.
   */
  pskCallback?: PskClientCallback | undefined;
  /** As of a server: tells which messages are sent and received. Default: `false`. */
  enableTrace?: boolean | undefined;
  /** Whether the handshake is done; otherwise {@link Connection.handshake} does it. Default: `true`. */
  handshake?: boolean | undefined;
  /** Milliseconds that the handshake may take, 0 for no limit. Default: 0. */
  handshakeTimeout?: number | undefined;
  /** What {@link Connection.idleTimeout} is at first. Default: 0. */
  idleTimeout?: number | undefined;
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

const KNOWN: readonly (keyof ConnectOptions)[] = [
  'ALPNProtocols',
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'checkServerIdentity',
  'context',
  'enableTrace',
  'family',
  'handshake',
  'handshakeTimeout',
  'host',
  'idleTimeout',
  'localAddress',
  'localPort',
  'lookup',
  'noDelay',
  'path',
  'port',
  'pskCallback',
  'recordIO',
  'rejectUnauthorized',
  'requestOCSP',
  'servername',
  'session',
  'signal',
  'socket',
  'truncation',
  'verifyPeer',
];

/** Throws what is wrong with the options of a connection. */
export function checkConnectOptions(options: ConnectOptions): void {
  checkNames(options, KNOWN, { ...CONTEXT_HINTS, hostname: 'give host' });
  const { port, path, session, family, socket } = options;
  if (socket !== undefined) checkStream(socket, 'options.socket');
  const isPlaceless =
    optionalString(path, 'path') === undefined && optionalInteger(port, 'port', 1, 65_535) === undefined;
  if (socket === undefined && isPlaceless) {
    throw invalidArgument('options.port', 'an integer from 1 to 65535', port);
  }
  optionalString(options.host, 'host');
  if (options.context !== undefined) contextOf(options.context);
  if (options.servername !== undefined && typeof options.servername !== 'string') {
    throw invalidArgument('options.servername', 'a string', options.servername);
  }
  if (options.servername?.includes('\0')) {
    throw invalidArgument('options.servername', 'a name', options.servername, 'it has a NUL');
  }
  protocolList(options.ALPNProtocols, 'ALPNProtocols');
  if (session !== undefined && !(session instanceof Uint8Array)) {
    throw invalidArgument('options.session', 'a Uint8Array', session);
  }
  if (session !== undefined && !native.isSession(Buffer.from(session))) {
    throw invalidArgument('options.session', 'a session of a connection', session, 'it is none');
  }
  for (const name of ['rejectUnauthorized', 'requestOCSP', 'autoSelectFamily', 'enableTrace'] as const)
    optionalBoolean(options[name], name);
  for (const name of ['checkServerIdentity', 'lookup', 'pskCallback', 'verifyPeer'] as const)
    optionalFunction(options[name], name);
  if (family !== undefined && family !== 0 && family !== 4 && family !== 6) {
    throw invalidArgument('options.family', 'the number 0, 4 or 6', family);
  }
  optionalInteger(options.autoSelectFamilyAttemptTimeout, 'autoSelectFamilyAttemptTimeout', 1, MOST_MILLISECONDS);
  const localAddress = optionalString(options.localAddress, 'localAddress');
  if (localAddress !== undefined && isIP(localAddress) === 0) {
    throw invalidArgument('options.localAddress', 'an IP address', localAddress, 'it is none');
  }
  optionalInteger(options.localPort, 'localPort', 0, 65_535);
  checkTransport(options);
  checkSignal(options.signal);
}
