import { createRequire } from 'node:module';

import { native } from './binding.ts';
import { type Build, build, packageFolder } from './build.ts';

/** What this package runs on. */
export interface Versions {
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
export const versions: Versions = Object.freeze({
  package: (createRequire(packageFolder)('./package.json') as { version: string }).version,
  openssl: native.opensslVersion(),
  build,
  libcrypto: build === 'bundled' ? 'static' : native.libcryptoPath(),
  asyncCapable: native.asyncCapable(),
});
