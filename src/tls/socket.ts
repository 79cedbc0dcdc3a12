import type { X509Certificate } from 'node:crypto';
import { type AddressInfo, Socket } from 'node:net';
import { type Duplex, addAbortSignal } from 'node:stream';
import type * as node from 'node:tls';

import type { Connection } from '../connection.ts';
import { ConnectionStream, type Halves, type Piece } from '../duplex.ts';
import { invalidArgument, toError } from '../errors.ts';
import { MOST_MILLISECONDS, integer } from '../options.ts';
import { checkStream } from '../over.ts';
import type { Address } from '../peer.ts';
import { acceptOver } from './accept.ts';
import { detailed, legacy } from './certificates.ts';
import { connectOver } from './client.ts';
import { nodeError } from './errors.ts';
import { SilenceTimer } from './idle.ts';
import type { SocketSettings, TLSSocketOptions } from './socket-options.ts';

/** Sets an option of a connection's socket; returns whether it could. */
type SocketOption = (connection: Connection) => boolean;

const INTERNAL = Symbol('internal');

/**
 * A TLS connection as a stream, with the surface of node:tls's `TLSSocket`; made by `connect()`, and handed out by a
 * {@link Server}.
 *
 * Its handshake runs on a worker. What is written before it is done waits for it. An end without `close_notify` is the end of
 * the stream, as for node:tls. Open, it keeps the process alive, unless {@link TLSSocket.unref} was called.
 */
export class TLSSocket extends ConnectionStream {
  /** @internal */
  readonly isServer: boolean;
  /** Always `true`. */
  readonly encrypted = true as const;
  /** Whether the peer is trusted; `false` for clients that were not asked for a certificate. */
  authorized = false;
  /** Why the peer is not trusted: Node's code, or the error. */
  authorizationError: Error | string | null | undefined = null;
  /** The protocol that ALPN has chosen, `false` for none; `null` before the handshake. */
  alpnProtocol: string | false | null = null;
  /** The name that the client asked for, `false` for none; `null` before the handshake. */
  servername: string | false | null = null;
  /** Whether the connection is being made: until `connect`. */
  connecting: boolean;
  /** Whether the handshake is not done yet. */
  secureConnecting = true;
  /** A session is a secret, that nobody is to see who looks at the socket. */
  readonly #chosen: { servername?: string; session?: Buffer } = {};
  /** The server whose connection it is. */
  server?: unknown;
  /** Bytes that were received, decrypted. */
  bytesRead = 0;
  readonly #requestCert: boolean;
  /** The stream below, which tells its addresses. */
  #parent: Duplex | undefined;
  #connection: Connection | undefined;
  #bytesWritten = 0;
  #local: Address | undefined;
  #remote: Address | undefined;
  #isRef = true;
  #typeOfService = 0;
  /** Options of the socket, which are set again where a worker has it. */
  #sockopts: SocketOption[] = [];
  readonly #silence = new SilenceTimer(() => this.emit('timeout'));

  /**
   * TLS over a stream that is there already: a `net.Socket`, whose descriptor is used then, or any other `Duplex`. It belongs
   * to the connection from then on, and ends with it. The handshake begins by itself; `secure` tells that it is done.
   *
   * Throws what is wrong with the options.
   */
  constructor(socket: Socket | Duplex, options?: TLSSocketOptions);
  /** @internal */
  constructor(internal: symbol, settings: SocketSettings);
  constructor(internal: unknown, settings: SocketSettings | TLSSocketOptions = {}) {
    const { allowHalfOpen = false, highWaterMark, signal, isServer = false } = settings;
    super({
      emitClose: false,
      allowHalfOpen,
      ...(highWaterMark !== undefined && { highWaterMark }),
    });
    // Not before it can be destroyed: the signal may have been aborted.
    if (signal) addAbortSignal(signal, this);
    this.isServer = isServer;
    this.#requestCert = settings.requestCert ?? false;
    this.connecting = !isServer;
    if (internal === INTERNAL) {
      this.#remote = (settings as SocketSettings).peer;
      return;
    }
    checkStream(internal, 'socket');
    const options = settings as TLSSocketOptions;
    if (options.server !== undefined) this.server = options.server;
    if (isServer) acceptOver(this, internal, options);
    else connectOver(this, internal, options);
  }

