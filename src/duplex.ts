import { Duplex } from 'node:stream';

import type { Connection } from './connection.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** A stream over a connection: its end is a shutdown, its destruction the connection's. */
export function makeDuplex(connection: Connection, reader: Reader, writer: Writer): Duplex {
  const stream: Duplex = new Duplex({
    // A FIN without close_notify is told by the connection, as its `truncation` says.
    allowHalfOpen: true,
    read() {
      reader.read(undefined, undefined).then((chunk) => stream.push(chunk), fail);
    },
    write(chunk: Buffer, _encoding, callback) {
      settle(writer.write(chunk, undefined), callback);
    },
    writev(chunks, callback) {
      // One record for many small chunks.
      const whole = Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer));
      settle(writer.write(whole, undefined), callback);
    },
    final(callback) {
      settle(writer.shutdown(), callback);
    },
    destroy(error, callback) {
      connection.destroy(error ?? undefined);
      callback(error);
    },
  });

  function settle(operation: Promise<void>, callback: (error?: Error) => void): void {
    operation.then(
      () => callback(),
      (error: Error) => {
        fail(error);
        callback(error);
      },
    );
  }

  /** What fails destroys the connection; one that was destroyed without an error closes its stream without one. */
  function fail(error: Error): void {
    stream.destroy(connection.destroyed ? connection.failure : error);
  }

  void connection.closed.then((error) => {
    if (!stream.destroyed) stream.destroy(error);
  });
  return stream;
}
