import { constants } from 'node:os';
import type { Duplex } from 'node:stream';

/** What node:http2 has in place of a socket of node:net, over any other stream. */
interface WrapperHandle {
  onwrite: ((request: object, buffers: Buffer[]) => number) | undefined;
}

/** Where a socket of node:net has its handle. */
const HANDLE = '_handle';

/** A session of node:http2, as far as it matters here. */
interface Session {
  readonly goaway: unknown;
  readonly socket: { readonly [HANDLE]: WrapperHandle | null };
}

/**
 * Has a session of node:http2 over a stream, if there is one, told that it cannot write where Node's wrapper of the stream
 * would end the process: its assertion fails if the session answers the peer while the end of the stream is under way, and
 * any peer can bring that about, with a malformed frame for instance.
 */
export function guardSession(stream: Duplex): void {
  // The key is Node's own: a symbol, or by an oversight of Node 20 to 26 the name `undefined`.
  for (const key of Reflect.ownKeys(stream)) {
    const value = (stream as unknown as Record<string | symbol, unknown>)[key];
    if (isSession(value)) guard(value.socket[HANDLE]);
  }
}

function isSession(value: unknown): value is Session {
  return typeof value === 'object' && value !== null && 'goaway' in value && 'socket' in value;
}

function guard(handle: WrapperHandle | null): void {
  const write = handle?.onwrite;
  if (!write) return;
  handle.onwrite = function (request, buffers) {
    try {
      return write.call(this, request, buffers);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_INTERNAL_ASSERTION') throw error;
      return -constants.errno.EPIPE;
    }
  };
}
