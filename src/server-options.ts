import { protocolList } from './alpn.ts';
import type { OnClientHello, SessionStore } from './client-hello.ts';
import { type Context, contextOf } from './context.ts';
import { invalidArgument } from './errors.ts';
import { checkNames, optionalBoolean, optionalFunction, optionalInteger, optionalString } from './options.ts';
import { type PskServerCallback, checkHint } from './psk.ts';
import { CONTEXT_HINTS, checkSignal, checkTransport } from './transport-options.ts';
import type { VerifyPeer } from './verify-peer.ts';

/** Options of {@link createServer}. */
export interface ServerOptions {
  /** Certificates, keys and settings of all connections. */
  context: Context;
  /** Protocols for ALPN, in order of preference. Default: the context's. */
  ALPNProtocols?: readonly string[] | undefined;
  /** Whether clients are asked for a certificate. Default: the context's. */
  requestCert?: boolean | undefined;
  /** Whether clients that are not trusted are refused. Default: the context's. */
  rejectUnauthorized?: boolean | undefined;
  /** Whether handshakes begin by themselves; otherwise connections are handed out before. Default: `true`. */
  handshake?: boolean | undefined;
  /** Milliseconds that a handshake may take, 0 for no limit. Default: 120 000, as for node:tls. */
  handshakeTimeout?: number | undefined;
  /** Handshakes that run at once, from 1; more wait, or are refused. Default: no limit. */
  maxHandshakes?: number | undefined;
  /**
   * Handshakes beyond `maxHandshakes` that wait for their turn, and are let in as they came. Those beyond are closed at
   * once: a `tlsClientError` with the code `ERR_LIBSSL_ASYNC_TOO_MANY_HANDSHAKES`. Default: 0.
   */
  maxWaitingHandshakes?: number | undefined;
  /** What {@link Connection.idleTimeout} is at first. Default: 0. */
  idleTimeout?: number | undefined;
  /** Where record I/O runs: on the event loop, or on the workers. Default: `'loop'` where the host has what it needs. */
  recordIO?: 'loop' | 'worker' | undefined;
  /** Connections that wait for the iteration; more are refused. Default: 511. */
  backlog?: number | undefined;
  /** What a TCP connection that ends without `close_notify` means. Default: `'error'`. */
  truncation?: 'error' | 'end' | undefined;
  /**
   * Tells on standard error which messages connections send and receive, by their kinds and sizes. Default: `false`. Corresponds
   * to `SSL_set_msg_callback`.
   */
  enableTrace?: boolean | undefined;
  /** Whether the event `keylog` tells the secrets of connections. Default: `false`. */
  keylog?: boolean | undefined;
  /** Sends small writes at once (`TCP_NODELAY`). Default: `true`. */
  noDelay?: boolean | undefined;
  /**
   * Chooses the context, the application protocol and more for each client, or refuses it by throwing or rejecting: then
   * `tlsClientError` has an error with the code `ERR_LIBSSL_ASYNC_CALLBACK_FAILED` and the reason as its cause. Corresponds
   * to `SSL_CTX_set_client_hello_cb`, whose callback pauses the job.
   */
  onClientHello?: OnClientHello | undefined;
  /**
   * Asked whether a client is accepted that has a certificate, once its chain is verified; needs `requestCert`. A refusal is a
   * `tlsClientError` as that of `onClientHello`; the client gets the alert `bad_certificate`. Corresponds to
   * `SSL_CTX_set_cert_verify_callback`, whose callback pauses the job.
   */
  verifyPeer?: VerifyPeer | undefined;
  /**
   * Asked for the pre-shared keys of clients; TLS 1.2 needs a cipher suite for them, TLS 1.3 one with SHA-256, in the context's
   * `ciphers`. Corresponds to `SSL_set_psk_server_callback`, whose callback pauses the job.
   */
  pskCallback?: PskServerCallback | undefined;
  /** What clients of TLS 1.2 are told about the keys. Corresponds to `SSL_use_psk_identity_hint`. */
  pskIdentityHint?: string | undefined;
  /** Keeps sessions of TLS 1.2. Corresponds to `SSL_CTX_sess_set_new_cb` and `SSL_CTX_sess_set_get_cb`. */
  sessionStore?: SessionStore | undefined;
}

/** What of a server may change while it listens. */
export type ServerTerms = Pick<
  ServerOptions,
  | 'ALPNProtocols'
  | 'context'
  | 'enableTrace'
  | 'keylog'
  | 'onClientHello'
  | 'pskCallback'
  | 'pskIdentityHint'
  | 'rejectUnauthorized'
  | 'requestCert'
  | 'sessionStore'
  | 'verifyPeer'
