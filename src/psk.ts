import type { Connection } from './connection.ts';
import { invalidArgument } from './errors.ts';
import type { NativeChoice, NativeEvent } from './native.d.ts';
import { unspoken } from './options.ts';
import { NOTHING } from './questions.ts';

/** The most bytes that OpenSSL takes of a pre-shared key. */
const MOST_OF_KEY = 512;
/** The most bytes that OpenSSL takes of an identity. */
const MOST_OF_IDENTITY = 256;

/** A pre-shared key and what the client calls it. */
export interface PreSharedKey {
  /** 1 to 512 bytes. */
  readonly psk: Uint8Array;
  /** The name of the key; at most 256 bytes in UTF-8, none of them NUL. It is sent in the clear. */
  readonly identity: string;
}

/** What is told to those who are asked for a pre-shared key. */
export interface PskOptions {
  /** Aborted when the answer is not wanted any more. */
  readonly signal: AbortSignal;
}

/**
 * Gives a server the key of an identity, 1 to 512 bytes, now or by a promise. Nothing, or `null`, is no key: the handshake fails
 * with TLS 1.2, and goes on with certificates with TLS 1.3. What it throws or rejects with fails the handshake.
 *
 * With TLS 1.3 it may be asked for identities that are session tickets; they are no keys of its.
 */
export type PskServerCallback = (
  identity: string,
  connection: Connection,
  options: PskOptions,
) => Uint8Array | null | undefined | void | PromiseLike<Uint8Array | null | undefined | void>;

/** Gives a client its key, as {@link PskServerCallback} does; `hint` is what a server of TLS 1.2 has said about it. */
export type PskClientCallback = (
  hint: string | undefined,
  connection: Connection,
  options: PskOptions,
) => PreSharedKey | null | undefined | void | PromiseLike<PreSharedKey | null | undefined | void>;

/** Asks for the key of an identity. */
export async function keyOf(
  event: NativeEvent,
  signal: AbortSignal,
  callback: PskServerCallback | undefined,
  connection: Connection,
): Promise<NativeChoice> {
  const psk: unknown = await callback?.(event.pskName ?? '', connection, { signal });
  return isNothing(psk) ? NOTHING : { ...NOTHING, psk: keyBytes(psk) };
}

/** Asks for a client's own key. */
export async function ownKey(
  event: NativeEvent,
  signal: AbortSignal,
  callback: PskClientCallback | undefined,
  connection: Connection,
): Promise<NativeChoice> {
  const own: unknown = await callback?.(event.pskName, connection, { signal });
  if (isNothing(own)) return NOTHING;
  if (typeof own !== 'object') throw invalidArgument('the answer', 'an object with psk and identity', unspoken(own));
  const { psk, identity } = own as { psk?: unknown; identity?: unknown };
  return { ...NOTHING, psk: keyBytes(psk), pskIdentity: checkIdentity(identity) };
}

/** Throws what is wrong with the hint of a server. */
export function checkHint(hint: unknown): void {
  if (hint === undefined) return;
  checkName(hint, 'options.pskIdentityHint');
}

function checkIdentity(identity: unknown): string {
  return checkName(identity, 'identity');
}

function checkName(name: unknown, what: string): string {
  const expected = `a string of at most ${MOST_OF_IDENTITY} bytes without NUL`;
  if (typeof name !== 'string') throw invalidArgument(what, expected, name);
  if (Buffer.byteLength(name) > MOST_OF_IDENTITY || name.includes('\0')) {
    throw invalidArgument(what, expected, name, `it has ${Buffer.byteLength(name)} bytes, or a NUL`);
  }
  return name;
}

function keyBytes(psk: unknown): Buffer {
  const expected = `a Uint8Array of 1 to ${MOST_OF_KEY} bytes`;
  if (!(psk instanceof Uint8Array)) throw invalidArgument('psk', expected, unspoken(psk));
  if (psk.length < 1 || psk.length > MOST_OF_KEY)
    throw invalidArgument('psk', expected, unspoken(psk), `it has ${psk.length}`);
  return Buffer.from(psk.buffer, psk.byteOffset, psk.length);
}

function isNothing(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
