import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

import { invalidArgument } from './errors.ts';

/** What no host name has, and where parsers of hosts would stop. */
const FORBIDDEN = /[\0-\x20\x7f#%/:<>?@[\\\]^|]/;

/**
 * A server's name as certificates have it, in ASCII; an IP address as it is.
 *
 * The name that is checked has to be the one that was looked up: resolvers see labels where a Unicode full stop is.
 */
export function asciiName(name: string, option: string): string {
  if (isIP(name) !== 0) return name;
  const ascii = FORBIDDEN.test(name) ? '' : /^[\0-\x7f]*$/.test(name) ? name : domainToASCII(name);
  if (ascii === '') throw invalidArgument(`options.${option}`, 'the name of a host', name, `'${name}' is none`);
  return ascii;
}
