import type { Duplex } from 'node:stream';

import type { ServerOptions } from '../server-options.ts';
import { type Server, createServer } from '../server.ts';
import { serverError } from './errors.ts';
import { choose } from './hello.ts';
import { serverContext } from './secure-context.ts';
import type { TLSSocketOptions } from './socket-options.ts';
import type { TLSSocket } from './socket.ts';

/** Has a socket be the server's end over a stream that is there already; throws what is wrong with the options. */
export function acceptOver(socket: TLSSocket, stream: Duplex, options: TLSSocketOptions): void {
  const server = createServer(serverOptions(options));
  socket.standOn(stream);
  socket.once('close', () => void server.close({ timeout: 0 }));
  server.once('connection', (connection) => {
    if (socket.destroyed) {
      connection.destroy();
      return;
    }
    connection.streamInto(socket);
    socket.emit('secure');
  });
  server.once('tlsClientError', (error) => socket.destroy(serverError(error)));
  // Whoever has made the socket has not listened yet.
  process.nextTick(() => begin(server, socket, stream));
}

function begin(server: Server, socket: TLSSocket, stream: Duplex): void {
  if (socket.destroyed) return;
  try {
    server.accept(stream);
  } catch (error) {
    socket.destroy(error as Error);
  }
}

/** What this package's own servers take. */
export function serverOptions(options: TLSSocketOptions): ServerOptions {
  const { ALPNProtocols, SNICallback, ALPNCallback, requestCert, rejectUnauthorized, verifyPeer, enableTrace } =
    options;
  return {
    context: serverContext(options),
    requestCert: requestCert === true,
    rejectUnauthorized: rejectUnauthorized !== false,
    truncation: 'end',
    noDelay: false,
    ...(ALPNProtocols && { ALPNProtocols: ALPNProtocols as readonly string[] }),
    ...(enableTrace && { enableTrace }),
    ...(verifyPeer && { verifyPeer }),
    ...((SNICallback || ALPNCallback) && { onClientHello: (hello) => choose(hello, { SNICallback, ALPNCallback }) }),
  };
}
