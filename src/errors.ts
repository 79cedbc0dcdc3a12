import { getSystemErrorMap, inspect } from 'node:util';

import { build, otherBuild } from './build.ts';
import type { NativeError } from './native.d.ts';

/** What an error may have beside its code and message. */
type Details = Partial<
  Pick<NativeError, 'alert' | 'alertReceived' | 'library' | 'opensslErrorStack' | 'option' | 'reason'>
>;

/** What libssl reports: a protocol that failed, a certificate that was refused, settings that OpenSSL does not take. */
export class TlsError extends Error {
  /** `TlsError`. */
  override readonly name = 'TlsError';
  /**
   * Node's code: `ERR_SSL_<REASON>` for what libssl reports, `ERR_OSSL_<LIBRARY>_<REASON>` for the rest of OpenSSL, and for
   * certificates the name of `X509_V_ERR_*`, such as `CERT_HAS_EXPIRED`.
   */
  readonly code: string;
  /** The option that is wrong: `key[1]`, for instance. */
  declare readonly option?: string;
  /** The part of OpenSSL that reported the error, as `SSL routines`. */
  declare readonly library?: string;
  /** The reason in OpenSSL's words, which differ between its versions. */
  declare readonly reason?: string;
  /** The entries of OpenSSL's error queue, oldest first, if there are several. */
  declare readonly opensslErrorStack?: readonly string[];
  /** The TLS alert that ended the connection, by its name in RFC 8446: `handshake_failure`, for instance. */
  declare readonly alert?: string;
  /** Whether the peer sent the alert; otherwise this side did. */
  declare readonly alertReceived?: boolean;

  /** @internal */
  constructor(code: string, message: string, details: Details = {}) {
    super(message);
    this.code = code;
    Object.assign(this, details);
  }
}

/** An error of this package's own. */
export class LibsslAsyncError extends Error {
  /** `LibsslAsyncError`. */
  override readonly name = 'LibsslAsyncError';
  /** `ERR_LIBSSL_ASYNC_<WHAT>`. */
  readonly code: `ERR_LIBSSL_ASYNC_${string}`;
  /** The option that is wrong: `key[1]`, for instance. */
  declare readonly option?: string;
  /** The part of OpenSSL that reported the error, as `SSL routines`. */
  declare readonly library?: string;
  /** The reason in OpenSSL's words, which differ between its versions. */
  declare readonly reason?: string;
  /** The entries of OpenSSL's error queue, oldest first, if there are several. */
  declare readonly opensslErrorStack?: readonly string[];

  /** @internal */
  constructor(what: string, message: string, details: Details & { cause?: unknown } = {}) {
    const { cause, ...rest } = details;
    super(message, 'cause' in details ? { cause } : undefined);
    this.code = `ERR_LIBSSL_ASYNC_${what}`;
    Object.assign(this, rest);
  }
}

/** What a promise rejects with whose signal was aborted; the signal's reason is the cause, as in Node. */
class AbortError extends Error {
  override readonly name = 'AbortError';
  readonly code = 'ABORT_ERR';
}

const OWN = 'ERR_LIBSSL_ASYNC_';
/** Codes that Node has for a `TypeError`. */
const TYPE_ERRORS = new Set(['ERR_INVALID_ARG_VALUE', 'ERR_MISSING_PASSPHRASE']);

/** Makes the error that the addon tells of. */
export function toError(native: NativeError): Error {
  const {
    code,
    message,
    errno,
    errors,
    request,
    syscall: _syscall,
    address: _address,
    port: _port,
    ...details
  } = native;
  if (errors) return aggregate(errors.map(toError));
  if (errno !== undefined) return systemError(native, errno);
  if (TYPE_ERRORS.has(code)) return coded(new TypeError(message), code, details);
  if (!code.startsWith(OWN)) return new TlsError(code, message, details);
  const cause = request === undefined ? {} : takeFailure(request);
  return new LibsslAsyncError(code.slice(OWN.length), message, { ...details, ...cause });
}

/** Calls the addon, which throws errors of its own form. */
export function nativeCall<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw error instanceof Error ? error : toError(error as NativeError);
  }
}

/** The error of an operation whose signal was aborted. */
export function abortError(signal: AbortSignal): Error {
  return new AbortError('The operation was aborted', { cause: signal.reason });
}

/**
 * The error of an argument that is not `expected`: a `RangeError` for a number in place of another, else a `TypeError`.
 *
 * `detail` is what is wrong with an argument of the right type.
 */
export function invalidArgument(name: string, expected: string, value: unknown, detail?: string): Error {
  const text = `${name} must be ${expected}; ${detail ?? `received ${describe(value)}`}`;
  if (detail !== undefined) return coded(new TypeError(text), 'ERR_INVALID_ARG_VALUE');
  if (typeof value === 'number' && /integer|number/.test(expected))
    return coded(new RangeError(text), 'ERR_OUT_OF_RANGE');
  return coded(new TypeError(text), 'ERR_INVALID_ARG_TYPE');
}

/** Says what a value is: of objects only their class, as they may hold secrets. */
function describe(value: unknown): string {
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value !== 'object' || value === null) return inspect(value, { maxStringLength: 40 });
  const name = `an instance of ${value.constructor?.name ?? 'Object'}`;
  const other = otherBuild(value);
  return other === undefined ? name : `${name} of the ${other} build of libssl-async, where this is the ${build} build`;
}

/** What signers failed with, by the number of the request, until the handshake's error takes it as its cause. */
const failures = new Map<number, unknown>();
/** More than can be on their way: what nobody takes is dropped, oldest first. */
const MOST_FAILURES = 4096;

/** Keeps what a signer failed with. */
export function keepFailure(request: number, error: unknown): void {
  const [oldest] = failures.keys();
  if (failures.size >= MOST_FAILURES && oldest !== undefined) failures.delete(oldest);
  failures.set(request, error);
}

function takeFailure(request: number): { cause?: unknown } {
  if (!failures.has(request)) return {};
  const cause = failures.get(request);
  failures.delete(request);
  return { cause };
}

function systemError({ syscall, address, port }: NativeError, errno: number): Error {
  const [code, text] = getSystemErrorMap().get(errno) ?? [`UNKNOWN_${-errno}`, 'unknown error'];
  const place = address === undefined ? '' : ` ${address}${port === undefined ? '' : `:${port}`}`;
  // As Node words them.
  const words =
    syscall === undefined ? `${code}: ${text}` : `${syscall} ${code}${syscall === 'listen' ? `: ${text}` : ''}`;
  const error = new Error(`${words}${place}`);
  return Object.assign(error, {
    errno,
    code,
    ...(syscall !== undefined && { syscall }),
    ...(address !== undefined && { address }),
    ...(port !== undefined && { port }),
  });
}

function aggregate(errors: Error[]): Error {
  const error = new AggregateError(errors, errors.map(({ message }) => message).join('; '));
  const [first] = errors;
  return coded(error, first && 'code' in first ? String(first.code) : `${OWN}FAILED`);
}

function coded(error: Error, code: string, details: object = {}): Error {
  return Object.assign(error, { code, ...details });
}