  /** @internal */
  static make(settings: SocketSettings): TLSSocket {
    return new TLSSocket(INTERNAL, settings);
  }

  /** @internal What its methods have said of a handshake that has not begun. */
  get chosen(): { servername?: string; session?: Buffer } {
    return this.#chosen;
  }

  /** @internal The TCP connection is there. */
  connected(connection: Connection): void {
    this.connecting = false;
    this.#connection = connection;
    this.#local = connection.localAddress ?? this.#local;
    this.#remote = connection.remoteAddress ?? this.#remote;
    this.#applyOptions(connection);
    if (!this.#isRef) connection.unref();
    this.#silence.touch();
  }

  /** @internal The stream below. */
  standOn(parent: Duplex): void {
    this.#parent = parent;
    if (!(parent instanceof Socket)) return;
    this.#remote = toAddress(parent.remoteAddress, parent.remoteFamily, parent.remotePort);
    this.#local = toAddress(parent.localAddress, parent.localFamily, parent.localPort);
  }

  /** @internal The handshake is done. */
  override attach(halves: Halves): void {
    const { connection } = halves;
    if (this.#connection !== connection) this.connected(connection);
    connection.keep();
    this.secureConnecting = false;
    this.#applyOptions(connection);
    if (!this.isServer || this.#requestCert) {
      this.authorized = connection.authorized;
      this.authorizationError = connection.authorizationError ?? (this.authorized ? null : 'UNABLE_TO_GET_ISSUER_CERT');
    }
    this.alpnProtocol = connection.alpnProtocol;
    this.servername = connection.servername ?? false;
    super.attach(halves);
    // Whoever gets the socket now has time to listen.
    process.nextTick(() => this.read(0));
  }

  /** @internal */
  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    if (chunk !== null) this.bytesRead += chunk.length;
    this.#silence.touch();
    const wantsMore = super.push(chunk, encoding);
    // As of Node's sockets, the end is told even if nobody reads, once there is nothing to read.
    if (chunk === null) this.read(0);
    return wantsMore;
  }

  /** @internal */
  protected override count(written: number): void {
    this.#bytesWritten += written;
  }

  /** @internal */
  protected override sent(): void {
    this.#silence.touch();
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.connecting = false;
    this.#silence.stop();
    this.#connection?.destroy(error ?? undefined);
    // oxlint-disable-next-line no-underscore-dangle -- node:stream's name
    super._destroy(error, callback);
    process.nextTick(() => this.emit('close', error !== null));
  }

  /** Bytes that were written, those that wait included. */
  get bytesWritten(): number {
    const { writableBuffer } = this as unknown as { writableBuffer: readonly Piece[] };
    return writableBuffer.reduce((sum, piece) => sum + lengthOf(piece), this.#bytesWritten);
  }

  /** As `writableLength`. */
  get bufferSize(): number {
    return this.writableLength;
  }

  /** Whether the connection is not there yet. */
  get pending(): boolean {
    return this.#connection === undefined;
  }

  /** `opening`, `open`, `readOnly`, `writeOnly` or `closed`. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable && this.writable) return 'open';
    if (this.readable) return 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /** The peer's IP address. */
  get remoteAddress(): string | undefined {
    return this.#remote?.address;
  }

  /** `IPv4` or `IPv6`. */
  get remoteFamily(): string | undefined {
    return this.#remote?.family;
  }

  /** The peer's TCP port. */
  get remotePort(): number | undefined {
    return this.#remote?.port;
  }

  /** This end's IP address. */
  get localAddress(): string | undefined {
    return this.#local?.address;
  }

  /** `IPv4` or `IPv6`. */
  get localFamily(): string | undefined {
    return this.#local?.family;
  }

  /** This end's TCP port. */
  get localPort(): number | undefined {
    return this.#local?.port;
  }

  /** This end; empty before there is one. */
  address(): AddressInfo | Record<string, never> {
    return this.#local ? { ...this.#local } : {};
  }

  /** The peer's certificate; empty for a peer without, `null` for a closed connection. Corresponds to `SSL_get_peer_cert_chain`. */
  getPeerCertificate(detailed: true): node.DetailedPeerCertificate;
  getPeerCertificate(detailed?: false): node.PeerCertificate;
  getPeerCertificate(detailed?: boolean): node.PeerCertificate | node.DetailedPeerCertificate;
  getPeerCertificate(withIssuers = false): node.PeerCertificate | object | null {
    const connection = this.#open();
    if (!connection) return null;
    return withIssuers ? detailed(connection.peerCertificates) : legacy(connection.peerCertificate);
  }

  /** The peer's certificate. Corresponds to `SSL_get1_peer_certificate`. */
  getPeerX509Certificate(): X509Certificate | undefined {
    return this.#open()?.peerCertificate;
  }

  /** This side's certificate; empty for none, `null` for a closed connection. Corresponds to `SSL_get_certificate`. */
  getCertificate(): node.PeerCertificate | object | null {
    const connection = this.#open();
    return connection ? legacy(connection.certificate) : null;
  }

  /** This side's certificate. Corresponds to `SSL_get_certificate`. */
  getX509Certificate(): X509Certificate | undefined {
    return this.#open()?.certificate;
  }

  /** The cipher suite. Corresponds to `SSL_get_current_cipher`. */
  getCipher(): node.CipherNameAndProtocol | null {
    return this.#open()?.cipher ?? null;
  }

  /** `TLSv1.3`, for instance; `unknown` before the handshake, `null` after the end. Corresponds to `SSL_get_version`. */
  getProtocol(): string | null {
    if (this.secureConnecting) return this.destroyed ? null : 'unknown';
    return this.#open()?.protocol ?? null;
  }

  /** The session, for `connect({ session })`. Corresponds to `SSL_get1_session`. */
  getSession(): Buffer | undefined {
    return this.#open()?.getSession();
  }

  /** The last `Finished` that was sent. Corresponds to `SSL_get_finished`. */
  getFinished(): Buffer | undefined {
    return this.#open()?.details.finished ?? undefined;
  }

  /** The last `Finished` that was received. Corresponds to `SSL_get_peer_finished`. */
  getPeerFinished(): Buffer | undefined {
    return this.#open()?.details.peerFinished ?? undefined;
  }

  /** What a client's server has made for the key exchange; empty without, `null` for servers. Corresponds to `SSL_get_peer_tmp_key`. */
  getEphemeralKeyInfo(): node.EphemeralKeyInfo | object | null {
    const connection = this.#open();
    if (!connection || this.isServer) return null;
    const { type, name, size } = connection.details.ephemeralKey ?? {};
    return { ...(type && { type }), ...(name && { name }), ...(size && { size }) };
  }

  /** The signature algorithms that both sides have, the client's order. Corresponds to `SSL_get_shared_sigalgs`. */
  getSharedSigalgs(): string[] | null {
    return this.#open()?.details.sharedSigalgs ?? null;
  }

  /** The ticket of the session, of a client that has one. Corresponds to `SSL_SESSION_get0_ticket`. */
  getTLSTicket(): Buffer | undefined {
    return this.#open()?.details.ticket ?? undefined;
  }

  /** Tells on standard error which messages are sent and received from now on; before the handshake it is an option. */
  enableTrace(): void {
    this.#open()?.details.enableTrace();
  }

  /** What marks what is sent (`IP_TOS`, `IPV6_TCLASS`); what was set, if there is no socket yet. */
  getTypeOfService(): number {
    return this.#open()?.details.typeOfService ?? this.#typeOfService;
  }

  /** Marks what is sent, with a byte. Throws what the system says. */
  setTypeOfService(tos: number): this {
    this.#typeOfService = integer(tos, 'tos', 0, 255);
    return this.#option(({ details }) => {
      const failure = details.setTypeOfService(tos);
      if (failure) throw toError(failure);
      return typeof details.typeOfService === 'number';
    });
  }

