import { createRequire } from 'node:module';

import { native } from './binding.ts';

/** What this package runs on. */
export interface Versions {
  /** The version of this package. */
  readonly package: string;
  /** The version of the OpenSSL that the connections use, such as `4.0.3`. */
  readonly openssl: string;
}

/** What this package runs on. Corresponds to `OpenSSL_version`. */
export const versions: Versions = Object.freeze({
  package: (createRequire(import.meta.url)('../package.json') as { version: string }).version,
  openssl: native.opensslVersion(),
});
