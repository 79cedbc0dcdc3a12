// Generated from src/ by `npm run build`. Committed, so that a change of the API shows in review.

import * as node from 'node:tls';
import node__default, {
  ConnectionOptions as ConnectionOptions$1,
  TLSSocketOptions as TLSSocketOptions$1,
} from 'node:tls';
import { Duplex } from 'node:stream';
import {
  Context,
  ContextOptions,
  PrivateKey,
  VerifyPeer,
  PreSharedKey,
  PskServerCallback as PskServerCallback$1,
  ConnectOptions,
  ServerOptions,
} from './index.js';
import { X509Certificate } from 'node:crypto';
import { Socket, AddressInfo, Server as Server$1, ListenOptions } from 'node:net';

/** Where a socket reads to, in place of `data`: node:net's option. */
interface OnRead {
  /** What is read into, again and again; or a function that gives it. */
  buffer: Uint8Array | (() => Uint8Array);
  /** Is told how many bytes are there, and where; `false` pauses the socket. */
  callback(bytesWritten: number, buffer: Uint8Array): boolean | void;
}

/**
 * A stream over a connection, that may come later: its end is a shutdown, its destruction the connection's.
 *
 * What is read and written before waits for the connection.
 */
declare class ConnectionStream extends Duplex {
  #private;
}

/**
 * Options of {@link createSecureContext}: those of node:tls, and those of this package's `createContext`, so that `key` may be
 * a key of `createRemoteKey()` or `loadPrivateKey()`.
 */
type SecureContextOptions = Omit<node.SecureContextOptions, 'key' | 'ALPNCallback' | 'ticketKeys'> &
  Omit<ContextOptions, keyof node.SecureContextOptions> & {
    /** Private keys: as node:tls takes them, or a key that is elsewhere. */
    key?: node.SecureContextOptions['key'] | PrivateKey | readonly PrivateKey[] | undefined;
    /** 48 random bytes, of which the keys of session tickets are made; of several, the first makes tickets. */
    ticketKeys?: Buffer | readonly Buffer[] | undefined;
  };
/** Keys, certificates and parameters of connections, made by {@link createSecureContext}. Corresponds to `SSL_CTX`. */
declare class SecureContext {
  /** The same, for the rest of this package: `connect({ context })` and `createServer({ context })`. */
  readonly context: Context;
}
/**
 * Makes a context, as `tls.createSecureContext` does; other options are left out of account. Throws what is wrong with one.
 *
 * Corresponds to `SSL_CTX_new`.
 */
declare function createSecureContext(options?: SecureContextOptions): SecureContext;

/** What a callback of node:tls's may choose as a context. */
type Chosen = SecureContext | Context | null | undefined;
/**
 * Chooses the context for a name; `null` or nothing for the server's own. It calls `callback`, or returns the context or a
 * promise of it; only a function that takes `callback` may return nothing and call it later.
 */
type SNICallback = (
  servername: string,
  callback: (error: Error | null, context?: Chosen) => void,
) => void | Chosen | PromiseLike<Chosen | void>;
/**
 * Chooses one of the protocols that a client offers, or `undefined` to refuse it; it may return a promise. `servername` is
 * the name that the client asks for, empty for none.
 */
type ALPNCallback = (offer: {
  servername: string;
  protocols: string[];
}) => string | undefined | PromiseLike<string | undefined>;

