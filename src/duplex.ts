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

type Callback = (error?: Error | null) => void;

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
    super({ allowHalfOpen: true, ...options });
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
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#writeWhole(chunk, callback);
  }

  /** @internal One record for many small chunks. */
  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.#writeWhole(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
  }

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

  #writeWhole(bytes: Buffer, callback: Callback): void {
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
    if (operation === DONE) return callback();
    if (!operation) return callback(this.errored ?? new LibsslAsyncError('CLOSED', 'the connection is closed'));
    operation.then(
      () => callback(),
      (error: Error) => {
        this.#fail(error);
        callback(error);
      },
    );
  }

  /** What fails destroys the connection; one that was destroyed without an error closes its stream without one. */
  #fail(error: Error): void {
    const connection = this.#halves?.connection;
    this.destroy(connection?.destroyed ? connection.failure : error);
  }
}
