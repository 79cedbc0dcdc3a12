import cluster from 'node:cluster';
import { inspect } from 'node:util';

import { LibsslAsyncError, invalidArgument } from '../errors.ts';
import type { ListenOptions } from '../server-options.ts';

/** Where a server is to listen. */
export type Place =
  /** At a place of its own. */
  | { readonly own: ListenOptions }
  /** Where only Node can accept: on a descriptor or handle that is there already, or on a cluster's common one. */
  | { readonly node: unknown[] };

/** Reads the arguments of `server.listen()`; throws what is wrong with them, as node:net does. */
export function listenArguments(args: readonly unknown[]): { place: Place; callback: (() => void) | undefined } {
  const last = args.at(-1);
  const callback = typeof last === 'function' ? (last as () => void) : undefined;
  const rest = callback ? args.slice(0, -1) : [...args];
  return { place: placeOf(rest), callback };
}

function placeOf(rest: readonly unknown[]): Place {
  const [first] = rest;
  if (typeof first === 'object' && first !== null) return ofOptions(first as Record<string, unknown>, rest);
  if (typeof first === 'string' && !/^\d+$/.test(first))
    return shared({ path: first, backlog: numberAt(rest, 1) }, rest);
  const host = typeof rest[1] === 'string' ? rest[1] : undefined;
  return shared({ port: port(first), host, backlog: numberAt(rest, 1) ?? numberAt(rest, 2) }, rest);
}

function ofOptions(options: Record<string, unknown>, rest: readonly unknown[]): Place {
  if ('_handle' in options || 'handle' in options || typeof options['fd'] === 'number') return { node: [...rest] };
  const { host, path, ipv6Only, reusePort, signal, exclusive } = options;
  if (options['port'] === undefined && !('port' in options) && typeof path !== 'string') {
    throw invalidArgument('options', 'an object with port or path', options, 'it has neither');
  }
  const place = typeof path === 'string' && !('port' in options && options['port'] !== undefined);
  const backlog =
    typeof options['backlog'] === 'number' ? options['backlog'] : (numberAt(rest, 1) ?? numberAt(rest, 2));
  const given = {
    ...(place ? { path } : { port: port(options['port']), host: host || undefined }),
    backlog,
    ipv6Only: ipv6Only === undefined ? undefined : ipv6Only === true,
    reusePort: reusePort === undefined ? undefined : reusePort === true,
    signal,
  };
  return shared(given, rest, exclusive === true || reusePort === true);
}

/** The workers of a cluster listen at one place together, unless they are told not to; abstract sockets are Node's, too. */
function shared(given: Record<string, unknown>, rest: readonly unknown[], isExclusive = false): Place {
  const { path } = given;
  const isAbstract = typeof path === 'string' && path.startsWith('\0');
  if (isAbstract || (cluster.isWorker && !isExclusive)) return { node: [...rest] };
  return { own: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

function port(value: unknown): number {
  if (value === undefined || value === null) return 0;
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (Number.isInteger(number) && number >= 0 && number <= 65_535) return number;
  const received = inspect(value, { depth: 0 });
  const error = new RangeError(`options.port should be >= 0 and < 65536. Received ${received}.`);
  throw Object.assign(error, { code: 'ERR_SOCKET_BAD_PORT' });
}

/** The backlog, which 0 leaves to the default. */
function numberAt(rest: readonly unknown[], index: number): number | undefined {
  const value = Number(rest[index]);
  return Number.isInteger(value) && value > 0 ? value : undefined;
}

/** The error of a server that listens already. */
export function alreadyListening(): Error {
  const error = new LibsslAsyncError(
    'ALREADY_LISTENING',
    'Listen method has been called more than once without closing.',
  );
  return Object.assign(error, { code: 'ERR_SERVER_ALREADY_LISTEN' });
}