/** Options of {@link TLSSocket}'s constructor: node:tls's, but for those of {@link SecureContextOptions}. */
interface TLSSocketOptions extends SecureContextOptions {
  /** Whether this is the server's end. Default: `false`. */
  isServer?: boolean | undefined;
  /** A context, in place of options that describe one. */
  secureContext?: SecureContext | undefined;
  /** The server whose connection it is. */
  server?: unknown;
  /** Chooses a server's context. */
  SNICallback?: SNICallback | undefined;
  /** Chooses a server's application protocol. */
  ALPNCallback?: ALPNCallback | undefined;
  /** The name that a client asks for. */
  servername?: string | undefined;
  /** The session that a client resumes. */
  session?: Buffer | undefined;
  /** Whether a client asks for an OCSP response. */
  requestOCSP?: boolean | undefined;
  /** Tells on standard error which messages are sent and received, by their kinds and sizes. Default: `false`. */
  enableTrace?: boolean | undefined;
  /** Asked whether the peer is accepted, once its chain is verified; of a client only if it is asked for a certificate. */
  verifyPeer?: VerifyPeer | undefined;
  /** Whether the stream stays writable after the peer has ended its direction. Default: `false`. */
  allowHalfOpen?: boolean | undefined;
  /** Bytes that wait to be read. */
  highWaterMark?: number | undefined;
  /** Destroys the connection. */
  signal?: AbortSignal | undefined;
}

/**
 * A TLS connection as a stream, with the surface of node:tls's `TLSSocket`; made by `connect()`, and handed out by a
 * {@link Server}.
 *
 * Its handshake runs on a worker. What is written before it is done waits for it. An end without `close_notify` is the end of
 * the stream, as for node:tls. Open, it keeps the process alive, unless {@link TLSSocket.unref} was called.
 */
