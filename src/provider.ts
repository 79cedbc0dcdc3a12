import { belongsToBuild } from './build.ts';
import { environment } from './environment.ts';
import { invalidArgument } from './errors.ts';
import { load } from './loading.ts';
import type { NativeProvider, NativeSetting } from './native.d.ts';
import { checkNames, optionalString } from './options.ts';

/** Options of {@link loadProvider}. */
export interface ProviderOptions {
  /** The name by which the provider is configured: `pkcs11`, for instance. */
  readonly name: string;
  /** Its file. Default: the one of its name in OpenSSL's folder of modules, which Node has none of. */
  readonly path?: string | undefined;
  /** Its parameters, as its section of an `openssl.cnf` would have them. */
  readonly config?: Readonly<Record<string, string>> | undefined;
}

/** A provider that is loaded; made by {@link loadProvider}. */
export class Provider {
  /** The name by which it is configured. */
  readonly name: string;
  readonly #native: NativeProvider;

  static {
    belongsToBuild(this.prototype);
  }

  /** @internal */
  constructor(name: string, native: NativeProvider) {
    this.name = name;
    this.#native = native;
  }

  /** @internal */
  get native(): NativeProvider {
    return this.#native;
  }
}

/**
 * Loads a provider, into a library context of its own: it serves the keys that {@link loadPrivateKey} takes from it, and
 * nothing else in the process changes. It stays loaded for the life of the process, as its keys may.
 *
 * Rejects with `ERR_LIBSSL_ASYNC_ENGINE_LIBCRYPTO_MISMATCH` if it is bound to another libcrypto than this build uses, with
 * `ENOENT` and the like for the file, and else with `ERR_LIBSSL_ASYNC_PROVIDER_<WHAT>` and what OpenSSL says. Corresponds
 * to `OSSL_PROVIDER_load`.
 */
export async function loadProvider(options: ProviderOptions): Promise<Provider> {
  checkNames(options, ['config', 'name', 'path'], {});
  const name = optionalString(options.name, 'name');
  if (name === undefined) throw invalidArgument('options.name', 'a string', name);
  const path = optionalString(options.path, 'path');
  const config = parameters(options.config);
  const { provider } = await load(() =>
    environment.loadProvider({ name, ...(path !== undefined && { path }), config }),
  );
  return new Provider(name, provider!);
}

/** What the addon has of a provider; throws for anything else. */
export function providerOf(provider: unknown): NativeProvider {
  if (provider instanceof Provider) return provider.native;
  throw invalidArgument('options.provider', 'a Provider, from loadProvider()', provider);
}

function parameters(config: unknown): NativeSetting[] {
  if (config === undefined) return [];
  if (typeof config !== 'object' || config === null) throw invalidArgument('options.config', 'an object', config);
  return Object.entries(config).map(([name, value]: [string, unknown]) => {
    if (typeof value !== 'string') throw invalidArgument(`options.config.${name}`, 'a string', value);
    return { name, value };
  });
}
