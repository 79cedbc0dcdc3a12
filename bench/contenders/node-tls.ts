import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer } from 'node:tls';

import { type Pair, SETTINGS } from '../protocol.ts';

export function listen({ key, cert }: Pair): Promise<number> {
  return listenWith(createServer({ key, cert, ...SETTINGS, noDelay: true }));
}

export async function listenWith(server: Server): Promise<number> {
  server.on('secureConnection', echo);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** As `socket.pipe(socket)` does, without its overhead. */
function echo(socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => socket.resume());
  socket.on('data', (chunk: Buffer) => {
    if (!socket.write(chunk)) socket.pause();
  });
}
