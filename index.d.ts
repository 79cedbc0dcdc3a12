// Generated from src/ by `npm run build`. Committed, so that a change of the API shows in review.

import { Duplex } from 'node:stream';
import { inspect, InspectOptions } from 'node:util';
import { X509Certificate, KeyObject } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { LookupAllOptions, LookupAddress } from 'node:dns';
import { PeerCertificate } from 'node:tls';

/** What the worker pool of the process has done, for all its environments. */
interface Metrics {
  /** Handshakes that succeeded. */
  readonly handshakes: number;
  /** Handshakes that failed or were given up. */
  readonly failed: number;
  /** Handshakes that were refused, as too many were under way and waiting; they count nowhere else. */
  readonly refused: number;
  /** Times that a job paused (`SSL_ERROR_WANT_ASYNC`). */
  readonly pauses: number;
  /** Times that a paused job was resumed. */
  readonly resumes: number;
  /** Times that a source called the asynchronous callback. */
  readonly callbacks: number;
  /** Requests submitted again after `ASYNC_STATUS_EAGAIN`. */
  readonly againRetries: number;
  /** Operations that waited for a free job (`SSL_ERROR_WANT_ASYNC_JOB`). */
  readonly jobWaits: number;
  /** Connections that were given up while paused and whose jobs have ended since. */
  readonly drained: number;
  /** Connections that were given up while paused on a source that never answered; left allocated on purpose. */
  readonly leaked: number;
  /** Gauge: handshakes that have begun and not ended. */
  readonly inFlight: number;
  /** Gauge: those of them that wait for their turn. */
  readonly waiting: number;
  /** Gauge: jobs that are paused now. */
  readonly paused: number;
  /** How long pauses took. */
  readonly pauseTime: Histogram;
}
/** How many things took how long. */
interface Histogram {
  /** The upper bounds of the buckets, in milliseconds; the last bucket has none. */
  readonly bounds: readonly number[];
  /** How many fell into each bucket: one more than there are bounds. */
  readonly counts: readonly number[];
  /** Milliseconds that all of them took together. */
  readonly sum: number;
}
/** What a private key was asked, and how that ended. `inFlight` and `waiting` are gauges, the other numbers only grow. */
interface KeyStats {
  /** Requests to sign or to decrypt. */
  readonly requests: number;
  /** Those that were answered, in time and rightly. */
  readonly answered: number;
  /** Those that failed: the signer threw or rejected, or its answer was none. */
  readonly failed: number;
  /** Those that nobody wanted any more: the connection went away. */
  readonly cancelled: number;
  /** Those without an answer within the key's `timeout`. */
  readonly timedOut: number;
  /** Gauge: those that have not ended yet. */
  readonly inFlight: number;
  /** Gauge: those of them that wait for their turn: the signer has as many as it may. */
  readonly waiting: number;
  /** How long it took until they were answered, the time they waited included. */
  readonly time: Histogram;
}
/** A snapshot of the counters, which only grow, and of the gauges. */
declare function metrics(): Metrics;

/** What a signer is asked to sign. */
interface SignRequest {
  /** The TLS name of the signature scheme, such as `rsa_pss_rsae_sha256`. */
  readonly scheme: string;
  /** The digest of the message, for signers that take digests; absent for EdDSA and ML-DSA, which sign the message. */
  readonly digest: Buffer | undefined;
  /** The message. */
  readonly message: Buffer;
  /** Aborts when the answer is not wanted any more: the connection went away, or the request timed out. */
  readonly signal: AbortSignal;
}
/** What a key is asked to decrypt. */
interface DecryptRequest {
  /** As many bytes as the modulus has. */
  readonly ciphertext: Buffer;
  /** Aborts when the answer is not wanted any more. */
  readonly signal: AbortSignal;
}
/** Options of {@link createRemoteKey}. */
interface RemoteKeyOptions {
  /** The certificate, of which the public key is taken. This or `publicKey`. */
  certificate?: string | Uint8Array | X509Certificate | undefined;
  /** The public half: PEM, DER (SubjectPublicKeyInfo) or a `KeyObject`. */
  publicKey?: string | Uint8Array | KeyObject | undefined;
  /** TLS names of the signature schemes that the signer has; narrows what is negotiated. Default: all of the key's type. */
  schemes?: readonly string[] | undefined;
  /** How the signer encodes ECDSA signatures. Default: `'der'`. */
  signatureFormat?: 'der' | 'ieee-p1363' | undefined;
  /** At most so many requests at once; more wait, first come, first served. Default: no limit. */
  concurrency?: number | undefined;
  /** Milliseconds after which a request without an answer fails, the time it waited included. Default: none. */
  timeout?: number | undefined;
  /** Verifies each signature before it is used: for debugging, as OpenSSL does not. Default: `false`. */
  verifySignatures?: boolean | undefined;
  /**
   * Signs `request.digest`, or `request.message` where there is none.
   *
   * What it throws or rejects with becomes the `cause` of the handshake's error, and of no other.
   */
  sign(request: SignRequest): Uint8Array | PromiseLike<Uint8Array>;
  /**
   * Raises `request.ciphertext` to the power of the private exponent of an RSA key: as many bytes as the modulus has.
   *
   * Needed only for the RSA key exchange of TLS 1.2; removing the padding is not its part.
   */
  decryptRaw?: ((request: DecryptRequest) => Uint8Array | PromiseLike<Uint8Array>) | undefined;
}

