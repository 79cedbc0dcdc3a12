import { accessSync, constants } from 'node:fs';

import { native } from './binding.ts';
import { LibsslAsyncError, nativeCall } from './errors.ts';
import { checkNames, optionalInteger, optionalString } from './options.ts';

/** Options of {@link configure}. */
export interface Configuration {
  /** Threads that run handshakes. Default: `LIBSSL_ASYNC_THREADS`, or else the number of cores, at most 4. */
  threads?: number | undefined;
  /**
   * How much lower than the priority of the process that of these threads is, 0 to 19 as for `nice(1)`, so that a storm of
   * handshakes leaves the event loop its core. Default: `LIBSSL_ASYNC_NICE`, or else 10. Linux only.
   */
  nice?: number | undefined;
  /** The path of an `openssl.cnf`, which is not read otherwise unless `OPENSSL_CONF` names it. */
  opensslConfig?: string | undefined;
}

/**
 * Configures the process, before its first connection.
 *
 * Throws `ERR_LIBSSL_ASYNC_ALREADY_STARTED` if the workers have been started, with Node's code if the file cannot
 * be read, and what OpenSSL finds wrong in it.
 */
export function configure(options: Configuration): void {
  checkNames(options, ['nice', 'opensslConfig', 'threads'], {});
  const opensslConfig = optionalString(options.opensslConfig, 'opensslConfig');
  const threads = optionalInteger(options.threads, 'threads', 1, 1024);
  const nice = optionalInteger(options.nice, 'nice', 0, 19);
  if (opensslConfig !== undefined) {
    // Node's error, with the path: OpenSSL tells only that the system has failed.
    accessSync(opensslConfig, constants.R_OK);
    nativeCall(() => native.loadOpensslConfig(opensslConfig));
  }
  if ((threads !== undefined || nice !== undefined) && !native.configureThreads(threads, nice)) {
    const option = threads === undefined ? 'nice' : 'threads';
    throw new LibsslAsyncError('ALREADY_STARTED', `configure({ ${option} }) has to come before the first connection`);
  }
}
