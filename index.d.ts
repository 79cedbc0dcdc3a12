// Generated from src/ by `npm run build`. Committed, so that a change of the API shows in review.

/** What this package runs on. */
interface Versions {
  /** The version of this package. */
  readonly package: string;
  /** The version of the OpenSSL that the connections use, such as `4.0.3`. */
  readonly openssl: string;
}
/** What this package runs on. Corresponds to `OpenSSL_version`. */
declare const versions: Versions;

export { versions };
export type { Versions };