/** A private key that is somewhere else; made by {@link createRemoteKey}, and given to contexts as their `key`. */
declare class RemoteKey {
  #private;
  /** What `util.inspect` and `console.log` show. */
  [inspect.custom](_depth: number, options: InspectOptions): string;
  /** Requests that the signer has, and has not answered yet. */
  get pending(): number;
  /** What it was asked so far, and how that ended. */
  stats(): KeyStats;
}
/**
 * A private key whose signer is a function of yours, for a context's `key`: in a KMS, an HSM, a worker thread.
 *
 * Each handshake that needs it pauses while the promise is pending, and nothing else waits. Throws if the options are
 * wrong. Corresponds to a key of a provider that pauses with `ASYNC_pause_job`.
 */
declare function createRemoteKey(options: RemoteKeyOptions): RemoteKey;

/** A control command: its name, with its value if it takes one. */
type EngineCommand = string | readonly [name: string, value: string];
/** What an engine can be the default for, named as in `openssl.cnf`; `PKEY_CRYPTO` is X25519, for instance. */
type EngineMethod = 'CIPHERS' | 'DH' | 'DIGESTS' | 'DSA' | 'EC' | 'PKEY_ASN1' | 'PKEY_CRYPTO' | 'RAND' | 'RSA';
/** Options of {@link loadEngine}. */
interface EngineOptions {
  /** The id of an engine that OpenSSL knows, or of one of those in the file `path`. One of the two is needed. */
  readonly id?: string | undefined;
  /** The file of the engine. Corresponds to the engine `dynamic` and its command `SO_PATH`. */
  readonly path?: string | undefined;
  /** Control commands to be sent before the engine is initialised, in this order. */
  readonly commands?: readonly EngineCommand[] | undefined;
  /** Control commands to be sent once it is. */
  readonly commandsAfter?: readonly EngineCommand[] | undefined;
  /**
   * Makes the engine the default for these, in the whole process, node:crypto and node:tls included; `'usual'` for all
   * that it can do without breaking what OpenSSL 3 does itself.
   *
   * Default: none, and so the engine serves only the keys that it loads. Corresponds to `ENGINE_set_default`.
   */
  readonly methods?: readonly EngineMethod[] | 'usual' | undefined;
  /**
   * Milliseconds between two polls of the engine by a thread of this package; 0 for none.
   *
   * Default: 1 if `commands` has `ENABLE_EXTERNAL_POLLING`, and none if not. Corresponds to the command `POLL`.
   */
  readonly poll?: number | undefined;
}
/** A control command that an engine lists. */
interface EngineCommandInfo {
  /** What {@link Engine.control} takes. */
  readonly name: string;
  /** What it does, in the engine's words; often empty. */
  readonly description: string;
  /** What it takes: `'internal'` is what cannot be given as text. */
  readonly input: 'internal' | 'nothing' | 'number' | 'text';
}
/** What an engine has to tell. */
interface EngineStats {
  /** Requests under way, if the engine tells; corresponds to the command `GET_NUM_REQUESTS_IN_FLIGHT`. */
  readonly inFlight: number | undefined;
  /** How often this package has polled it. */
  readonly polls: number;
}
/** An engine that is loaded and initialised; made by {@link loadEngine}. */
declare class Engine {
  #private;
  /** Corresponds to `ENGINE_get_id`. */
  get id(): string;
  /** Corresponds to `ENGINE_get_name`. */
  get name(): string;
  /** The control commands that it lists. */
  commands(): EngineCommandInfo[];
  /**
   * Sends a control command, whose value has to be what the engine lists for it. The engine may block.
   *
   * Throws `ERR_LIBSSL_ASYNC_ENGINE_COMMAND_UNKNOWN`, `…_VALUE` and `…_REFUSED`. Corresponds to `ENGINE_ctrl_cmd_string`.
   */
  control(name: string, value?: string | number): void;
  /** What it has to tell now. */
  stats(): EngineStats;
  /**
   * Undoes its defaults and gives it back; closing again does nothing, all else throws `ERR_LIBSSL_ASYNC_CLOSED`. OpenSSL
   * ends and unloads it when the last key that has it is gone. Corresponds to `ENGINE_finish` and `ENGINE_free`.
   */
  close(): void;
}
/**
 * Loads an engine: its file, `commands`, initialisation, `commandsAfter`, `methods`, polling.
 *
 * Engines work in the host build, `libssl-async/host`, as they use Node's OpenSSL; there, connections whose handshake an
 * engine serves pause while it computes. A process can load an engine once; what blocks meanwhile is no thread of Node's.
 *
 * Rejects with `ERR_LIBSSL_ASYNC_ENGINE_LIBCRYPTO_MISMATCH` if the engine, being bound to another libcrypto, would never
 * see a connection's job, as in the bundled build; with `ENOENT` and the like for the file, and else with
 * `ERR_LIBSSL_ASYNC_ENGINE_<WHAT>` and what OpenSSL and the engine say. Then nothing of it is left.
 */
declare function loadEngine(options: EngineOptions): Promise<Engine>;

/** Answers a question for a PIN or passphrase, in the words of the one who needs it; `undefined` gives up. */
type Pin = (question: string) => string | undefined | PromiseLike<string | undefined>;