  /** Limits what one record holds, from 512 to 16384 bytes; returns whether it did. Corresponds to `SSL_set_max_send_fragment`. */
  setMaxSendFragment(size: number): boolean {
    return this.#open()?.details.setMaxSendFragment(integer(size, 'size', 0, 0x7fff_ffff)) ?? false;
  }

  /** Whether a session was resumed. Corresponds to `SSL_session_reused`. */
  isSessionReused(): boolean {
    return this.#open()?.sessionReused ?? false;
  }

  /** Keying material. Corresponds to `SSL_export_keying_material`. */
  exportKeyingMaterial(length: number, label: string, context?: Buffer): Buffer {
    const connection = this.#open();
    if (connection) return connection.exportKeyingMaterial(length, label, context);
    throw nodeError('ERR_TLS_INVALID_STATE', 'TLS socket connection must be securely established');
  }

  /** Renegotiation is disabled: `callback` gets `ERR_TLS_RENEGOTIATION_DISABLED`. */
  renegotiate(_options: object, callback?: (error: Error | null) => void): false {
    const error = nodeError('ERR_TLS_RENEGOTIATION_DISABLED', 'TLS session renegotiation disabled for this socket');
    if (callback) process.nextTick(callback, error);
    return false;
  }

  /**
   * Has a client ask for a name, as the option `servername`; before the handshake begins, right after the socket was made.
   *
   * Throws `ERR_TLS_SNI_FROM_SERVER` for a server's socket.
   */
  setServername(servername: string): void {
    if (typeof servername !== 'string') throw invalidArgument('name', 'a string', servername);
    if (this.isServer) throw nodeError('ERR_TLS_SNI_FROM_SERVER', 'Cannot issue SNI from a TLS server-side socket');
    this.chosen.servername = servername;
  }

