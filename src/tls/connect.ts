import type { Duplex } from 'node:stream';
import type { ConnectionOptions as NodeConnectionOptions, TLSSocketOptions } from 'node:tls';

import type { ConnectOptions } from '../connect-options.ts';
import { invalidArgument } from '../errors.ts';
import { checkStream } from '../over.ts';
import { begin } from './client.ts';
import { type OnRead, isOnRead, readInto } from './onread.ts';
import type { PskClientCallback } from './psk.ts';
import type { SecureContext, SecureContextOptions } from './secure-context.ts';
import { TLSSocket } from './socket.ts';

/** Options of {@link connect}: node:tls's, but for those of {@link SecureContextOptions}. */
export type ConnectionOptions = Omit<
  NodeConnectionOptions,
  keyof SecureContextOptions | 'ALPNCallback' | 'SNICallback' | 'onread' | 'pskCallback' | 'secureContext' | 'socket'
> &
  SecureContextOptions &
  Pick<TLSSocketOptions, 'requestOCSP'> &
  Pick<
    ConnectOptions,
    'autoSelectFamily' | 'autoSelectFamilyAttemptTimeout' | 'family' | 'localAddress' | 'localPort' | 'verifyPeer'
  > & {
    /** A context, in place of options that describe one. */
    secureContext?: SecureContext | undefined;
    /** A stream to the server that is there already, in place of an address. */
    socket?: Duplex | undefined;
    /** Gives the client's pre-shared key. */
    pskCallback?: PskClientCallback | undefined;
    /** Flags for `lookup`, as of `dns.lookup`. */
    hints?: number | undefined;
    /** Reads into a buffer of the caller's, in place of `data`. */
    onread?: OnRead | undefined;
    /** Destroys the connection. */
    signal?: AbortSignal | undefined;
    /** Sends small writes at once. Default: `false`, as for node:tls. */
    noDelay?: boolean | undefined;
    /** Has the system probe a silent peer. Default: `false`. */
    keepAlive?: boolean | undefined;
    /** Milliseconds before the first probe. */
    keepAliveInitialDelay?: number | undefined;
    /** Whether the stream stays writable after the peer has ended its direction. Default: `false`. */
    allowHalfOpen?: boolean | undefined;
    /** Bytes that wait to be read. */
    highWaterMark?: number | undefined;
  };

/**
 * Connects, as `tls.connect` does; what is wrong with the options throws.
 *
 * The event `secureConnect` tells that the handshake is done, which runs on a worker. Corresponds to `SSL_connect`.
 */
export function connect(options: ConnectionOptions, secureConnectListener?: () => void): TLSSocket;
export function connect(port: number, options?: ConnectionOptions, secureConnectListener?: () => void): TLSSocket;
export function connect(
  port: number,
  host?: string,
  options?: ConnectionOptions,
  secureConnectListener?: () => void,
): TLSSocket;
export function connect(...args: unknown[]): TLSSocket {
  const { options, listener } = connectArguments(args);
  check(options);
  const { allowHalfOpen, highWaterMark, signal, timeout } = options;
  const socket = TLSSocket.make({
    isServer: false,
    ...(allowHalfOpen !== undefined && { allowHalfOpen }),
    ...(highWaterMark !== undefined && { highWaterMark }),
    ...(signal && { signal }),
  });
  if (listener) socket.once('secureConnect', listener);
  if (isOnRead(options.onread)) readInto(socket, options.onread);
  if (timeout) socket.setTimeout(timeout);
  if (options.keepAlive) socket.setKeepAlive(true, options.keepAliveInitialDelay);
  begin(socket, options);
  return socket;
}

function check(options: ConnectionOptions): void {
  const { checkServerIdentity, minDHSize, socket }: { [name: string]: unknown } = options;
  if (checkServerIdentity !== undefined && typeof checkServerIdentity !== 'function') {
    throw invalidArgument('options.checkServerIdentity', 'a function', checkServerIdentity);
  }
  for (const name of ['pskCallback', 'verifyPeer'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && value !== null && typeof value !== 'function') {
      throw invalidArgument(`options.${name}`, 'a function', value);
    }
  }
  if (minDHSize !== undefined && typeof minDHSize !== 'number') {
    throw invalidArgument('options.minDHSize', 'a number', minDHSize);
  }
  if (socket !== undefined && socket !== null) checkStream(socket, 'options.socket');
}

function connectArguments(args: unknown[]): { options: ConnectionOptions; listener: (() => void) | undefined } {
  const rest = [...args];
  const listener = typeof rest.at(-1) === 'function' ? (rest.pop() as () => void) : undefined;
  const options: ConnectionOptions = {};
  const [first] = rest;
  if (typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first)))
    options.port = Number(rest.shift());
  else if (typeof first === 'string') options.path = String(rest.shift());
  if (typeof rest[0] === 'string') options.host = String(rest.shift());
  const given = rest.find((argument) => typeof argument === 'object' && argument !== null);
  return { options: { ...options, ...given }, listener };
}
