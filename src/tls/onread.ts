import type { Readable } from 'node:stream';

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

/** Has a stream read into buffers of somebody else's. */
export function readInto(stream: Readable, onread: OnRead): void {
  const { buffer } = onread;
  let rest: Buffer | undefined;
  const feed = (): void => {
    while (rest && !stream.isPaused()) {
      const target = typeof buffer === 'function' ? buffer() : buffer;
      const count = rest.copy(target);
      rest = count < rest.length ? rest.subarray(count) : undefined;
      if (onread.callback(count, target) === false) stream.pause();
    }
  };
  stream.on('resume', feed);
  stream.on('data', (chunk: Buffer) => {
    rest = chunk;
    feed();
  });
}
