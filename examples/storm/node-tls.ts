import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:tls';

import type { Contender, Pair } from './storm.ts';

/** The same echo server, on node:tls: its private key has to be in its memory. */
export async function listen({ key, cert }: Pair): Promise<Contender> {
  const server = createServer({ key, cert, minVersion: 'TLSv1.3', ecdhCurve: 'X25519', noDelay: true });
  server.on('secureConnection', (socket) => {
    // The clients count what fails.
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port };
}
