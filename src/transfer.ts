import { Connection } from './connection.ts';
import { environment } from './environment.ts';
import { LibsslAsyncError, invalidArgument, nativeCall } from './errors.ts';
import { MOST_MILLISECONDS, optionalInteger } from './options.ts';

/** Options of {@link Connection.transfer}. */
export interface TransferOptions {
  /** Milliseconds after which the connection is closed, if nobody has claimed it. Default: 10 000. */
  timeout?: number | undefined;
}

/** Options of {@link claimConnection}. */
export interface ClaimOptions {
  /** Milliseconds without a byte of either side after which the connection is destroyed. Default: no limit. */
  idleTimeout?: number | undefined;
  /** What an end without `close_notify` is, as for `connect`. Default: `'error'`, and `'end'` for streams. */
  truncation?: 'error' | 'end' | undefined;
}

/**
 * Takes over a connection that another thread of this process has given up by {@link Connection.transfer}. It is open, and
 * belongs to this thread from then on.
 *
 * Throws `ERR_LIBSSL_ASYNC_UNKNOWN_TOKEN` if no connection waits for the token: it was claimed before, its time is over, or
 * it is of another process or another build of the addon.
 */
export function claimConnection(token: string, options: ClaimOptions = {}): Connection {
  if (typeof token !== 'string') throw invalidArgument('token', 'a string', token);
  const { idleTimeout, truncation } = options;
  optionalInteger(idleTimeout, 'idleTimeout', 0, MOST_MILLISECONDS);
  if (truncation !== undefined && truncation !== 'error' && truncation !== 'end') {
    throw invalidArgument('options.truncation', "'error' or 'end'", truncation);
  }
  const claimed = nativeCall(() => environment.claim(token));
  if (!claimed) {
    const why = 'it was claimed before, its time is over, or it is of another process or build';
    throw new LibsslAsyncError('UNKNOWN_TOKEN', `no connection waits for this token: ${why}`);
  }
  const connection = new Connection(claimed.connection, {
    context: undefined,
    server: undefined,
    client: undefined,
    handshakeTimeout: 0,
    idleTimeout: idleTimeout ?? 0,
    remote: false,
    truncation,
    onEstablished: undefined,
    onClosed: undefined,
  });
  connection.resume(claimed.trust);
  return connection;
}