declare class TLSSocket extends ConnectionStream {
  #private;
  /** Always `true`. */
  readonly encrypted: true;
  /** Whether the peer is trusted; `false` for clients that were not asked for a certificate. */
  authorized: boolean;
  /** Why the peer is not trusted: Node's code, or the error. */
  authorizationError: Error | string | null | undefined;
  /** The protocol that ALPN has chosen, `false` for none; `null` before the handshake. */
  alpnProtocol: string | false | null;
  /** The name that the client asked for, `false` for none; `null` before the handshake. */
  servername: string | false | null;
  /** Whether the connection is being made: until `connect`. */
  connecting: boolean;
  /** Whether the handshake is not done yet. */
  secureConnecting: boolean;
  /** The server whose connection it is. */
  server?: unknown;
  /** Bytes that were received, decrypted. */
  bytesRead: number;
  /**
   * TLS over a stream that is there already: a `net.Socket`, whose descriptor is used then, or any other `Duplex`. It belongs
   * to the connection from then on, and ends with it. The handshake begins by itself; `secure` tells that it is done.
   *
   * Throws what is wrong with the options.
   */
  constructor(socket: Socket | Duplex, options?: TLSSocketOptions);
  /** Bytes that were written, those that wait included. */
  get bytesWritten(): number;
  /** As `writableLength`. */
  get bufferSize(): number;
  /** Whether the connection is not there yet. */
  get pending(): boolean;
  /** `opening`, `open`, `readOnly`, `writeOnly` or `closed`. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed';
  /** The peer's IP address. */
  get remoteAddress(): string | undefined;
  /** `IPv4` or `IPv6`. */
  get remoteFamily(): string | undefined;
  /** The peer's TCP port. */
  get remotePort(): number | undefined;
  /** This end's IP address. */
  get localAddress(): string | undefined;
  /** `IPv4` or `IPv6`. */
  get localFamily(): string | undefined;
  /** This end's TCP port. */
  get localPort(): number | undefined;
  /** This end; empty before there is one. */
  address(): AddressInfo | Record<string, never>;
  /** The peer's certificate; empty for a peer without, `null` for a closed connection. Corresponds to `SSL_get_peer_cert_chain`. */
  getPeerCertificate(detailed: true): node.DetailedPeerCertificate;
  getPeerCertificate(detailed?: false): node.PeerCertificate;
  getPeerCertificate(detailed?: boolean): node.PeerCertificate | node.DetailedPeerCertificate;
  /** The peer's certificate. Corresponds to `SSL_get1_peer_certificate`. */
  getPeerX509Certificate(): X509Certificate | undefined;
  /** This side's certificate; empty for none, `null` for a closed connection. Corresponds to `SSL_get_certificate`. */
  getCertificate(): node.PeerCertificate | object | null;
  /** This side's certificate. Corresponds to `SSL_get_certificate`. */
  getX509Certificate(): X509Certificate | undefined;
  /** The cipher suite. Corresponds to `SSL_get_current_cipher`. */
  getCipher(): node.CipherNameAndProtocol | null;
  /** `TLSv1.3`, for instance; `unknown` before the handshake, `null` after the end. Corresponds to `SSL_get_version`. */
  getProtocol(): string | null;
  /** The session, for `connect({ session })`. Corresponds to `SSL_get1_session`. */
  getSession(): Buffer | undefined;
  /** The last `Finished` that was sent. Corresponds to `SSL_get_finished`. */
  getFinished(): Buffer | undefined;
  /** The last `Finished` that was received. Corresponds to `SSL_get_peer_finished`. */
  getPeerFinished(): Buffer | undefined;
  /** What a client's server has made for the key exchange; empty without, `null` for servers. Corresponds to `SSL_get_peer_tmp_key`. */
  getEphemeralKeyInfo(): node.EphemeralKeyInfo | object | null;
  /** The signature algorithms that both sides have, the client's order. Corresponds to `SSL_get_shared_sigalgs`. */
  getSharedSigalgs(): string[] | null;
  /** The ticket of the session, of a client that has one. Corresponds to `SSL_SESSION_get0_ticket`. */
  getTLSTicket(): Buffer | undefined;
  /** Tells on standard error which messages are sent and received from now on; before the handshake it is an option. */
  enableTrace(): void;
  /** What marks what is sent (`IP_TOS`, `IPV6_TCLASS`); what was set, if there is no socket yet. */
  getTypeOfService(): number;
  /** Marks what is sent, with a byte. Throws what the system says. */
  setTypeOfService(tos: number): this;
  /** Limits what one record holds, from 512 to 16384 bytes; returns whether it did. Corresponds to `SSL_set_max_send_fragment`. */
  setMaxSendFragment(size: number): boolean;
  /** Whether a session was resumed. Corresponds to `SSL_session_reused`. */
  isSessionReused(): boolean;
  /** Keying material. Corresponds to `SSL_export_keying_material`. */
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer;
  /** Renegotiation is disabled: `callback` gets `ERR_TLS_RENEGOTIATION_DISABLED`. */
  renegotiate(_options: object, callback?: (error: Error | null) => void): false;
  /**
   * Has a client ask for a name, as the option `servername`; before the handshake begins, right after the socket was made.
   *
   * Throws `ERR_TLS_SNI_FROM_SERVER` for a server's socket.
   */
  setServername(servername: string): void;
  /** Has a client offer a session, as the option `session`; before the handshake begins, right after the socket was made. */
  setSession(session: Buffer | string): void;
  /** Nothing to do: it always is. */
  disableRenegotiation(): void;
  /** Has `timeout` told after so many milliseconds of silence; 0 for never. Nothing else happens then. */
  setTimeout(milliseconds: number, callback?: () => void): this;
  /** Milliseconds of silence that {@link TLSSocket.setTimeout} has set. */
  get timeout(): number | undefined;
  /** Sends small writes at once, or not (`TCP_NODELAY`). */
  setNoDelay(noDelay?: boolean): this;
  /** Has the system probe a silent peer (`SO_KEEPALIVE`), first after `initialDelay` milliseconds. */
  setKeepAlive(enable?: boolean, initialDelay?: number): this;
  /** Lets the connection keep the process alive. */
  ref(): this;
  /** Lets the process end although the connection is open. */
  unref(): this;
  /** Destroys the stream when all that was written is sent. */
  destroySoon(): void;
  /** Closes the TCP connection with a reset. */
  resetAndDestroy(): this;
}

/**
 * Gives a server the key of an identity, or nothing or `null` if there is none; it may return a promise. `socket` tells who asks:
 * it has no connection yet.
 */
