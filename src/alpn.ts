import type { Bytes } from './context-options.ts';
import { invalidArgument } from './errors.ts';
import { elements, toBytes } from './options.ts';

/**
 * Protocols for ALPN in the wire format, a byte of length before each name; `undefined` for none.
 *
 * @param value names, or the wire format
 * @param name the option, for errors
 */
export function protocolList(
  value: readonly Bytes[] | NodeJS.ArrayBufferView | undefined,
  name: string,
): Buffer | undefined {
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? encode(value, name) : checked(value, name);
  return list.length === 0 ? undefined : list;
}

function encode(names: readonly unknown[], option: string): Buffer {
  const parts = elements(names, option).map(({ name, value }) => {
    const bytes = toBytes(value, name, 'a string or bytes');
    if (bytes.length === 0 || bytes.length > 255) {
      throw invalidArgument(`options.${name}`, 'a name of 1 to 255 bytes', value, `it has ${bytes.length}`);
    }
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  return Buffer.concat(parts);
}

function checked(value: unknown, option: string): Buffer {
  if (typeof value === 'string') throw invalidArgument(`options.${option}`, 'an array of names', value);
  const list = Buffer.from(toBytes(value, option, 'an array of names, or the wire format in a Buffer'));
  for (let at = 0; at < list.length; at += 1 + list[at]!) {
    if (list[at] === 0 || at + list[at]! >= list.length) {
      throw invalidArgument(`options.${option}`, 'the wire format', value, `the length at byte ${at} is wrong`);
    }
  }
  return list;
}
