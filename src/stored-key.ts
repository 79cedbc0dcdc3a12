import { type KeyObject, createPublicKey } from 'node:crypto';

import { belongsToBuild } from './build.ts';
import { type Engine, engineOf } from './engine.ts';
import { environment } from './environment.ts';
import { invalidArgument, nativeCall } from './errors.ts';
import { type Pin, load } from './loading.ts';
import type { KeyStats } from './metrics.ts';
import type { NativeStoredKey } from './native.d.ts';
import { checkNames, optionalInteger, optionalString } from './options.ts';
import { type Provider, providerOf } from './provider.ts';

/** Options of {@link loadPrivateKey}. */
export interface StoredKeyOptions {
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

const DEFAULT_THREADS = 8;

/** A private key that an engine or a provider has; made by {@link loadPrivateKey}, and given to contexts as their `key`. */
export class StoredKey {
  /** Where it is. */
  readonly uri: string;
  readonly #native: NativeStoredKey;

  static {
    belongsToBuild(this.prototype);
  }

  /** @internal */
  constructor(uri: string, native: NativeStoredKey) {
    this.uri = uri;
    this.#native = native;
  }

  /** @internal */
  get native(): NativeStoredKey {
    return this.#native;
  }

  /** Its public half. */
  get publicKey(): KeyObject {
    const key = nativeCall(() => this.#native.publicKey());
    return createPublicKey({ key, format: 'der', type: 'spki' });
  }

  /** What it was asked so far, and how that ended; `undefined` with `offload: false`, as nobody here counts it then. */
  stats(): KeyStats | undefined {
    return this.#native.stats() ?? undefined;
  }
}

/**
 * Loads a private key that an engine or a provider has, by its name there: for PKCS #11 a URI, `pkcs11:token=…;object=…`.
 *
 * The loading blocks no thread of Node's, and neither does the key where it signs. Rejects with what `pin` throws, and with
 * `ERR_LIBSSL_ASYNC_KEY_NOT_LOADED` and what OpenSSL and the engine say for a key that is not there, or a wrong PIN.
 * Corresponds to `ENGINE_load_private_key` and `OSSL_STORE_open_ex`.
 */
export async function loadPrivateKey(uri: string, options: StoredKeyOptions): Promise<StoredKey> {
  const name = optionalString(uri, 'uri');
  if (name === undefined) throw invalidArgument('uri', 'a string', uri);
  checkNames(options, ['engine', 'offload', 'pin', 'provider', 'timeout'], {});
  const { engine, provider, pin, offload } = options;
  if ((engine === undefined) === (provider === undefined)) {
    throw invalidArgument('options.engine', 'given if provider is not, and only then', engine);
  }
  if (pin !== undefined && typeof pin !== 'function') throw invalidArgument('options.pin', 'a function', pin);
  const threads = offload === false ? undefined : (optionalInteger(offload, 'offload', 1, 1024) ?? DEFAULT_THREADS);
  const timeout = optionalInteger(options.timeout, 'timeout', 1, 0xffff_ffff);
  const holder = engine === undefined ? { provider: providerOf(provider) } : { engine: engineOf(engine) };
  const optional = { ...(threads !== undefined && { threads }), ...(timeout !== undefined && { timeout }) };
  const { storedKey } = await load(() => environment.loadKey({ uri: name, ...holder, ...optional }), pin);
  return new StoredKey(uri, storedKey!);
}