>;

/** Where a server listens. */
export interface ListenOptions {
  /** The TCP port; 0, the default, for one that the system chooses. */
  port?: number | undefined;
  /** A name or an IP address. Default: all addresses. */
  host?: string | undefined;
  /** The path of a Unix socket, in place of `host` and `port`. */
  path?: string | undefined;
  /** Connections that the system keeps until they are accepted. Default: 511. */
  backlog?: number | undefined;
  /** Whether an IPv6 address excludes IPv4. Default: `false`. */
  ipv6Only?: boolean | undefined;
  /** Whether several sockets may share the port (`SO_REUSEPORT`). Default: `false`. */
  reusePort?: boolean | undefined;
  /** Closes the server. */
  signal?: AbortSignal | undefined;
}

/** How {@link Server.close} treats connections. */
export interface CloseOptions {
  /** Milliseconds after which the connections that are left are destroyed. Default: no limit. */
  timeout?: number | undefined;
}

/** What {@link Server.close} has ended. */
export interface CloseReport {
  /** Connections that were destroyed: nobody had taken them, or their time was over. */
  readonly destroyed: number;
  /** Handshakes of this server that were given up while paused, at any time, and that have left nothing behind. */
  readonly drained: number;
  /** Handshakes that were given up while paused on a source that never answered; left allocated on purpose. */
  readonly leaked: number;
}

const SERVER_OPTIONS: readonly (keyof ServerOptions)[] = [
  'ALPNProtocols',
  'backlog',
  'context',
  'enableTrace',
  'handshake',
  'handshakeTimeout',
  'idleTimeout',
  'keylog',
  'maxHandshakes',
  'maxWaitingHandshakes',
  'noDelay',
  'onClientHello',
  'pskCallback',
  'pskIdentityHint',
  'recordIO',
  'rejectUnauthorized',
  'requestCert',
  'sessionStore',
  'truncation',
  'verifyPeer',
];

const LISTEN_OPTIONS: readonly (keyof ListenOptions)[] = [
  'backlog',
  'host',
  'ipv6Only',
  'path',
  'port',
  'reusePort',
  'signal',
];

const LISTEN_HINTS = Object.fromEntries(
  LISTEN_OPTIONS.filter((name) => name !== 'backlog').map((name) => [name, 'it is an option of listen()']),
);

/** Throws what is wrong with the options of a server. */
export function checkServerOptions(options: ServerOptions): void {
  checkNames(options, SERVER_OPTIONS, { ...CONTEXT_HINTS, ...LISTEN_HINTS });
  contextOf(options.context);
  checkTransport(options);
  optionalInteger(options.backlog, 'backlog', 0, 0xffff_ffff);
  for (const name of ['enableTrace', 'keylog', 'rejectUnauthorized', 'requestCert'] as const)
    optionalBoolean(options[name], name);
  protocolList(options.ALPNProtocols, 'ALPNProtocols');
  optionalInteger(options.maxHandshakes, 'maxHandshakes', 1, 0xffff_ffff);
  optionalInteger(options.maxWaitingHandshakes, 'maxWaitingHandshakes', 0, 0xffff_ffff);
  for (const name of ['onClientHello', 'pskCallback', 'verifyPeer'] as const) optionalFunction(options[name], name);
  checkHint(options.pskIdentityHint);
  const { sessionStore }: { sessionStore?: unknown } = options;
  if (sessionStore !== undefined && !isSessionStore(sessionStore)) {
    throw invalidArgument('options.sessionStore', 'an object with the functions get and set', sessionStore);
  }
}

function isSessionStore(value: unknown): value is SessionStore {
  if (typeof value !== 'object' || value === null) return false;
  const { get, set } = value as Record<string, unknown>;
  return typeof get === 'function' && typeof set === 'function';
}

/** Throws what is wrong with where a server is to listen. */
export function checkListenOptions(options: ListenOptions): void {
  checkNames(options, LISTEN_OPTIONS, CONTEXT_HINTS);
  optionalInteger(options.port, 'port', 0, 65_535);
  for (const name of ['host', 'path'] as const) optionalString(options[name], name);
  optionalInteger(options.backlog, 'backlog', 1, 0x7fff_ffff);
  for (const name of ['ipv6Only', 'reusePort'] as const) optionalBoolean(options[name], name);
  checkSignal(options.signal);
}