/** Options of {@link loadProvider}. */
interface ProviderOptions {
  /** The name by which the provider is configured: `pkcs11`, for instance. */
  readonly name: string;
  /** Its file. Default: the one of its name in OpenSSL's folder of modules, which Node has none of. */
  readonly path?: string | undefined;
  /** Its parameters, as its section of an `openssl.cnf` would have them. */
  readonly config?: Readonly<Record<string, string>> | undefined;
}
/** A provider that is loaded; made by {@link loadProvider}. */
declare class Provider {
  #private;
  /** The name by which it is configured. */
  readonly name: string;
}
/**
 * Loads a provider, into a library context of its own: it serves the keys that {@link loadPrivateKey} takes from it, and
 * nothing else in the process changes. It stays loaded for the life of the process, as its keys may.
 *
 * Rejects with `ERR_LIBSSL_ASYNC_ENGINE_LIBCRYPTO_MISMATCH` if it is bound to another libcrypto than this build uses, with
 * `ENOENT` and the like for the file, and else with `ERR_LIBSSL_ASYNC_PROVIDER_<WHAT>` and what OpenSSL says. Corresponds
 * to `OSSL_PROVIDER_load`.
 */
declare function loadProvider(options: ProviderOptions): Promise<Provider>;

/** Options of {@link loadPrivateKey}. */
interface StoredKeyOptions {
  /** The engine that has the key. This or `provider`. */
  readonly engine?: Engine | undefined;
  /** The provider that has the key. */
  readonly provider?: Provider | undefined;
  /**
   * Called whenever a PIN or passphrase is asked for. What it throws fails the load.
   *
   * Default: none is given.
   */
  readonly pin?: Pin | undefined;
  /**
   * How many threads the operations of the key may block at once, while the jobs of their connections are paused; `false`
   * for keys whose engine is asynchronous itself.
   *
   * Default: 8.
   */
  readonly offload?: number | false | undefined;
  /** Milliseconds that an operation may take on those threads, the wait for one included. Default: no limit. */
  readonly timeout?: number | undefined;
}
/** A private key that an engine or a provider has; made by {@link loadPrivateKey}, and given to contexts as their `key`. */
declare class StoredKey {
  #private;
  /** Where it is. */
  readonly uri: string;
  /** Its public half. */
  get publicKey(): KeyObject;
  /** What it was asked so far, and how that ended; `undefined` with `offload: false`, as nobody here counts it then. */
  stats(): KeyStats | undefined;
}
/**
 * Loads a private key that an engine or a provider has, by its name there: for PKCS #11 a URI, `pkcs11:token=…;object=…`.
 *
 * The loading blocks no thread of Node's, and neither does the key where it signs. Rejects with what `pin` throws, and with
 * `ERR_LIBSSL_ASYNC_KEY_NOT_LOADED` and what OpenSSL and the engine say for a key that is not there, or a wrong PIN.
 * Corresponds to `ENGINE_load_private_key` and `OSSL_STORE_open_ex`.
 */
declare function loadPrivateKey(uri: string, options: StoredKeyOptions): Promise<StoredKey>;

/** Bytes, or text that stands for its UTF-8. */
type Bytes = string | NodeJS.ArrayBufferView | ArrayBuffer;
/** A version of TLS. */
type ProtocolVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
/**
 * A private key: PEM or DER (PKCS #8, PKCS #1, SEC 1), a `KeyObject`, a remote key, or a key of an engine or provider; with a
 * passphrase of its own in an object.
 */
