import type { KeyObject, X509Certificate } from 'node:crypto';

import type { RemoteKey } from './remote-key.ts';
import type { StoredKey } from './stored-key.ts';

/** Bytes, or text that stands for its UTF-8. */
export type Bytes = string | NodeJS.ArrayBufferView | ArrayBuffer;

/** A version of TLS. */
export type ProtocolVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/**
 * A private key: PEM or DER (PKCS #8, PKCS #1, SEC 1), a `KeyObject`, a remote key, or a key of an engine or provider; with a
 * passphrase of its own in an object.
 */
export type PrivateKey =
  | Bytes
  | KeyObject
  | RemoteKey
  | StoredKey
  | {
      /** The key. */
      readonly pem: Bytes | KeyObject;
      /** Decrypts it. Default: the option `passphrase`. */
      readonly passphrase?: string | undefined;
    };

/** Certificates: PEM, of which one string may hold many; DER; or an `X509Certificate`. */
export type Certificates = Bytes | X509Certificate;

/** A PKCS #12 archive; with a passphrase of its own in an object. */
export type Archive =
  | NodeJS.ArrayBufferView
  | ArrayBuffer
  | {
      /** The archive. */
      readonly buf: NodeJS.ArrayBufferView | ArrayBuffer;
      /** Decrypts it. Default: the option `passphrase`. */
      readonly passphrase?: string | undefined;
    };

/**
 * Options of {@link createContext}. They are node:tls's where it has them, with the same names and meaning unless an option
 * says otherwise; every wrong one is an error that names it. A context serves both sides: what concerns servers alone is
 * no concern of clients.
 */
export interface ContextOptions {
  /**
   * The private keys of `cert`, in any order: each is matched with its certificate, and each needs one.
   *
   * Throws `ERR_MISSING_PASSPHRASE` and `ERR_LIBSSL_ASYNC_WRONG_PASSPHRASE` for encrypted ones,
   * `ERR_LIBSSL_ASYNC_INVALID_KEY` for what is none, `ERR_OSSL_X509_KEY_VALUES_MISMATCH` for one without its certificate.
   * Corresponds to `SSL_CTX_use_PrivateKey`.
   */
  readonly key?: PrivateKey | readonly PrivateKey[] | undefined;

  /**
   * The certificates to show to peers, at most one of each type of key. Each is followed by those of its issuers, without
   * the root; one that stands alone is completed from `ca`, or from what is trusted by default, as far as that goes.
   *
   * Throws `ERR_LIBSSL_ASYNC_INVALID_CERTIFICATE`, or `ERR_OSSL_X509_KEY_VALUES_MISMATCH` for one without its key.
   * Corresponds to `SSL_CTX_use_certificate`, `SSL_CTX_add1_chain_cert` and `SSL_CTX_build_cert_chain`.
   */
  readonly cert?: Certificates | readonly Certificates[] | undefined;

  /**
   * PKCS #12 archives, each with a private key and its certificate, beside `key` and `cert` or in their place; also those
   * that OpenSSL calls legacy, such as Windows writes them. Their other certificates are trusted, beside `ca` or the default.
   *
   * Throws `ERR_LIBSSL_ASYNC_INVALID_PFX`, `ERR_MISSING_PASSPHRASE`, `ERR_LIBSSL_ASYNC_WRONG_PASSPHRASE`. Corresponds to
   * `PKCS12_parse`.
   */
  readonly pfx?: Archive | readonly Archive[] | undefined;

  /** Decrypts `key` and `pfx`, unless they come with a passphrase of their own. Corresponds to `pem_password_cb`. */
  readonly passphrase?: string | undefined;

  /**
   * The certificates that peers are verified against, and that a server names to its clients, if it asks them for a
   * certificate. Contexts that are given the same bytes share them, parsed.
   *
   * Default: what Node trusts (`tls.getCACertificates('default')`, so also `NODE_EXTRA_CA_CERTS` and `--use-system-ca`).
   * Throws `ERR_LIBSSL_ASYNC_INVALID_CERTIFICATE`. Corresponds to `SSL_CTX_set1_cert_store` and `SSL_CTX_add_client_CA`.
   */
  readonly ca?: Certificates | readonly Certificates[] | undefined;

  /**
   * Revocation lists, in PEM or DER. If there are any, each certificate of a peer's chain needs the list of its issuer.
   *
   * Throws `ERR_LIBSSL_ASYNC_INVALID_CRL`. Corresponds to `X509_STORE_add_crl` and `X509_V_FLAG_CRL_CHECK_ALL`.
   */
  readonly crl?: Bytes | readonly Bytes[] | undefined;

  /** Whether a chain may end at any certificate of `ca`, be it no root. Default: `false`. Corresponds to `X509_V_FLAG_PARTIAL_CHAIN`. */
  readonly allowPartialTrustChain?: boolean | undefined;

  /**
   * Cipher suites of TLS 1.3 (`TLS_…`) and ciphers of older versions in one list, separated by colons, best first; as in
   * OpenSSL's `ciphers(1)`. A list of the former alone switches older versions off.
   *
   * Default: `tls.DEFAULT_CIPHERS`. Throws `ERR_SSL_NO_CIPHER_MATCH`, also for a single name that matches nothing.
   * Corresponds to `SSL_CTX_set_ciphersuites` and `SSL_CTX_set_cipher_list`.
   */
  readonly ciphers?: string | undefined;