type PskServerCallback = (socket: TLSSocket, identity: string) => ReturnType<PskServerCallback$1>;
/** Gives a client its key, or nothing or `null` if it has none; it may return a promise. `hint` is a server's of TLS 1.2. */
type PskClientCallback = (
  hint: string | null,
) => PreSharedKey | null | undefined | void | PromiseLike<PreSharedKey | null | undefined | void>;

/** Options of {@link connect}: node:tls's, but for those of {@link SecureContextOptions}. */
type ConnectionOptions = Omit<
  ConnectionOptions$1,
  keyof SecureContextOptions | 'ALPNCallback' | 'SNICallback' | 'onread' | 'pskCallback' | 'secureContext' | 'socket'
> &
  SecureContextOptions &
  Pick<TLSSocketOptions$1, 'requestOCSP'> &
  Pick<
    ConnectOptions,
    'autoSelectFamily' | 'autoSelectFamilyAttemptTimeout' | 'family' | 'localAddress' | 'localPort' | 'verifyPeer'
  > & {
    /** A context, in place of options that describe one. */
    secureContext?: SecureContext | undefined;
    /** A stream to the server that is there already, in place of an address. */
    socket?: Duplex | undefined;
    /** Gives the client's pre-shared key. */
    pskCallback?: PskClientCallback | undefined;
    /** Flags for `lookup`, as of `dns.lookup`. */
    hints?: number | undefined;
    /** Reads into a buffer of the caller's, in place of `data`. */
    onread?: OnRead | undefined;
    /** Destroys the connection. */
    signal?: AbortSignal | undefined;
    /** Sends small writes at once. Default: `false`, as for node:tls. */
    noDelay?: boolean | undefined;
    /** Has the system probe a silent peer. Default: `false`. */
    keepAlive?: boolean | undefined;
    /** Milliseconds before the first probe. */
    keepAliveInitialDelay?: number | undefined;
    /** Whether the stream stays writable after the peer has ended its direction. Default: `false`. */
    allowHalfOpen?: boolean | undefined;
    /** Bytes that wait to be read. */
    highWaterMark?: number | undefined;
  };
/**
 * Connects, as `tls.connect` does; what is wrong with the options throws.
 *
 * The event `secureConnect` tells that the handshake is done, which runs on a worker. Corresponds to `SSL_connect`.
 */
declare function connect(options: ConnectionOptions, secureConnectListener?: () => void): TLSSocket;
declare function connect(port: number, options?: ConnectionOptions, secureConnectListener?: () => void): TLSSocket;
declare function connect(
  port: number,
  host?: string,
  options?: ConnectionOptions,
  secureConnectListener?: () => void,
): TLSSocket;

/**
 * Options of {@link Server}: those of {@link SecureContextOptions}, node:tls's for servers, and the limits of this package's
 * own `createServer`.
 */
interface TlsOptions
  extends
    SecureContextOptions,
    Pick<ServerOptions, 'enableTrace' | 'maxHandshakes' | 'maxWaitingHandshakes' | 'recordIO' | 'verifyPeer'> {
  /** Chooses the context for a name. Default: those of `addContext()`. */
  SNICallback?: SNICallback | undefined;
  /** Chooses the application protocol, in place of `ALPNProtocols`. */
  ALPNCallback?: ALPNCallback | undefined;
  /** Gives the pre-shared keys of clients. */
  pskCallback?: PskServerCallback | undefined;
  /** What clients of TLS 1.2 are told about the keys. */
  pskIdentityHint?: string | undefined;
  /** Milliseconds that a handshake may take. Default: 120 000. */
  handshakeTimeout?: number | undefined;
  /** Whether sockets stay writable after the peer has ended its direction. Default: `false`. */
  allowHalfOpen?: boolean | undefined;
  /** Whether sockets are paused when they are handed out. Default: `false`. */
  pauseOnConnect?: boolean | undefined;
  /** Sends small writes at once. Default: `false`, as for node:tls. */
  noDelay?: boolean | undefined;
  /** Has the system probe silent peers. Default: `false`. */
  keepAlive?: boolean | undefined;
  /** Milliseconds before the first probe. */
  keepAliveInitialDelay?: number | undefined;
  /** Bytes that wait to be read. */
  highWaterMark?: number | undefined;
}

