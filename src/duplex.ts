import { AsyncResource } from 'node:async_hooks';
import { Duplex, type DuplexOptions } from 'node:stream';

import type { Connection } from './connection.ts';
import { LibsslAsyncError } from './errors.ts';
import { guardSession } from './http2-guard.ts';
import type { Reader } from './reader.ts';
import { DONE, type Writer } from './writer.ts';

/** An established connection and its two halves. */
export interface Halves {
  readonly connection: Connection;
  readonly reader: Reader;
  readonly writer: Writer;
}

/** Something that is written: a string has an encoding. */
export interface Piece {
  readonly chunk: Buffer | string;
  readonly encoding: BufferEncoding;
}

type Callback = (error?: Error | null) => void;

/** What is written at once is put together here: the addon has encrypted it, or copied it, when it returns. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * A stream over a connection, that may come later: its end is a shutdown, its destruction the connection's.
 *
 * What is read and written before waits for the connection.
 */
export class ConnectionStream extends Duplex {
  #halves: Halves | undefined;
  /** What waits for the connection; without one, none will come. */
  readonly #waiting: ((halves: Halves | undefined) => void)[] = [];
  #hasWritten = false;
  /** Events are told where the stream was made. */
  readonly #resource = new AsyncResource('libssl-async.ConnectionStream');

  readonly #take = (chunk: Buffer | null): void => {
    this.#resource.runInAsyncScope(() => this.push(chunk));
  };
  readonly #refuse = (error: Error): void => {
    this.#resource.runInAsyncScope(() => this.#fail(error));
  };

  /** @internal */
  constructor(options: DuplexOptions = {}) {
    // A FIN without close_notify is told by the connection, as its `truncation` says.
    super({ allowHalfOpen: true, ...options, decodeStrings: false });
  }

  /** @internal */
  attach(halves: Halves): void {
    this.#halves = halves;
    for (const action of this.#waiting.splice(0)) action(halves);
    void halves.connection.closed.then((error) => {
      if (!this.destroyed) this.destroy(error);
    });
  }

  /** @internal */
  override _read(): void {
    // As Node's sockets, which never push within a read: one read takes one chunk since Node 26, and nothing would tell of the second.
    if (this.readableLength > 0) process.nextTick(() => this.#pull());
    else this.#pull();
  }

  #pull(): void {
    if (!this.destroyed) this.#withHalves((halves) => halves?.reader.pull(this.#take, this.#refuse));
  }

  /** @internal */
  override _write(chunk: Buffer | string, encoding: BufferEncoding, callback: Callback): void {
    if (typeof chunk === 'string') this.#writePieces([{ chunk, encoding }], callback);
    else this.#writeWhole(chunk, callback);
  }

  /** @internal One record for many small chunks. */
  override _writev(pieces: Piece[], callback: Callback): void {
    this.#writePieces(pieces, callback);
  }

  /** @internal Called with the bytes that go to the connection. */
  protected count(_written: number): void {}

  /** @internal Called when they are sent. */
  protected sent(): void {}

  /** @internal */
  override _final(callback: Callback): void {
    this.#withHalves((halves) => this.#settle(halves?.writer.shutdown(true), callback));
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#halves?.connection.destroy(error ?? undefined);
    callback(error);
    for (const action of this.#waiting.splice(0)) action(undefined);
  }

  #writePieces(pieces: readonly Piece[], callback: Callback): void {
    const isKept = this.#halves === undefined || mostBytes(pieces) > scratch.length;
    this.#writeWhole(isKept ? Buffer.concat(pieces.map(toBuffer)) : gather(pieces), callback);
  }

  #writeWhole(bytes: Buffer, callback: Callback): void {
    this.count(bytes.length);
    // A session of HTTP/2 writes before all else.
    if (!this.#hasWritten) guardSession(this);
    this.#hasWritten = true;
    this.#withHalves((halves) => this.#settle(halves?.writer.write(bytes, undefined), callback));
  }

  #withHalves(action: (halves: Halves | undefined) => void): void {
    if (this.#halves) action(this.#halves);
    else this.#waiting.push(action);
  }

  #settle(operation: Promise<void> | undefined, callback: Callback): void {
    if (operation === DONE) return this.#succeed(callback);
    if (!operation) return callback(this.errored ?? new LibsslAsyncError('CLOSED', 'the connection is closed'));
    operation.then(
      () => this.#succeed(callback),
      (error: Error) => {
        this.#fail(error);
        callback(error);
      },
    );
  }

  #succeed(callback: Callback): void {
    this.sent();
    callback();
  }

  /** What fails destroys the connection; one that was destroyed without an error closes its stream without one. */
  #fail(error: Error): void {
    const connection = this.#halves?.connection;
    this.destroy(connection?.destroyed ? connection.failure : error);
  }
}

function toBuffer({ chunk, encoding }: Piece): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
}

/** At most so many bytes: UTF-8 has three for a unit of a string, and the other encodings have fewer. */
function mostBytes(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { chunk }) => sum + (typeof chunk === 'string' ? 3 : 1) * chunk.length, 0);
}

/** All of them, until something else is put there. */
function gather(pieces: readonly Piece[]): Buffer {
  let length = 0;
  for (const { chunk, encoding } of pieces) {
    if (typeof chunk === 'string') {
      length += scratch.write(chunk, length, encoding);
    } else {
      scratch.set(chunk, length);
      length += chunk.length;
    }
  }
  return scratch.subarray(0, length);
}
