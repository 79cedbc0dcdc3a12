/** The errors that node:tls has for what happens before a connection is secure. */

interface Place {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly localAddress?: string | undefined;
}

/** The error of a client whose handshake fails, as node:tls has it. */
export function clientError(error: Error, place: Place): Error {
  if (codeOf(error) !== 'ERR_LIBSSL_ASYNC_TRUNCATED') return error;
  const message = 'Client network socket disconnected before secure TLS connection was established';
  return nodeError('ECONNRESET', message, error, place);
}

/** The error of a server's `tlsClientError`, as node:tls has it. */
export function serverError(error: Error): Error {
  const code = codeOf(error);
  if (code === 'ERR_LIBSSL_ASYNC_TRUNCATED') return nodeError('ECONNRESET', 'socket hang up', error);
  if (code === 'ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT') {
    return nodeError('ERR_TLS_HANDSHAKE_TIMEOUT', 'TLS handshake timeout', error);
  }
  // What a callback failed with is the user's own.
  return code === 'ERR_LIBSSL_ASYNC_CALLBACK_FAILED' && error.cause instanceof Error ? error.cause : error;
}

/** An error with a code of Node's. */
export function nodeError(code: string, message: string, cause?: Error, properties: object = {}): Error {
  return Object.assign(new Error(message, cause && { cause }), { code, ...properties });
}

/** The code of an error, if it has one. */
export function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
