// Bytes to send, and what came.

import { randomFillSync } from 'node:crypto';
import type { Readable } from 'node:stream';

import type { Connection } from 'libssl-async';

/** Bytes that look like nothing else. */
export function randomBytes(length: number): Buffer {
  return randomFillSync(Buffer.allocUnsafeSlow(length));
}

/** Reads `length` bytes of a connection. */
export async function readExactly(connection: Connection, length: number): Promise<Buffer> {
  const target = Buffer.allocUnsafeSlow(length);
  for (let filled = 0; filled < length;) {
    const count = await connection.read(target.subarray(filled));
    if (count === 0) return target.subarray(0, filled);
    filled += count;
  }
  return target;
}

/** Reads a connection to its end. */
export async function readAll(connection: Connection): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of connection) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads `length` bytes of a stream, without ending it. */
export function receive(stream: Readable, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const settle = (): void => {
      stream.off('data', onData).off('end', settle).off('error', reject);
      stream.pause();
      resolve(Buffer.concat(chunks));
    };
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk);
      received += chunk.length;
      if (received >= length) settle();
    };
    stream.on('data', onData).on('end', settle).on('error', reject).resume();
  });
}

/** Echoes what a connection brings, to its end, and ends it then. */
export async function echo(connection: Connection): Promise<void> {
  const target = Buffer.allocUnsafeSlow(64 * 1024);
  for (;;) {
    const count = await connection.read(target);
    if (count === 0) break;
    await connection.write(target.subarray(0, count));
  }
  await connection.shutdown();
}
