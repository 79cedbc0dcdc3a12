import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TLSSocket, createServer } from 'node:tls';

import { type Pair, SETTINGS } from '../protocol.ts';

export async function listen({ key, cert }: Pair): Promise<number> {
  const server = createServer({ key, cert, ...SETTINGS, noDelay: true });
  server.on('secureConnection', echo);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** As `socket.pipe(socket)` does, without its overhead. */
function echo(socket: TLSSocket): void {
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => socket.resume());
  socket.on('data', (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
}