/**
 * A TLS server with the surface of node:tls's `Server`: `secureConnection` has a {@link TLSSocket} whose handshake is done,
 * which ran on a worker; `tlsClientError` tells of those that failed.
 *
 * It accepts on a worker, too, unless somebody listens to `connection` when it begins to listen: who is told of TCP
 * connections before their handshake has Node accept them. Emitted by somebody else with a stream, it accepts a client over
 * that.
 */
declare class Server extends Server$1 {
  #private;
  /** Throws what is wrong with the options. */
  constructor(options?: TlsOptions | null, secureConnectionListener?: (socket: TLSSocket) => void);
  constructor(secureConnectionListener?: (socket: TLSSocket) => void);
  /**
   * Begins to listen, with the arguments of node:net's servers; `listening` tells that it does, `error` that it cannot.
   *
   * On a descriptor or handle that is there already, in the workers of a cluster, and where somebody listens to `connection`,
   * Node accepts and this takes the sockets over. Throws `ERR_SERVER_ALREADY_LISTEN`, and what is wrong with the arguments.
   */
  listen(port?: number, host?: string, backlog?: number, listener?: () => void): this;
  listen(port?: number, host?: string, listener?: () => void): this;
  listen(port?: number, backlog?: number, listener?: () => void): this;
  listen(port?: number, listener?: () => void): this;
  listen(path: string, backlog?: number, listener?: () => void): this;
  listen(path: string, listener?: () => void): this;
  listen(options: ListenOptions, listener?: () => void): this;
  listen(handle: unknown, backlog?: number, listener?: () => void): this;
  listen(handle: unknown, listener?: () => void): this;
  /** Where it listens; `null` if it does not. */
  address(): AddressInfo | string | null;
  /** Tells how many connections are open. */
  getConnections(callback: (error: Error | null, count: number) => void): this;
  /**
   * Stops listening, and gives handshakes that run up; `close` tells that all connections have ended.
   *
   * `callback` gets `ERR_SERVER_NOT_RUNNING` if it did not listen.
   */
  close(callback?: (error?: Error) => void): this;
  /** Closes it, and waits for that. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Has it keep the process alive. */
  ref(): this;
  /** Lets the process end although it listens. */
  unref(): this;
  /**
   * Has clients that ask for a name, in which `*` stands for one label, be shown another context; later ones go first.
   *
   * Throws `ERR_TLS_REQUIRED_SERVER_NAME` without a name, and what is wrong with the context's options.
   */
  addContext(servername: string, context: SecureContextOptions | SecureContext | Context): void;
  /** Has clients that come from now on be shown another context; the options are all anew. Throws what is wrong with them. */
  setSecureContext(options: SecureContextOptions): void;
  /** The 48 bytes of which the keys of session tickets are made; of several keys, the one that makes tickets. */
  getTicketKeys(): Buffer;
  /**
   * Has tickets be made of other keys, of which this package's servers in other processes may know, too. Several keys may be
   * given: the first makes tickets, those of the others are still good. Others are not resumed any more. Throws for what has not
   * 48 bytes.
   */
  setTicketKeys(keys: Buffer | readonly Buffer[]): void;
}
/** A server, with the arguments of node:tls's `createServer`. Throws what is wrong with the options. */
declare function createServer(
  options?: TlsOptions | null,
  secureConnectionListener?: (socket: TLSSocket) => void,
): Server;
declare function createServer(secureConnectionListener?: (socket: TLSSocket) => void): Server;

