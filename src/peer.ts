import { X509Certificate } from 'node:crypto';
import { EventEmitter } from 'node:events';

import { LibsslAsyncError, invalidArgument } from './errors.ts';
import type { NativeConnection, NativeTrust } from './native.d.ts';

/** `ASYNC_STATUS_*` by name. Corresponds to the values of `SSL_get_async_status`. */
export type AsyncStatus = 'unsupported' | 'error' | 'ok' | 'again';

/** One end of a TCP connection. */
export interface Address {
  /** The IP address. */
  readonly address: string;
  /** Its version. */
  readonly family: 'IPv4' | 'IPv6';
  /** The TCP port. */
  readonly port: number;
}

/** A cipher suite. */
export interface Cipher {
  /** OpenSSL's name. */
  readonly name: string;
  /** The name of the standard. */
  readonly standardName: string;
  /** The oldest protocol version that has it. */
  readonly version: string;
}

const STATUS: readonly AsyncStatus[] = ['unsupported', 'error', 'ok', 'again'];

/** The name of a status that the addon told. */
export function statusOf(status: number | null | undefined): AsyncStatus | undefined {
  return status === null || status === undefined ? undefined : STATUS[status];
}

/** What a connection says of itself and of its peer; nothing is known before the handshake, or after the end. */
export abstract class Peer<Events extends Record<keyof Events, unknown[]>> extends EventEmitter<Events> {
  /** @internal */
  protected abstract readonly native: NativeConnection;
  #identityError: string | undefined;
  #isTrustedKey = false;

  /** The protocol version, `'TLSv1.3'` for instance. Corresponds to `SSL_get_version`. */
  get protocol(): string | undefined {
    return this.native.protocol ?? undefined;
  }

  /** The cipher suite. Corresponds to `SSL_get_current_cipher`. */
  get cipher(): Cipher | undefined {
    return this.native.cipher ?? undefined;
  }

  /** The protocol that ALPN has chosen, or `false`. Corresponds to `SSL_get0_alpn_selected`. */
  get alpnProtocol(): string | false {
    return this.native.alpnProtocol ?? false;
  }

  /** The name that the client asked for. Corresponds to `SSL_get_servername`. */
  get servername(): string | undefined {
    return this.native.servername ?? undefined;
  }

  /** Whether a session was resumed. Corresponds to `SSL_session_reused`. */
  get sessionReused(): boolean {
    return this.native.sessionReused;
  }

  /** The peer's certificates, its own first. Corresponds to `SSL_get_peer_cert_chain`. */
  get peerCertificates(): X509Certificate[] {
    return this.native.peerCertificates.map((der) => new X509Certificate(der));
  }

  /** The peer's certificate. Corresponds to `SSL_get1_peer_certificate`. */
  get peerCertificate(): X509Certificate | undefined {
    const own = this.native.peerCertificates[0];
    return own && new X509Certificate(own);
  }

  /** This side's own certificate. Corresponds to `SSL_get_certificate`. */
  get certificate(): X509Certificate | undefined {
    const own = this.native.ownCertificate;
    return own ? new X509Certificate(own) : undefined;
  }

  /** The OCSP response in DER that a client's server has stapled. Corresponds to `SSL_get_tlsext_status_ocsp_resp`. */
  get ocspResponse(): Buffer | undefined {
    return this.native.ocspResponse ?? undefined;
  }

  /** @internal What only node:tls's surface tells. */
  get details(): Pick<
    NativeConnection,
    | 'enableTrace'
    | 'ephemeralKey'
    | 'finished'
    | 'peerFinished'
    | 'setMaxSendFragment'
    | 'setTypeOfService'
    | 'sharedSigalgs'
    | 'ticket'
    | 'typeOfService'
  > {
    return this.native;
  }

  /**
   * Whether the peer has a certificate that is trusted and, if the peer is a server, is for its name; or a server has the
   * client's pre-shared key.
   */
  get authorized(): boolean {
    return this.authorizationError === undefined && (this.#isTrustedKey || this.native.peerCertificates.length > 0);
  }

  /** Node's code for why the peer is not authorized. Corresponds to `SSL_get_verify_result`. */
  get authorizationError(): string | undefined {
    return this.native.verifyError ?? this.#identityError;
  }

  /** @internal Whether a pre-shared key is what the handshake rests on. */
  get isPreShared(): boolean {
    const has = this.protocol === 'TLSv1.3' || this.cipher?.name.includes('PSK') === true;
    return has && this.native.peerCertificates.length === 0;
  }

  /** @internal What has been found out beside libssl. */
  protected get trust(): NativeTrust {
    return { isTrustedKey: this.#isTrustedKey, ...(this.#identityError && { identityError: this.#identityError }) };
  }

  /** @internal */
  protected set trust({ identityError, isTrustedKey }: NativeTrust) {
    this.#identityError = identityError;
    this.#isTrustedKey = isTrustedKey;
  }

  /** @internal */
  trustKey(): void {
    this.#isTrustedKey = true;
  }

  /** @internal */
  refuseIdentity(code: string): void {
    this.#identityError = code;
  }

  /**
   * The session, to be given to `connect`; with TLS 1.3 there is none before the server has sent a ticket.
   * Corresponds to `SSL_get1_session` and `i2d_SSL_SESSION`.
   */
  getSession(): Buffer | undefined {
    return this.native.session() ?? undefined;
  }

  /** Keying material for `label`, `length` bytes of it. Corresponds to `SSL_export_keying_material`. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    if (!Number.isInteger(length) || length < 1 || length > 65_535) {
      throw invalidArgument('length', 'an integer from 1 to 65535', length);
    }
    if (typeof label !== 'string') throw invalidArgument('label', 'a string', label);
    if (context !== undefined && !(context instanceof Uint8Array)) {
      throw invalidArgument('context', 'a Uint8Array', context);
    }
    if (this.protocol === undefined) {
      throw new LibsslAsyncError('NOT_CONNECTED', 'the handshake is not done, or the connection is closed');
    }
    const material = this.native.exportKeyingMaterial(length, label, context && Buffer.from(context));
    if (!material) throw invalidArgument('label', 'a label for others than TLS', label, 'TLS uses it itself');
    return material;
  }

  /** This end, if the connection is TCP. */
  get localAddress(): Address | undefined {
    return (this.native.localAddress as Address | null) ?? undefined;
  }

  /** The peer's end, if the connection is TCP. */
  get remoteAddress(): Address | undefined {
    return (this.native.remoteAddress as Address | null) ?? undefined;
  }
}
