import { accessSync, constants } from 'node:fs';

import { native } from './binding.ts';
import { LibsslAsyncError, nativeCall } from './errors.ts';
import { checkNames, optionalInteger, optionalString } from './options.ts';

/** Options of {@link configure}. */
export interface Configuration {
  /** Threads that run handshakes. Default: `LIBSSL_ASYNC_THREADS`, or else the number of cores, at most 4. */
  threads?: number | undefined;
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
  checkNames(options, ['opensslConfig', 'threads'], {});
  const opensslConfig = optionalString(options.opensslConfig, 'opensslConfig');
  const threads = optionalInteger(options.threads, 'threads', 1, 1024);
  if (opensslConfig !== undefined) {
    // Node's error, with the path: OpenSSL tells only that the system has failed.
    accessSync(opensslConfig, constants.R_OK);
    nativeCall(() => native.loadOpensslConfig(opensslConfig));
  }
  if (threads !== undefined && !native.configureThreads(threads)) {
    throw new LibsslAsyncError('ALREADY_STARTED', 'configure({ threads }) has to come before the first connection');
  }
}