/** node:tls's own: returns what is wrong with a certificate for a name. */
declare const checkServerIdentity: typeof node.checkServerIdentity;
/** node:tls's own: the certificates that Node brings with it. */
declare const rootCertificates: readonly string[];
/** node:tls's own; of no effect, as nobody renegotiates here. */
declare const CLIENT_RENEG_LIMIT: number;
/** node:tls's own; of no effect, as nobody renegotiates here. */
declare const CLIENT_RENEG_WINDOW: number;
/** The certificates that are trusted by default, and others; `undefined` before Node 22.15. */
declare const getCACertificates: ((type?: 'default' | 'system' | 'bundled' | 'extra') => string[]) | undefined;
/** Sets what is trusted by default, here too; `undefined` before Node 24.5. */
declare const setDefaultCACertificates:
  ((certificates: readonly (string | NodeJS.ArrayBufferView)[]) => void) | undefined;
/** Makes the wire format of a list of protocols, as `out.ALPNProtocols`. */
declare const convertALPNProtocols:
  | ((
      protocols: unknown,
      out: {
        ALPNProtocols?: Buffer;
      },
    ) => void)
  | undefined;

/** The names of the cipher suites that this package's OpenSSL has by default, in lower case. */
declare function getCiphers(): string[];
/** The algorithms that certificates are compressed with: none. */
declare function getCertificateCompressionAlgorithms(): string[];
/** node:tls's default of `ciphers`, when it was loaded; the default export has the current one. */
declare const DEFAULT_CIPHERS: string;
/** node:tls's default of `ecdhCurve`, when it was loaded; the default export has the current one. */
declare const DEFAULT_ECDH_CURVE: string;
/** node:tls's default of `maxVersion`, when it was loaded; the default export has the current one. */
declare const DEFAULT_MAX_VERSION: node.SecureVersion;
/** node:tls's default of `minVersion`, when it was loaded; the default export has the current one. */
declare const DEFAULT_MIN_VERSION: node.SecureVersion;
/**
 * As `import tls from 'node:tls'` gives it. Its `DEFAULT_*` are node:tls's, read and set there.
 *
 * @hidden
 */
declare const tls: {
  CLIENT_RENEG_LIMIT: number;
  CLIENT_RENEG_WINDOW: number;
  SecureContext: typeof SecureContext;
  Server: typeof Server;
  TLSSocket: typeof TLSSocket;
  checkServerIdentity: typeof node__default.checkServerIdentity;
  connect: typeof connect;
  convertALPNProtocols:
    | ((
        protocols: unknown,
        out: {
          ALPNProtocols?: Buffer;
        },
      ) => void)
    | undefined;
  createSecureContext: typeof createSecureContext;
  createServer: typeof createServer;
  getCACertificates: ((type?: 'default' | 'system' | 'bundled' | 'extra') => string[]) | undefined;
  getCertificateCompressionAlgorithms: typeof getCertificateCompressionAlgorithms;
  getCiphers: typeof getCiphers;
  rootCertificates: readonly string[];
  setDefaultCACertificates: ((certificates: readonly (string | NodeJS.ArrayBufferView)[]) => void) | undefined;
  DEFAULT_CIPHERS: string;
  DEFAULT_ECDH_CURVE: string;
  DEFAULT_MIN_VERSION: node.SecureVersion;
  DEFAULT_MAX_VERSION: node.SecureVersion;
};

export {
  CLIENT_RENEG_LIMIT,
  CLIENT_RENEG_WINDOW,
  DEFAULT_CIPHERS,
  DEFAULT_ECDH_CURVE,
  DEFAULT_MAX_VERSION,
  DEFAULT_MIN_VERSION,
  SecureContext,
  Server,
  TLSSocket,
  checkServerIdentity,
  connect,
  convertALPNProtocols,
  createSecureContext,
  createServer,
  tls as default,
  getCACertificates,
  getCertificateCompressionAlgorithms,
  getCiphers,
  rootCertificates,
  setDefaultCACertificates,
};
export type {
  ALPNCallback,
  Chosen,
  ConnectionOptions,
  OnRead,
  PskClientCallback,
  PskServerCallback,
  SNICallback,
  SecureContextOptions,
  TLSSocketOptions,
  TlsOptions,
};