  /**
   * Signature algorithms, separated by colons, best first: TLS names (`rsa_pss_rsae_sha256`) or OpenSSL's (`RSA+SHA256`).
   * A remote key that has told its schemes narrows them by itself.
   *
   * Default: OpenSSL's. Throws `ERR_LIBSSL_ASYNC_UNKNOWN_SIGALG`. Corresponds to `SSL_CTX_set1_sigalgs_list`.
   */
  readonly sigalgs?: string | undefined;

  /**
   * Groups for the key exchange, separated by colons, best first: `X25519MLKEM768:X25519:P-256`, for instance; or `'auto'`.
   *
   * Default: `'auto'`, OpenSSL's own, which begin with X25519MLKEM768. Throws `ERR_LIBSSL_ASYNC_UNKNOWN_GROUP`. Corresponds
   * to `SSL_CTX_set1_groups_list`.
   */
  readonly groups?: string | undefined;

  /** node:tls's name of `groups`. Default: `tls.DEFAULT_ECDH_CURVE`. */
  readonly ecdhCurve?: string | undefined;

  /**
   * The oldest version. TLS 1.0 and 1.1 need `@SECLEVEL=0` in `ciphers`, too.
   *
   * Default: `tls.DEFAULT_MIN_VERSION`. Throws `ERR_INVALID_ARG_VALUE` if it is newer than `maxVersion`. Corresponds to
   * `SSL_CTX_set_min_proto_version`.
   */
  readonly minVersion?: ProtocolVersion | undefined;

  /** The newest version. Default: `tls.DEFAULT_MAX_VERSION`. Corresponds to `SSL_CTX_set_max_proto_version`. */
  readonly maxVersion?: ProtocolVersion | undefined;

  /** Whether a server's order of ciphers counts, not the client's. Default: `true`. Corresponds to `SSL_OP_CIPHER_SERVER_PREFERENCE`. */
  readonly honorCipherOrder?: boolean | undefined;

  /**
   * Protocols for ALPN, best first; or the wire format. A client offers them. A server takes the first of its own that the
   * client offers, and fails the handshake with `no_application_protocol` if there is none.
   *
   * Default: none. Corresponds to `SSL_CTX_set_alpn_select_cb` and `SSL_set_alpn_protos`.
   */
  readonly ALPNProtocols?: readonly Bytes[] | NodeJS.ArrayBufferView | undefined;

  /** Whether a server asks its clients for a certificate. Default: `false`. Corresponds to `SSL_VERIFY_PEER`. */
  readonly requestCert?: boolean | undefined;

  /**
   * Whether a peer that is not trusted is refused, in the handshake, so that it gets an alert: a server by its clients, and,
   * with `requestCert`, a client by its server. Otherwise `authorizationError` of the connection tells what is wrong.
   *
   * Default: `true`; for clients, `false` if `NODE_TLS_REJECT_UNAUTHORIZED` is `0`. Corresponds to `SSL_VERIFY_PEER` and
   * `SSL_VERIFY_FAIL_IF_NO_PEER_CERT`.
   */
  readonly rejectUnauthorized?: boolean | undefined;

  /** Seconds for which a server's sessions can be resumed. Default: OpenSSL's, 7200. Corresponds to `SSL_CTX_set_timeout`. */
  readonly sessionTimeout?: number | undefined;

  /**
   * What a server's sessions are bound to, 1 to 32 bytes: a session of another context is not resumed.
   *
   * Default: made of `ca`, `crl`, `requestCert`, `rejectUnauthorized` and `allowPartialTrustChain`, and so the same in all
   * processes that have the same. Corresponds to `SSL_set_session_id_context`.
   */
  readonly sessionIdContext?: Bytes | undefined;

  /**
   * 48 random bytes, of which the keys of session tickets are made; servers that share them resume each other's sessions. Of
   * several, the first makes tickets, and those of the others are still good and are exchanged for new ones. Servers that share
   * keys change them in two steps: the new one goes to the end everywhere, and then to the beginning.
   *
   * Default: keys of this context's own. Corresponds to `SSL_CTX_set_tlsext_ticket_key_evp_cb`.
   */
  readonly ticketKeys?:
    NodeJS.ArrayBufferView | ArrayBuffer | readonly (NodeJS.ArrayBufferView | ArrayBuffer)[] | undefined;

  /**
   * How many tickets a server sends after a full handshake with TLS 1.3; 0 for none, with any version, and so no resumption.
   * (node:tls has no such option.)
   *
   * Default: 2. Corresponds to `SSL_CTX_set_num_tickets` and `SSL_OP_NO_TICKET`.
   */
  readonly tickets?: number | undefined;

  /**
   * Finite-field Diffie-Hellman of a server, for TLS 1.2: parameters in PEM, or `'auto'` for well-known ones that fit the
   * certificate.
   *
   * Default: the groups of RFC 7919 that are among `groups`, for clients that know them. Throws
   * `ERR_LIBSSL_ASYNC_INVALID_DHPARAM`. Corresponds to `SSL_CTX_set_tmp_dh` and `SSL_CTX_set_dh_auto`.
   */
  readonly dhparam?: Bytes | undefined;

  /** `SSL_OP_*` bits to be set, of `crypto.constants`. Default: none. Corresponds to `SSL_CTX_set_options`. */
  readonly secureOptions?: number | undefined;
}
