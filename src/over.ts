import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';

import type { Connection } from './connection.ts';
import { environment } from './environment.ts';
import { LibsslAsyncError, invalidArgument, nativeCall } from './errors.ts';
import type { NativeConnection } from './native.d.ts';

/** What of a socket's handle tells its descriptor, and stops its reading. */
interface Handle {
  readonly fd?: unknown;
  readStop?(): void;
}

/** A connection of the addon over a stream, and what ties their ends together. */
export interface Over {
  readonly native: NativeConnection;
  /** Ends each with the other. */
  readonly tie: (connection: Connection) => void;
}

/**
 * TLS over a stream that is there already.
 *
 * The descriptor of a socket is used as any other connection's, and the socket no more. Whatever else the stream is, its
 * bytes go through a pair of sockets, one of which the connection has.
 */
export function over(stream: Duplex): Over {
  if (stream.destroyed || stream.readableEnded || stream.writableEnded) {
    throw new LibsslAsyncError('CLOSED', 'the stream has ended');
  }
  return (stream instanceof Socket ? takeOver(stream) : undefined) ?? pipe(stream);
}

/** Throws for what is no stream of both directions. */
export function checkStream(stream: unknown, name: string): asserts stream is Duplex {
  const fits =
    typeof stream === 'object' && stream !== null && 'pipe' in stream && 'write' in stream && 'destroy' in stream;
  if (!fits) throw invalidArgument(name, 'a stream of both directions', stream);
}

/** Takes the descriptor of a connected socket over, unless something of what it does would be lost. */
function takeOver(socket: Socket): Over | undefined {
  // Nothing else of node:net's tells the descriptor.
  // oxlint-disable-next-line no-underscore-dangle -- node:net's name
  const handle = (socket as { _handle?: Handle | null })._handle;
  const isBusy = socket.connecting || socket.readableLength > 0 || socket.writableLength > 0;
  // The descriptor of a TLS socket of Node's is that of the ciphertext.
  if ('encrypted' in socket) return undefined;
  if (isBusy || typeof handle?.fd !== 'number' || handle.fd < 0 || typeof handle.readStop !== 'function')
    return undefined;
  socket.pause();
  handle.readStop();
  const { fd } = handle;
  const native = nativeCall(() => environment.adopt(fd));
  const tie = (connection: Connection): void => {
    socket.on('error', (error) => connection.destroy(error));
    socket.on('close', () => connection.destroy());
    void connection.closed.then(() => socket.destroy());
  };
  return { native, tie };
}

function pipe(stream: Duplex): Over {
  const pair = nativeCall(() => environment.pipe());
  const end = new Socket({ fd: pair.takeEnd(), readable: true, writable: true, allowHalfOpen: true });
  // The connection sees the end of the pair, behind all that came before it.
  pipeline(stream, end, () => {});
  pipeline(end, stream, () => {
    stream.destroy();
    end.destroy();
  });
  const tie = (connection: Connection): void => {
    stream.on('error', (error) => connection.destroy(error));
  };
  return { native: pair.connection, tie };
}
