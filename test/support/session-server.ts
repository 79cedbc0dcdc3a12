// One of several servers that keep their sessions in Redis together; in a process of its own.

// oxlint-disable-next-line no-unassigned-import -- for what it does
import 'libssl-async/register';

import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { Redis } from 'ioredis';
import * as tls from 'libssl-async/tls';

import { answer } from '../../examples/support/child.ts';
import { followTicketKeys } from '../../examples/ticket-keys.ts';

/** What the servers have in common. */
export interface Shared {
  readonly redis: { readonly host: string; readonly port: number; readonly tls: Record<'ca' | 'cert' | 'key', string> };
  readonly identity: { readonly key: string; readonly cert: string };
  /** They are in Redis, unless given. */
  readonly ticketKeys?: Buffer;
  /** Whether sessions of TLS 1.2 are tickets, too. */
  readonly hasTickets: boolean;
}

export type SessionServerHandlers = {
  listen(shared: Shared): Promise<number>;
  /** Those that it has now, if they are in Redis. */
  ticketKeys(): readonly Buffer[];
};

const SECONDS = 300;

let latest: readonly Buffer[] = [];

answer<SessionServerHandlers>({
  ticketKeys: () => latest,
  async listen({ redis, identity, ticketKeys, hasTickets }) {
    const store = new Redis({ ...redis, retryStrategy: () => null });
    store.on('error', () => {});
    await once(store, 'ready');
    const secureOptions = hasTickets ? 0 : constants.SSL_OP_NO_TICKET;
    const server = tls.createServer({ ...identity, ...(ticketKeys && { ticketKeys }), secureOptions }, (socket) => {
      socket.on('error', () => {});
      socket.end(String(process.pid));
    });
    server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      // Without the store there is no resumption, and no more is lost.
      void store.setex(`session ${id.toString('hex')}`, SECONDS, session).then(done, done);
    });
    server.on('resumeSession', (id: Buffer, done: (error: Error | null, session?: Buffer | null) => void) => {
      void store.getBuffer(`session ${id.toString('hex')}`).then(
        (session) => done(null, session),
        () => done(null, null),
      );
    });
    if (!ticketKeys) {
      await followTicketKeys(store, (keys) => {
        server.setTicketKeys(keys);
        latest = keys;
      });
    }
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
});
