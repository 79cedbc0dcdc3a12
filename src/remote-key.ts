import { AsyncResource } from 'node:async_hooks';
import { KeyObject, type X509Certificate, createPublicKey } from 'node:crypto';

import { native } from './binding.ts';
import { answered, environment, registerKey } from './environment.ts';
import { invalidArgument, keepFailure } from './errors.ts';
import type { NativeEvent, NativeRemoteKey } from './native.d.ts';

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

/** Requests that are handed to signers in one turn of the event loop: more would stall it if signers are synchronous. */
const REQUESTS_PER_TURN = 8;

const waiting: (() => void)[] = [];
let started = 0;

/** A private key that is somewhere else; made by {@link createRemoteKey}, and given to contexts as their `key`. */
export class RemoteKey {
  readonly #options: RemoteKeyOptions;
  readonly #resource = new AsyncResource('libssl-async.RemoteKey');
  readonly #native: NativeRemoteKey;
  readonly #requests = new Map<number, AbortController>();

  /** @internal */
  constructor(options: RemoteKeyOptions) {
    validate(options);
    this.#options = options;
    this.#native = makeNative(options);
    registerKey(this.#native.id, this);
  }

  /** @internal */
  get native(): NativeRemoteKey {
    return this.#native;
  }

  /** Requests that have no answer yet. */
  get pending(): number {
    return this.#requests.size;
  }

  /** @internal What the environment tells. */
  onEvent(event: NativeEvent): void {
    const request = event.request!;
    if (event.type === 'cancelled') {
      const controller = this.#requests.get(request);
      this.#requests.delete(request);
      controller?.abort();
      return;
    }
    const controller = new AbortController();
    this.#requests.set(request, controller);
    inTurn(() => {
      if (!controller.signal.aborted) void this.#perform(event, controller.signal);
    });
  }

  async #perform(event: NativeEvent, signal: AbortSignal): Promise<void> {
    const request = event.request!;
    try {
      const answer = await this.#resource.runInAsyncScope(() => this.#call(event, signal));
      if (!(answer instanceof Uint8Array)) {
        throw new TypeError(`the signer returned ${describe(answer)} in place of a Uint8Array`);
      }
      if (this.#finish(request)) environment.answer(request, answer, null);
    } catch (error) {
      if (this.#finish(request)) {
        keepFailure(request, error);
        environment.answer(request, null, error instanceof Error ? error.message : String(error));
      }
    }
  }

  #call(event: NativeEvent, signal: AbortSignal): Uint8Array | PromiseLike<Uint8Array> {
    if (event.type === 'decrypt') return this.#options.decryptRaw!({ ciphertext: event.message!, signal });
    return this.#options.sign({
      scheme: event.scheme!,
      digest: event.digest ?? undefined,
      message: event.message!,
      signal,
    });
  }

  /** Whether somebody still waits for the answer. */
  #finish(request: number): boolean {
    answered(request);
    return this.#requests.delete(request);
  }
}

/**
 * A private key whose signer is a function of yours, for a context's `key`: in a KMS, an HSM, a worker thread.
 *
 * Each handshake that needs it pauses while the promise is pending, and nothing else waits. Throws if the options are
 * wrong. Corresponds to a key of a provider that pauses with `ASYNC_pause_job`.
 */
export function createRemoteKey(options: RemoteKeyOptions): RemoteKey {
  return new RemoteKey(options);
}

function validate(options: RemoteKeyOptions): void {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  const { sign, decryptRaw } = options as { sign?: unknown; decryptRaw?: unknown };
  if (typeof sign !== 'function') throw invalidArgument('options.sign', 'a function', sign);
  if (decryptRaw !== undefined && typeof decryptRaw !== 'function') {
    throw invalidArgument('options.decryptRaw', 'a function', decryptRaw);
  }
  for (const name of ['concurrency', 'timeout'] as const) {
    const value = options[name];
    if (value !== undefined && !(Number.isInteger(value) && value > 0 && value < 2 ** 32)) {
      throw invalidArgument(`options.${name}`, 'a positive integer', value);
    }
  }
  const format = options.signatureFormat;
  if (format !== undefined && format !== 'der' && format !== 'ieee-p1363') {
    throw invalidArgument('options.signatureFormat', "'der' or 'ieee-p1363'", format);
  }
  if ((options.certificate === undefined) === (options.publicKey === undefined)) {
    throw invalidArgument('options', 'one of certificate and publicKey', 'both or neither');
  }
}

function makeNative(options: RemoteKeyOptions): NativeRemoteKey {
  try {
    return new native.NativeRemoteKey(environment, {
      publicKey: publicHalf(options),
      ...(options.schemes && { schemes: [...options.schemes] }),
      ieeeP1363: options.signatureFormat === 'ieee-p1363',
      ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
      ...(options.timeout !== undefined && { timeout: options.timeout }),
      verifySignatures: options.verifySignatures ?? false,
      decrypts: options.decryptRaw !== undefined,
    });
  } catch (error) {
    throw invalidArgument('options', 'those of a key that can be remote', options, (error as Error).message);
  }
}

function publicHalf({ certificate, publicKey }: RemoteKeyOptions): Buffer {
  if (publicKey instanceof KeyObject) {
    const half = publicKey.type === 'private' ? createPublicKey(publicKey) : publicKey;
    return half.export({ type: 'spki', format: 'der' });
  }
  const source =
    publicKey ?? (typeof certificate === 'object' && 'raw' in certificate ? certificate.raw : certificate!);
  return typeof source === 'string'
    ? Buffer.from(source)
    : Buffer.from(source.buffer, source.byteOffset, source.length);
}

function inTurn(start: () => void): void {
  if (started === REQUESTS_PER_TURN) return void waiting.push(start);
  if (started++ === 0) setImmediate(nextTurn);
  start();
}

function nextTurn(): void {
  const starts = waiting.splice(0, REQUESTS_PER_TURN);
  started = starts.length;
  for (const start of starts) start();
  if (started > 0) setImmediate(nextTurn);
}

function describe(value: unknown): string {
  return value === null
    ? 'null'
    : typeof value === 'object'
      ? `an instance of ${value.constructor?.name ?? 'Object'}`
      : `a ${typeof value}`;
}
