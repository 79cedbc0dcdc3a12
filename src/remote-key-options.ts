import { KeyObject, X509Certificate } from 'node:crypto';

import { invalidArgument } from './errors.ts';
import { checkNames, optionalBoolean, optionalInteger } from './options.ts';

/** What a signer is asked to sign. */
export interface SignRequest {
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
export interface DecryptRequest {
  /** As many bytes as the modulus has. */
  readonly ciphertext: Buffer;
  /** Aborts when the answer is not wanted any more. */
  readonly signal: AbortSignal;
}

/** Options of {@link createRemoteKey}. */
export interface RemoteKeyOptions {
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

const KNOWN: readonly (keyof RemoteKeyOptions)[] = [
  'certificate',
  'concurrency',
  'decryptRaw',
  'publicKey',
  'schemes',
  'sign',
  'signatureFormat',
  'timeout',
  'verifySignatures',
];

const HINTS = { cert: 'give certificate', key: 'the private key is elsewhere; give certificate or publicKey' };

/** Throws what is wrong with the options of a remote key, but for what the addon finds in its public half. */
export function checkRemoteKeyOptions(options: RemoteKeyOptions): void {
  checkNames(options, KNOWN, HINTS);
  checkPublicHalf(options);
  const { sign, decryptRaw, schemes, signatureFormat } = options as {
    sign?: unknown;
    decryptRaw?: unknown;
    schemes?: unknown;
    signatureFormat?: unknown;
  };
  if (typeof sign !== 'function') throw invalidArgument('options.sign', 'a function', sign);
  if (decryptRaw !== undefined && typeof decryptRaw !== 'function') {
    throw invalidArgument('options.decryptRaw', 'a function', decryptRaw);
  }
  if (schemes !== undefined && !(Array.isArray(schemes) && schemes.every((scheme) => typeof scheme === 'string'))) {
    throw invalidArgument('options.schemes', 'an array of names', schemes);
  }
  if (signatureFormat !== undefined && signatureFormat !== 'der' && signatureFormat !== 'ieee-p1363') {
    throw invalidArgument('options.signatureFormat', "'der' or 'ieee-p1363'", signatureFormat);
  }
  optionalInteger(options.concurrency, 'concurrency', 1, 0xffff_ffff);
  optionalInteger(options.timeout, 'timeout', 1, 0xffff_ffff);
  optionalBoolean(options.verifySignatures, 'verifySignatures');
}

function checkPublicHalf({ certificate, publicKey }: RemoteKeyOptions): void {
  if (certificate !== undefined && publicKey !== undefined) {
    throw invalidArgument('options.publicKey', 'left out', publicKey, 'certificate is given, too');
  }
  if (publicKey === undefined) {
    if (isBytes(certificate) || certificate instanceof X509Certificate) return;
    const expected = 'PEM, DER or an X509Certificate, unless publicKey is given';
    throw invalidArgument('options.certificate', expected, certificate);
  }
  if (publicKey instanceof KeyObject ? publicKey.type !== 'secret' : isBytes(publicKey)) return;
  throw invalidArgument('options.publicKey', 'PEM, DER or a KeyObject of a key pair', publicKey);
}

function isBytes(value: unknown): value is string | Uint8Array {
  return typeof value === 'string' || value instanceof Uint8Array;
}
