import { accessSync, constants } from 'node:fs';

import { native } from './binding.ts';
import { LibsslAsyncError, nativeCall } from './errors.ts';
import { MOST_MILLISECONDS, checkNames, optionalBoolean, optionalInteger, optionalString } from './options.ts';
import { measure } from './performance.ts';

/** Options of {@link configure}. */
export interface Configuration {
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
export function configure(options: Configuration): void {
  checkNames(options, ['drainTimeout', 'nice', 'opensslConfig', 'performanceEntries', 'threads'], {});
  const performanceEntries = optionalBoolean(options.performanceEntries, 'performanceEntries');
  const opensslConfig = optionalString(options.opensslConfig, 'opensslConfig');
  const threads = optionalInteger(options.threads, 'threads', 1, 1024);
  const nice = optionalInteger(options.nice, 'nice', 0, 19);
  const drainTimeout = optionalInteger(options.drainTimeout, 'drainTimeout', 0, MOST_MILLISECONDS);
  if (performanceEntries !== undefined) measure(performanceEntries);
  if (opensslConfig !== undefined) {
    // Node's error, with the path: OpenSSL tells only that the system has failed.
    accessSync(opensslConfig, constants.R_OK);
    nativeCall(() => native.loadOpensslConfig(opensslConfig));
  }
  const option = Object.entries({ threads, nice, drainTimeout }).find(([, value]) => value !== undefined)?.[0];
  if (option !== undefined && !native.configureWorkers(threads, nice, drainTimeout)) {
    throw new LibsslAsyncError('ALREADY_STARTED', `configure({ ${option} }) has to come before the first connection`);
  }
}