type PrivateKey =
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
type Certificates = Bytes | X509Certificate;
/** A PKCS #12 archive; with a passphrase of its own in an object. */
type Archive =
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
interface ContextOptions {
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

/**
 * Keys, certificates, trust and parameters of any number of connections of either side; made by {@link createContext}.
 *
 * It never changes, but for its callback, and is of use only in the JavaScript environment that made it. Corresponds to
 * `SSL_CTX`.
 */
declare class Context {
  #private;
  private constructor();
  /**
   * Has `fn(connection, arg)` called whenever a source has completed an asynchronous operation of a connection that is made
   * from this context afterwards; {@link Connection.setAsyncCallback} replaces it for one.
   *
   * It is called on the JavaScript thread, after the wake-up is stored. What it throws is an uncaught exception. Corresponds
   * to `SSL_CTX_set_async_callback` and `SSL_CTX_set_async_callback_arg`.
   */
  setAsyncCallback<T>(fn: (connection: Connection, arg: T) => void, arg: T): this;
}
/**
 * Makes a context.
 *
 * All of it is read here, keys and certificates too, and nothing later: whatever is wrong throws at once, and names the
 * option. Corresponds to `SSL_CTX_new`.
 */
declare function createContext(options?: ContextOptions): Context;

/** `ASYNC_STATUS_*` by name. Corresponds to the values of `SSL_get_async_status`. */
type AsyncStatus = 'unsupported' | 'error' | 'ok' | 'again';
/** One end of a TCP connection. */
interface Address {
  /** The IP address. */
  readonly address: string;
  /** Its version. */
  readonly family: 'IPv4' | 'IPv6';
  /** The TCP port. */
  readonly port: number;
}
/** A cipher suite. */
interface Cipher {
  /** OpenSSL's name. */
  readonly name: string;
  /** The name of the standard. */
  readonly standardName: string;
  /** The oldest protocol version that has it. */
  readonly version: string;
}
/** What a connection says of itself and of its peer; nothing is known before the handshake, or after the end. */
declare abstract class Peer<Events extends Record<keyof Events, unknown[]>> extends EventEmitter<Events> {
  #private;
  /** The protocol version, `'TLSv1.3'` for instance. Corresponds to `SSL_get_version`. */
  get protocol(): string | undefined;
  /** The cipher suite. Corresponds to `SSL_get_current_cipher`. */
  get cipher(): Cipher | undefined;
  /** The protocol that ALPN has chosen, or `false`. Corresponds to `SSL_get0_alpn_selected`. */
  get alpnProtocol(): string | false;
  /** The name that the client asked for. Corresponds to `SSL_get_servername`. */
  get servername(): string | undefined;
  /** Whether a session was resumed. Corresponds to `SSL_session_reused`. */
  get sessionReused(): boolean;
  /** The peer's certificates, its own first. Corresponds to `SSL_get_peer_cert_chain`. */
  get peerCertificates(): X509Certificate[];
  /** The peer's certificate. Corresponds to `SSL_get1_peer_certificate`. */
  get peerCertificate(): X509Certificate | undefined;
  /** This side's own certificate. Corresponds to `SSL_get_certificate`. */
  get certificate(): X509Certificate | undefined;
  /** The OCSP response in DER that a client's server has stapled. Corresponds to `SSL_get_tlsext_status_ocsp_resp`. */
  get ocspResponse(): Buffer | undefined;
  /**
   * Whether the peer has a certificate that is trusted and, if the peer is a server, is for its name; or a server has the
   * client's pre-shared key.
   */
  get authorized(): boolean;
  /** Node's code for why the peer is not authorized. Corresponds to `SSL_get_verify_result`. */
  get authorizationError(): string | undefined;
  /**
   * The session, to be given to `connect`; with TLS 1.3 there is none before the server has sent a ticket.
   * Corresponds to `SSL_get1_session` and `i2d_SSL_SESSION`.
   */
  getSession(): Buffer | undefined;
  /** Keying material for `label`, `length` bytes of it. Corresponds to `SSL_export_keying_material`. */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer;
  /** This end, if the connection is TCP. */
  get localAddress(): Address | undefined;
  /** The peer's end, if the connection is TCP. */
  get remoteAddress(): Address | undefined;
}

/** A pre-shared key and what the client calls it. */
interface PreSharedKey {
  /** 1 to 512 bytes. */
  readonly psk: Uint8Array;
  /** The name of the key; at most 256 bytes in UTF-8, none of them NUL. It is sent in the clear. */
  readonly identity: string;
}
/** What is told to those who are asked for a pre-shared key. */
interface PskOptions {
  /** Aborted when the answer is not wanted any more. */
  readonly signal: AbortSignal;
}
/**
 * Gives a server the key of an identity, 1 to 512 bytes, now or by a promise. Nothing, or `null`, is no key: the handshake fails
 * with TLS 1.2, and goes on with certificates with TLS 1.3. What it throws or rejects with fails the handshake.
 *
 * With TLS 1.3 it may be asked for identities that are session tickets; they are no keys of its.
 */
type PskServerCallback = (
  identity: string,
  connection: Connection,
  options: PskOptions,
) => Uint8Array | null | undefined | void | PromiseLike<Uint8Array | null | undefined | void>;
/** Gives a client its key, as {@link PskServerCallback} does; `hint` is what a server of TLS 1.2 has said about it. */
type PskClientCallback = (
  hint: string | undefined,
  connection: Connection,
  options: PskOptions,
) => PreSharedKey | null | undefined | void | PromiseLike<PreSharedKey | null | undefined | void>;

/** Options of {@link Connection.transfer}. */
interface TransferOptions {
  /** Milliseconds after which the connection is closed, if nobody has claimed it. Default: 10 000. */
  timeout?: number | undefined;
}
/** Options of {@link claimConnection}. */
interface ClaimOptions {
  /** Milliseconds without a byte of either side after which the connection is destroyed. Default: no limit. */
  idleTimeout?: number | undefined;
  /** What an end without `close_notify` is, as for `connect`. Default: `'error'`, and `'end'` for streams. */
  truncation?: 'error' | 'end' | undefined;
}
/**
 * Takes over a connection that another thread of this process has given up by {@link Connection.transfer}. It is open, and
 * belongs to this thread from then on.
 *
 * Throws `ERR_LIBSSL_ASYNC_UNKNOWN_TOKEN` if no connection waits for the token: it was claimed before, its time is over, or
 * it is of another process or another build of the addon.
 */
declare function claimConnection(token: string, options?: ClaimOptions): Connection;

/** A peer whose handshake waits for somebody to accept it. */
interface UnverifiedPeer {
  /**
   * Its chain, its own certificate first: up to the root that is trusted, or as far as OpenSSL could complete it. The second
   * one, if there is one, has issued the first.
   */
  readonly certificates: readonly X509Certificate[];
  /** Node's code for why OpenSSL does not accept it; `undefined` if it does. */
  readonly authorizationError: string | undefined;
  /** Aborted when the answer is not wanted any more: the peer has gone, or the handshake's time is over. */
  readonly signal: AbortSignal;
}
/**
 * Accepts a peer by returning, now or by a promise, and refuses it by throwing or rejecting; the handshake waits for it.
 *
 * Asked beside OpenSSL, not in its place: of peers that OpenSSL accepts, and of those that `rejectUnauthorized: false` puts up
 * with. Nobody asks of a session that is resumed, nor of a client without a certificate. The name of a server is checked
 * afterwards.
 */
type VerifyPeer = (peer: UnverifiedPeer, connection: Connection) => void | PromiseLike<void>;

/** The events of a {@link Connection} and what their listeners get. */
interface ConnectionEvents {
  /** The connection has ended; with the error that ended it, if there was one. */
  close: [error: Error | undefined];
  /** A secret, as a line of the key log format; only told to listeners that are there before the handshake begins. */
  keylog: [line: Buffer];
  /** A session of a client, that {@link ConnectOptions.session} resumes; with TLS 1.3 there may be several. */
  session: [session: Buffer];
}
/** Options of reads, writes and handshakes. */
interface OperationOptions {
  /** Cancels the operation. */
  signal?: AbortSignal | undefined;
}
/** Options of {@link Connection.shutdown}. */
interface ShutdownOptions {
  /** Waits until the peer has ended its direction too, and closes then; what it still sends is dropped. Default: `true`. */
  wait?: boolean | undefined;
  /** Milliseconds after which the connection is destroyed. Default: no limit. */
  timeout?: number | undefined;
  /** Destroys the connection. */
  signal?: AbortSignal | undefined;
}
/**
 * A TLS connection, made by {@link connect} or handed out by a {@link Server}.
 *
 * One read is under way at a time; writes may overlap and keep their order. A failed operation ends the connection,
 * unless it says otherwise.
 *
 * What is pending keeps it alive. One that is garbage collected before somebody has closed it is closed, and the process
 * warning `LIBSSL_ASYNC_UNCLOSED` tells of it.
 */
declare class Connection extends Peer<ConnectionEvents> {
  #private;
  /**
   * Does the handshake of a connection that was made with `handshake: false`.
   *
   * Rejects with what failed it; the connection is destroyed then. An abort destroys it too. Corresponds to
   * `SSL_do_handshake`.
   */
  handshake({ signal }?: OperationOptions): Promise<void>;
  /**
   * Reads into `target`, which is not to be touched meanwhile. Resolves to the number of bytes, 0 at the end.
   *
   * A second read at the same time rejects with `ERR_LIBSSL_ASYNC_CONCURRENT_READ` and harms nothing. An abort loses no
   * bytes, and the connection goes on. Corresponds to `SSL_read_ex`.
   */
  read(target: Uint8Array, options?: OperationOptions): Promise<number>;
  /** Reads whatever is there, at most 64 KiB. Resolves to a buffer of the caller's own, `null` at the end. */
  read(target?: undefined, options?: OperationOptions): Promise<Buffer | null>;
  /** Iterates over what is read, to the end; leaving the loop early destroys the connection. */
  [Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined>;
  /**
   * Writes all of `data`, a string as UTF-8. Resolves when the system has taken it.
   *
   * Calls may overlap and keep their order; `data` is free again when the call returns. A write that nobody awaits
   * causes no unhandled rejection: the next call fails, and {@link Connection.closed} tells why. Aborted before its turn,
   * it and the writes behind it fail and nothing else; aborted later, the connection is destroyed, as a hole in the
   * stream would be worse. Corresponds to `SSL_write_ex`.
   */
  write(data: Uint8Array | string, options?: OperationOptions): Promise<void>;
  /** Bytes that were written and not taken by the system yet. */
  get writableLength(): number;
  /**
   * Ends this direction: what was written is sent, and `close_notify` behind it.
   *
   * Unless `wait` is `false`, waits for the peer to do the same, or to end the TCP connection, and closes then. With
   * `wait: false` reading goes on. When `timeout` is over, rejects with `ERR_LIBSSL_ASYNC_SHUTDOWN_TIMEOUT` and destroys
   * the connection; an abort destroys it too. Corresponds to `SSL_shutdown`.
   */
  shutdown({ wait, timeout, signal }?: ShutdownOptions): Promise<void>;
  /**
   * Ends the connection at once, whatever it does; safe while its handshake is paused.
   *
   * Pending operations fail with `error`, or with `ERR_LIBSSL_ASYNC_CLOSED`.
   */
  destroy(error?: Error): this;
  /**
   * Resolves when the connection has ended: to the error that ended it, or to `undefined`. Never rejects.
   *
   * For a connection that was garbage collected, the error is `ERR_LIBSSL_ASYNC_UNCLOSED`.
   */
  get closed(): Promise<Error | undefined>;
  /**
   * Milliseconds without a byte sent or received after which the connection is destroyed with
   * `ERR_LIBSSL_ASYNC_IDLE_TIMEOUT`; 0 for no limit.
   *
   * They begin when the handshake is done, and anew when this is set.
   */
  get idleTimeout(): number;
  /** Sets it, and begins to count. Throws if it is no integer from 0 to 2147483647. */
  set idleTimeout(milliseconds: number);
  /** Whether the connection has ended. */
  get destroyed(): boolean;
  /** Destroys the connection and waits until it has ended; never sends `close_notify`, as a scope may end by an error. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Has pending operations keep the process alive, as they do unless {@link Connection.unref} was called. */
  ref(): this;
  /** Lets the process end although operations are pending. */
  unref(): this;
  /**
   * Has `fn(connection, arg)` called whenever a source has completed an operation of this connection, in place of the
   * context's callback: on the JavaScript thread, after the wake-up is stored.
   *
   * It is told of operations of a handshake that begins later. What it throws is an uncaught exception, and harms no
   * connection. Corresponds to `SSL_set_async_callback` and `SSL_set_async_callback_arg`.
   */
  setAsyncCallback<T>(fn: (connection: Connection, arg: T) => void, arg: T): this;
  /** What became of the last asynchronous operation; `undefined` before the first. Corresponds to `SSL_get_async_status`. */
  get asyncStatus(): AsyncStatus | undefined;
  /**
   * A stream over this connection, whose own reads, writes and shutdowns are locked from then on.
   *
   * A TCP connection that ends without `close_notify` is the end of the stream, as for node:tls, unless the option
   * `truncation` was given.
   */
  toDuplex(): Duplex;
  /**
   * Gives the connection up for another thread of this process, which takes it by {@link claimConnection} with the token that
   * this resolves to: `worker.postMessage(await connection.transfer())`. TLS goes on there where it was here, and what was
   * received and not read goes along. Events are told where the connection is; a session that comes on its way only
   * `getSession()` tells.
   *
   * Waits until all writes are sent. Here the connection is closed then, without the peer being told. Rejects while a read
   * is pending, before the handshake is done, after {@link Connection.shutdown} and `toDuplex()`, and harms nothing. If
   * nobody claims the connection in time, it is closed, and its descriptor is free.
   */
  transfer({ timeout }?: TransferOptions): Promise<string>;
  /** What `util.inspect` and `console.log` show: the state, and no secrets. */
  [inspect.custom](_depth: number, options: InspectOptions): string;
}

/** What a client says first. Numbers are those of the IANA registries for TLS, in the client's order. */
interface ClientHello {
  /** The name that it asks for; `undefined` for none. */
  readonly servername: string | undefined;
  /** The application protocols that it offers. */
  readonly ALPNProtocols: readonly string[];
  /** The id of the session that it would resume, with TLS 1.2; it may be random, or empty. */
  readonly sessionId: Buffer;
  /** Whether it asks for an OCSP response. */
  readonly wantsOCSP: boolean;
  /** Versions of TLS: 0x0304 for TLS 1.3. Empty for clients before TLS 1.3. */
  readonly versions: readonly number[];
  /** Cipher suites. */
  readonly ciphers: readonly number[];
  /** The types of its extensions. */
  readonly extensions: readonly number[];
  /** Groups for the key exchange. */
  readonly groups: readonly number[];
  /** Signature algorithms. */
  readonly signatureAlgorithms: readonly number[];
  /** Aborted when the answer is not wanted any more: the client has gone, or the handshake's time is over. */
  readonly signal: AbortSignal;
}
/** What a server chooses for a client; all by default as without. */
interface ClientHelloAnswer {
  /** The context whose certificates, keys, trust and signature algorithms are used; all else is the server's. */
  context?: Context | undefined;
  /** One of the protocols that the client offers; `null` refuses it, with the alert `no_application_protocol`. */
  ALPNProtocol?: string | null | undefined;
  /** An OCSP response in DER, for a client that asks for one. */
  ocspResponse?: Uint8Array | undefined;
  /** The session that the client would resume, as a {@link SessionStore} has it. */
  session?: Uint8Array | undefined;
}
/** Keeps the sessions of TLS 1.2 of one or of many servers, so that clients without tickets resume them. */
interface SessionStore {
  /** Gives the session with this id, if it is there. What it throws or rejects with fails the handshake. */
  get(id: Buffer): Uint8Array | null | undefined | PromiseLike<Uint8Array | null | undefined>;
  /**
   * Keeps a session; the handshake waits for it. What it throws or rejects with costs that session and is the process
   * warning `LIBSSL_ASYNC_SESSION_LOST`.
   */
  set(id: Buffer, session: Buffer): void | PromiseLike<void>;
}
/** Chooses what a server shows to a client; the handshake waits for it. */
type OnClientHello = (
  hello: ClientHello,
  connection: Connection,
) => ClientHelloAnswer | undefined | void | PromiseLike<ClientHelloAnswer | undefined | void>;

/** Node's form of a function that resolves names, called with `all: true`. */
type Lookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;
/** Options of {@link connect}. */
interface ConnectOptions {
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

/**
 * Connects, and does the handshake unless `handshake` is `false`.
 *
 * Rejects with Node's code where the system fails (`ECONNREFUSED`) or the server is not trusted
 * (`CERT_HAS_EXPIRED`, `ERR_TLS_CERT_ALTNAME_INVALID`), with `ERR_SSL_*` where the protocol does, and with the signal's
 * reason behind `ABORT_ERR`; nothing is left behind then. Corresponds to `SSL_connect`.
 */
declare function connect(options: ConnectOptions): Promise<Connection>;

/** Options of {@link createServer}. */
interface ServerOptions {
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
/** Where a server listens. */
interface ListenOptions {
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
interface CloseOptions {
  /** Milliseconds after which the connections that are left are destroyed. Default: no limit. */
  timeout?: number | undefined;
}
/** What {@link Server.close} has ended. */
interface CloseReport {
  /** Connections that were destroyed: nobody had taken them, or their time was over. */
  readonly destroyed: number;
  /** Handshakes of this server that were given up while paused, at any time, and that have left nothing behind. */
  readonly drained: number;
  /** Handshakes that were given up while paused on a source that never answered; left allocated on purpose. */
  readonly leaked: number;
}

/** The events of a {@link Server} and what their listeners get. */
interface ServerEvents {
  /** A connection whose handshake is done; before it, with `handshake: false`. */
  connection: [connection: Connection];
  /** A secret, as a line of the key log format, and the connection whose it is; with the option `keylog`. */
  keylog: [line: Buffer, connection: Connection];
  /** A handshake failed, which ends nothing else. */
  tlsClientError: [error: Error, peer: Address | undefined];
  /** The server listens. */
  listening: [];
  /** The listening socket failed. */
  error: [error: Error];
  /** The server and all its connections have ended. */
  close: [];
}
/**
 * A TLS server, made by {@link createServer}.
 *
 * Its connections are taken by iterating over it or by the event `connection`, not both. Handshakes run side by side on
 * workers; a failed one is a `tlsClientError` event.
 */
declare class Server extends EventEmitter<ServerEvents> {
  #private;
  /**
   * Begins to listen. Resolves to the address, or to the path of a Unix socket.
   *
   * Rejects with Node's code, `EADDRINUSE` for instance. Corresponds to `listen(2)`.
   */
  listen(options?: ListenOptions): Promise<Address | string>;
  /**
   * Accepts a client over a stream that is there already: a `net.Socket`, whose descriptor is used then, or any other
   * `Duplex`. It belongs to the connection from then on, and is handed out as those are that the server has accepted itself.
   *
   * Throws `ERR_LIBSSL_ASYNC_CLOSED` if the server is closed, or the stream has ended.
   */
  accept(stream: Duplex): void;
  /**
   * Has connections that are accepted from now on use another context, a renewed certificate for instance; those that are
   * there keep theirs.
   */
  setContext(context: Context): this;
  /** Where the server listens; `null` if it does not. */
  address(): Address | string | null;
  /** Whether the server listens. */
  get listening(): boolean;
  /** Connections that are open, those of the backlog included. */
  get connections(): number;
  /**
   * Stops listening, gives handshakes that run up, and resolves when the last connection has ended and nothing is left
   * of the handshakes; to what it ended.
   *
   * Connections that wait for the iteration are destroyed. Handshakes that are paused on a remote key end at once; for a
   * third-party source the drain waits for {@link Configuration.drainTimeout} at most.
   */
  close({ timeout }?: CloseOptions): Promise<CloseReport>;
  /** Closes the server and destroys its connections. */
  [Symbol.asyncDispose](): Promise<void>;
  /** Has the server keep the process alive until it is closed, as it does unless {@link Server.unref} was called. */
  ref(): this;
  /** Lets the process end although the server is not closed. */
  unref(): this;
  /**
   * Iterates over the connections until the server is closed.
   *
   * Leaving the loop stops iterating, not listening: up to `backlog` connections wait for the next iteration.
   */
  [Symbol.asyncIterator](): AsyncGenerator<Connection, void, undefined>;
}
/** A TLS server; {@link Server.listen} begins. Corresponds to `SSL_accept` for each of its connections. */
declare function createServer(options: ServerOptions): Server;

/** What the channels `libssl-async:handshake:start`, `:end` and `:error` get. */
interface HandshakeMessage {
  /** The connection; none of a server's where the handshake has failed before anybody had it. */
  readonly connection?: Connection | undefined;
  /** The server that has accepted it, of a failure that is its `tlsClientError`. */
  readonly server?: Server | undefined;
  /** The other end of such a connection, if it is known. */
  readonly peer?: Address | undefined;
  /** Milliseconds that the handshake took, from its beginning on a worker: on the channel `end`. */
  readonly time?: number | undefined;
  /** When it ended there, in milliseconds of `performance.now()`: on the channel `end`. */
  readonly endTime?: number | undefined;
  /** Why the handshake failed: on the channel `error`. */
  readonly error?: Error | undefined;
}
/**
 * What the channels `libssl-async:request:start`, `:end` and `:error` get: a job is paused in between. It is the same object for
 * all messages of one request.
 */
interface RequestMessage {
  /** The key that is asked. */
  readonly key: RemoteKey;
  /** `sign` or `decrypt`. */
  readonly operation: 'decrypt' | 'sign';
  /** The TLS name of the signature scheme, of `sign`. */
  readonly scheme: string | undefined;
  /** Why there was no answer: of the signer, or an `AbortError` where nobody wanted it any more. */
  error?: unknown;
}

/** What libssl reports: a protocol that failed, a certificate that was refused, settings that OpenSSL does not take. */
declare class TlsError extends Error {
  /** `TlsError`. */
  readonly name = 'TlsError';
  /**
   * Node's code: `ERR_SSL_<REASON>` for what libssl reports, `ERR_OSSL_<LIBRARY>_<REASON>` for the rest of OpenSSL, and for
   * certificates the name of `X509_V_ERR_*`, such as `CERT_HAS_EXPIRED`.
   */
  readonly code: string;
  /** The option that is wrong: `key[1]`, for instance. */
  readonly option?: string;
  /** The part of OpenSSL that reported the error, as `SSL routines`. */
  readonly library?: string;
  /** The reason in OpenSSL's words, which differ between its versions. */
  readonly reason?: string;
  /** The entries of OpenSSL's error queue, oldest first, if there are several. */
  readonly opensslErrorStack?: readonly string[];
  /** The TLS alert that ended the connection, by its name in RFC 8446: `handshake_failure`, for instance. */
  readonly alert?: string;
  /** Whether the peer sent the alert; otherwise this side did. */
  readonly alertReceived?: boolean;
}
/** An error of this package's own. */
declare class LibsslAsyncError extends Error {
  /** `LibsslAsyncError`. */
  readonly name = 'LibsslAsyncError';
  /** `ERR_LIBSSL_ASYNC_<WHAT>`. */
  readonly code: `ERR_LIBSSL_ASYNC_${string}`;
  /** The option that is wrong: `key[1]`, for instance. */
  readonly option?: string;
  /** The part of OpenSSL that reported the error, as `SSL routines`. */
  readonly library?: string;
  /** The reason in OpenSSL's words, which differ between its versions. */
  readonly reason?: string;
  /** The entries of OpenSSL's error queue, oldest first, if there are several. */
  readonly opensslErrorStack?: readonly string[];
}

/** An OpenSSL of the addon's own, or the one that is a part of the Node binary. */
type Build = 'bundled' | 'host';

/** What this package runs on. */
interface Versions {
  /** The version of this package. */
  readonly package: string;
  /** The version of the OpenSSL that the connections use, such as `4.0.3`. Corresponds to `OpenSSL_version`. */
  readonly openssl: string;
  /** Which build of the addon this is: `'bundled'` has an OpenSSL of its own, `'host'` uses the one of the Node binary. */
  readonly build: Build;
  /** The file that libcrypto is in, such as that of the Node binary; `'static'` for the addon itself. */
  readonly libcrypto: string;
  /** Whether handshakes can pause here; otherwise a remote key cannot be used. Corresponds to `ASYNC_is_capable`. */
  readonly asyncCapable: boolean;
}
/** What this package runs on. */
declare const versions: Versions;

/** Options of {@link configure}. */
interface Configuration {
  /**
   * How long a third-party source has to complete the request of a connection that was given up, in milliseconds, before
   * the connection is counted as {@link Metrics.leaked} and left allocated. Default: a minute.
   */
  drainTimeout?: number | undefined;
  /** Threads that run handshakes. Default: `LIBSSL_ASYNC_THREADS`, or else the number of cores, at most 4. */
  threads?: number | undefined;
  /**
   * How much lower than the priority of the process that of these threads is, 0 to 19 as for `nice(1)`, so that a storm of
   * handshakes leaves the event loop its core. Default: `LIBSSL_ASYNC_NICE`, or else 10. Linux only.
   *
   * At 19 the event loop is less late in a storm, and handshakes hardly run beside programs that take all cores: each thread has 1.5 %
   * of a core then, and 10 % at 10.
   */
  nice?: number | undefined;
  /**
   * Whether handshakes and requests to remote keys are told to each `PerformanceObserver` of measures, in this thread; at any
   * time. They are not kept: `performance.getEntries()` does not have them. Default: `false`.
   */
  performanceEntries?: boolean | undefined;
  /** The path of an `openssl.cnf`, which is not read otherwise unless `OPENSSL_CONF` names it. */
  opensslConfig?: string | undefined;
}
/**
 * Configures the process, before its first connection where the option does not say otherwise.
 *
 * Throws `ERR_LIBSSL_ASYNC_ALREADY_STARTED` if the workers have been started, with Node's code if the file cannot
 * be read, and what OpenSSL finds wrong in it.
 */
declare function configure(options: Configuration): void;

export {
  Connection,
  Context,
  Engine,
  LibsslAsyncError,
  Provider,
  RemoteKey,
  Server,
  StoredKey,
  TlsError,
  claimConnection,
  configure,
  connect,
  createContext,
  createRemoteKey,
  createServer,
  loadEngine,
  loadPrivateKey,
  loadProvider,
  metrics,
  versions,
};
export type {
  Address,
  Archive,
  AsyncStatus,
  Build,
  Bytes,
  Certificates,
  Cipher,
  ClaimOptions,
  ClientHello,
  ClientHelloAnswer,
  CloseOptions,
  CloseReport,
  Configuration,
  ConnectOptions,
  ConnectionEvents,
  ContextOptions,
  DecryptRequest,
  EngineCommand,
  EngineCommandInfo,
  EngineMethod,
  EngineOptions,
  EngineStats,
  HandshakeMessage,
  Histogram,
  KeyStats,
  ListenOptions,
  Lookup,
  Metrics,
  OnClientHello,
  OperationOptions,
  Pin,
  PreSharedKey,
  PrivateKey,
  ProtocolVersion,
  ProviderOptions,
  PskClientCallback,
  PskOptions,
  PskServerCallback,
  RemoteKeyOptions,
  RequestMessage,
  ServerEvents,
  ServerOptions,
  SessionStore,
  ShutdownOptions,
  SignRequest,
  StoredKeyOptions,
  TransferOptions,
  UnverifiedPeer,
  VerifyPeer,
  Versions,
};