  /** Has a client offer a session, as the option `session`; before the handshake begins, right after the socket was made. */
  setSession(session: Buffer | string): void {
    this.chosen.session = typeof session === 'string' ? Buffer.from(session, 'latin1') : session;
  }

  /** Nothing to do: it always is. */
  disableRenegotiation(): void {}

  /** Has `timeout` told after so many milliseconds of silence; 0 for never. Nothing else happens then. */
  setTimeout(milliseconds: number, callback?: () => void): this {
    this.#silence.start(integer(milliseconds, 'msecs', 0, MOST_MILLISECONDS));
    if (!callback) return this;
    return milliseconds > 0 ? this.once('timeout', callback) : this.off('timeout', callback);
  }

  /** Milliseconds of silence that {@link TLSSocket.setTimeout} has set. */
  get timeout(): number | undefined {
    return this.#silence.milliseconds || undefined;
  }

  /** Sends small writes at once, or not (`TCP_NODELAY`). */
  setNoDelay(noDelay = true): this {
    return this.#option((connection) => connection.setNoDelay(noDelay));
  }

  /** Has the system probe a silent peer (`SO_KEEPALIVE`), first after `initialDelay` milliseconds. */
  setKeepAlive(enable = false, initialDelay = 0): this {
    return this.#option((connection) => connection.setKeepAlive(enable, initialDelay));
  }

  /** Lets the connection keep the process alive. */
  ref(): this {
    this.#isRef = true;
    this.#connection?.ref();
    return this;
  }

  /** Lets the process end although the connection is open. */
  unref(): this {
    this.#isRef = false;
    this.#connection?.unref();
    return this;
  }

  /** Destroys the stream when all that was written is sent. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Closes the TCP connection with a reset. */
  resetAndDestroy(): this {
    if (this.#parent instanceof Socket && this.#connection?.remoteAddress === undefined) this.#parent.resetAndDestroy();
    this.#connection?.resetOnClose();
    return this.destroy();
  }

  /** The connection, while it is established. */
  #open(): Connection | undefined {
    return this.secureConnecting || this.#connection?.destroyed ? undefined : this.#connection;
  }

  #option(apply: SocketOption): this {
    if (this.destroyed) return this;
    this.#sockopts.push(apply);
    if (this.#connection) this.#applyOptions(this.#connection);
    return this;
  }

  #applyOptions(connection: Connection): void {
    this.#sockopts = this.#sockopts.filter((apply) => !apply(connection));
  }
}

function toAddress(address?: string, family?: string, port?: number): Address | undefined {
  if (address === undefined || port === undefined) return undefined;
  return { address, family: family === 'IPv6' ? 'IPv6' : 'IPv4', port };
}

function lengthOf({ chunk, encoding }: Piece): number {
  return typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
}
