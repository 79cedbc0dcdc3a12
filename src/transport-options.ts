import { CONTEXT_OPTIONS } from './context-names.ts';
import { environment } from './environment.ts';
import { LibsslAsyncError, invalidArgument } from './errors.ts';
import { MOST_MILLISECONDS, optionalBoolean, optionalInteger } from './options.ts';

/** Options that connections have, however they are made. */
interface TransportOptions {
  handshake?: unknown;
  handshakeTimeout?: unknown;
  idleTimeout?: unknown;
  recordIO?: unknown;
  truncation?: unknown;
  noDelay?: unknown;
}

/** What to do with a context's options in places where they are none. */
export const CONTEXT_HINTS: Readonly<Record<string, string>> = Object.fromEntries(
  CONTEXT_OPTIONS.map((name) => [name, 'it is an option of createContext()']),
);

/** Throws what is wrong with the options that clients and servers share. */
export function checkTransport(options: TransportOptions): void {
  for (const name of ['handshake', 'noDelay'] as const) optionalBoolean(options[name], name);
  optionalInteger(options.handshakeTimeout, 'handshakeTimeout', 0, 0xffff_ffff);
  optionalInteger(options.idleTimeout, 'idleTimeout', 0, MOST_MILLISECONDS);
  choice(options.recordIO, 'recordIO', ['loop', 'worker']);
  choice(options.truncation, 'truncation', ['error', 'end']);
  if (options.recordIO === 'loop' && !environment.hasEventLoop) {
    const message = "recordIO: 'loop' needs libuv, which this runtime does not offer: use 'worker'";
    throw new LibsslAsyncError('UNSUPPORTED', message);
  }
}

/** Throws if a signal is none. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw invalidArgument('options.signal', 'an AbortSignal', signal);
}

function choice(value: unknown, name: string, choices: readonly string[]): void {
  if (value === undefined || choices.some((known) => known === value)) return;
  const expected = choices.map((known) => `'${known}'`).join(' or ');
  throw invalidArgument(`options.${name}`, expected, value, typeof value === 'string' ? `it is '${value}'` : undefined);
}
