import { Duplex } from 'node:stream';

import type { Connection } from './connection.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** A stream over a connection: its end is a shutdown, its destruction the connection's. */
export function makeDuplex(connection: Connection, reader: Reader, writer: Writer): Duplex {
  const stream = new Duplex({
    // A FIN without close_notify is told by the connection, as its `truncation` says.
    allowHalfOpen: true,
    read() {
      reader.read(undefined, undefined).then(
        (chunk) => this.push(chunk as Buffer | null),
        (error: Error) => this.destroy(error),
      );
    },
    write(chunk: Buffer, _encoding, callback) {
      writer.write(chunk, undefined).then(() => callback(), callback);
    },
    writev(chunks, callback) {
      // One record for many small chunks.
      const whole = Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer));
      writer.write(whole, undefined).then(() => callback(), callback);
    },
    final(callback) {
      writer.shutdown().then(() => callback(), callback);
    },
    destroy(error, callback) {
      connection.destroy(error ?? undefined);
      callback(error);
    },
  });
  void connection.closed.then((error) => {
    if (!stream.destroyed) stream.destroy(error);
  });
  return stream;
}
