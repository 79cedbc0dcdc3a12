import { constants } from 'node:os';
import type { Readable } from 'node:stream';

import { toError } from '../errors.ts';

/** Where a socket reads to, in place of `data`: node:net's option. */
export interface OnRead {
  /** What is read into, again and again; or a function that gives it. */
  buffer: Uint8Array | (() => Uint8Array);
  /** Is told how many bytes are there, and where; `false` pauses the socket. */
  callback(bytesWritten: number, buffer: Uint8Array): boolean | void;
}

/** Whether an option is one; what is none has no effect, as in Node. */
export function isOnRead(option: unknown): option is OnRead {
  if (typeof option !== 'object' || option === null) return false;
  const { buffer, callback } = option as { buffer?: unknown; callback?: unknown };
  return (buffer instanceof Uint8Array || typeof buffer === 'function') && typeof callback === 'function';
}

/**
 * Has a stream read into buffers of somebody else's. What a pause leaves over goes back
 * into the stream, which would otherwise come to its end before all of it was told.
 */
export function readInto(stream: Readable, onread: OnRead): void {
  const { buffer } = onread;
  stream.on('data', (chunk: Buffer) => {
    let rest = chunk;
    while (rest.length > 0 && !stream.isPaused()) {
      const target = typeof buffer === 'function' ? buffer() : buffer;
      if (target.length === 0) {
        stream.destroy(nowhereToRead());
        return;
      }
      const count = rest.copy(target);
      rest = rest.subarray(count);
      if (onread.callback(count, target) === false) stream.pause();
    }
    if (rest.length > 0) stream.unshift(rest);
  });
}

function nowhereToRead(): Error {
  return toError({ code: '', message: '', errno: -constants.errno.ENOBUFS, syscall: 'read' });
}
