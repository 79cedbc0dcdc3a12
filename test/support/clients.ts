// Clients of node:tls in a process of their own, whose event loop is not the server's.

import { type SecureContext, connect, createSecureContext } from 'node:tls';

import { answer } from '../../examples/support/child.ts';

/** Whom to visit, and how often. */
export interface Visits {
  readonly port: number;
  readonly ca: string;
  readonly count: number;
  /** How many visits are under way at once. */
  readonly atOnce: number;
}

/** What became of them. */
export interface Visited {
  readonly succeeded: number;
  /** The codes or messages of those that failed. */
  readonly failures: readonly string[];
}

export type ClientHandlers = { visit(visits: Visits): Promise<Visited> };

answer<ClientHandlers>({ visit });

async function visit({ port, ca, count, atOnce }: Visits): Promise<Visited> {
  const secureContext = createSecureContext({ ca });
  const failures: string[] = [];
  let begun = 0;
  let succeeded = 0;
  const inTurn = async (): Promise<void> => {
    while (begun++ < count) {
      const failure = await shakeHands(port, secureContext);
      if (failure) failures.push(failure.code ?? failure.message);
      else succeeded++;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, inTurn));
  return { succeeded, failures };
}

/** Connects, ends the connection, and waits until the server has done so too. */
function shakeHands(port: number, secureContext: SecureContext): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', secureContext }, () => socket.end());
    socket.on('error', resolve);
    socket.on('close', () => resolve(socket.authorized ? undefined : new Error('the handshake was not done')));
    socket.resume();
  });
}
