import { LibsslAsyncError, invalidArgument } from './errors.ts';

/** The value of an option, or of one of its elements, with its name for errors: `key[1]`. */
export interface Named<T> {
  readonly name: string;
  readonly value: T;
}

/**
 * Refuses options of other names.
 *
 * @param hints names that deserve an answer of their own, and the answers
 */
export function checkNames(options: unknown, known: readonly string[], hints: Readonly<Record<string, string>>): void {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    if (Object.hasOwn(hints, name)) {
      throw new LibsslAsyncError('UNSUPPORTED_OPTION', `options.${name} is not supported here: ${hints[name]}`, {
        option: name,
      });
    }
    const near = nearest(name, known);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    throw new LibsslAsyncError('UNKNOWN_OPTION', `options.${name} is no option${hint}`, { option: name });
  }
}

/** A string that is not empty. */
export function optionalString(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw invalidArgument(`options.${name}`, 'a string', value);
  if (value === '') throw invalidArgument(`options.${name}`, 'a string', value, 'it is empty');
  return withoutNul(value, name);
}

/** What decrypts a key or an archive; may be empty. Errors do not repeat it. */
export function optionalPassphrase(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw invalidArgument(`options.${name}`, 'a string', unspoken(value));
  return withoutNul(value, name);
}

export function optionalBoolean(value: unknown, name: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalidArgument(`options.${name}`, 'true or false', value);
}

export function optionalFunction(value: unknown, name: string): void {
  if (value !== undefined && typeof value !== 'function') throw invalidArgument(`options.${name}`, 'a function', value);
}

/** An integer from `minimum` to `maximum`. */
export function optionalInteger(value: unknown, name: string, minimum: number, maximum: number): number | undefined {
  return value === undefined ? undefined : integer(value, `options.${name}`, minimum, maximum);
}

/** An integer from `minimum` to `maximum`, that is no option. */
export function integer(value: unknown, name: string, minimum: number, maximum: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw invalidArgument(name, `an integer from ${minimum} to ${maximum}`, value);
}

/** The most that a timer takes. */
export const MOST_MILLISECONDS = 0x7fff_ffff;

/** The elements of an option that is a list or one element. */
export function elements(value: unknown, name: string): Named<unknown>[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [{ name, value }];
  return value.map((element: unknown, index) => ({ name: `${name}[${index}]`, value: element }));
}

/** The bytes of a value; `expected` names what else it may be. */
export function toBytes(value: unknown, name: string, expected: string): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) throw invalidArgument(`options.${name}`, expected, value);
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  // What another thread may change is not read twice.
  return bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes;
}

/** A value as errors may have it that is a secret, or part of one: they tell of objects only their class. */
export function unspoken(value: unknown): object {
  return Object(value) as object;
}

function withoutNul(value: string, name: string): string {
  if (value.includes('\0')) throw invalidArgument(`options.${name}`, 'a string', value, 'it contains a NUL');
  return value;
}

/** The name that is most like `name`, if any is. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const distances = known.map((other) => ({ other, distance: distance(name.toLowerCase(), other.toLowerCase()) }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(1, Math.floor(name.length / 3)) ? best.other : undefined;
}

/** How many letters have to be inserted, removed, replaced or swapped with their neighbour. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + Number(a[i - 1] !== b[j - 1]);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const best = Math.min(row[j - 1]! + 1, rows[i - 1]![j]! + 1, replaced);
      row.push(swapped ? Math.min(best, rows[i - 2]![j - 2]! + 1) : best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
