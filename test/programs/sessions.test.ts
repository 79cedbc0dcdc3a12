// Servers in several processes that resume each other's sessions: through Redis, or by the keys of their tickets.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { type SecureVersion, type TLSSocket, connect } from 'node:tls';

import test, { type ExecutionContext } from 'ava';
import { Redis } from 'ioredis';

import { Child } from '../../examples/support/child.ts';
import { announceTicketKey, useTicketKey } from '../../examples/ticket-keys.ts';
import { issue } from '../support/certificates.ts';
import { needs, redis } from '../support/databases.ts';
import { authority, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';
import type { SessionServerHandlers, Shared } from '../support/session-server.ts';
import { installed } from '../support/skipping.ts';

const ca = authority.cert;
const user = issue({ issuer: authority, client: true, names: [], subject: 'server' });
const identity = { key: serverIdentity.key, cert: serverIdentity.cert };

interface Visit {
  /** Who has answered. */
  readonly pid: string;
  readonly reused: boolean;
  readonly session: Buffer;
}

async function visit(port: number, maxVersion: SecureVersion, session?: Buffer): Promise<Visit> {
  const socket: TLSSocket = connect({
    host: HOST,
    port,
    ca,
    servername: 'localhost',
    maxVersion,
    ...(session && { session }),
  });
  let last: Buffer | undefined;
  socket.on('session', (given: Buffer) => (last = given));
  await once(socket, 'secureConnect');
  const reused = socket.isSessionReused();
  const pid = await text(socket);
  return { pid, reused, session: last ?? socket.getSession()! };
}

function redisOptions(port: number): Shared['redis'] {
  return { host: HOST, port, tls: { ca, cert: user.cert, key: user.key } };
}

/** Two servers, and how to end one. */
async function serve(
  t: ExecutionContext,
  options: Pick<Shared, 'hasTickets' | 'ticketKeys'>,
  port?: number,
): Promise<{ ports: number[]; children: Child<SessionServerHandlers>[] }> {
  const shared = { redis: redisOptions(port ?? (await redis(t))), identity, ...options };
  const children = Array.from({ length: 2 }, () => {
    const child = new Child<SessionServerHandlers>(new URL('../support/session-server.js', import.meta.url));
    t.teardown(() => child.stop());
    return child;
  });
  return { ports: await Promise.all(children.map((child) => child.ask('listen', shared))), children };
}

test('sessions of TLS 1.2 in Redis are resumed by another process, also when the first is gone', async (t) => {
  if (!installed(t, needs)) return;
  const { ports, children } = await serve(t, { hasTickets: false, ticketKeys: randomBytes(48) });
  const [one, other] = ports as [number, number];
  const first = await visit(one, 'TLSv1.2');
  t.false(first.reused);
  const second = await visit(other, 'TLSv1.2', first.session);
  t.true(second.reused);
  t.not(second.pid, first.pid);
  await children[0]!.stop();
  t.true((await visit(other, 'TLSv1.2', first.session)).reused);
  t.false((await visit(other, 'TLSv1.2')).reused);
});

test('tickets are resumed by another process that has the same keys', async (t) => {
  if (!installed(t, needs)) return;
  const { ports } = await serve(t, { hasTickets: true, ticketKeys: randomBytes(48) });
  const [one, other] = ports as [number, number];
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const first = await visit(one, version);
    const second = await visit(other, version, first.session);
    t.true(second.reused, version);
    t.not(second.pid, first.pid);
  }
});

test('keys of tickets are changed by way of Redis, and clients that come back are resumed meanwhile', async (t) => {
  if (!installed(t, needs)) return;
  const port = await redis(t);
  const store = new Redis({ ...redisOptions(port), retryStrategy: () => null });
  t.teardown(() => store.disconnect());
  await announceTicketKey(store);
  const { ports, children } = await serve(t, { hasTickets: true }, port);
  /** Waits until both servers have so many keys, of which this is the first. */
  const taken = async (count: number, first: Buffer): Promise<void> => {
    for (const child of children) {
      let keys: readonly Buffer[];
      do keys = await child.ask('ticketKeys');
      while (keys.length !== count || !first.equals(keys[0]!));
    }
  };
  const keys = (): Promise<Buffer[]> => store.lrangeBuffer('ticket-keys', 0, -1);
  const [oldest] = await keys();
  await taken(1, oldest!);
  let { session } = await visit(ports[0]!, 'TLSv1.3');
  const early = session;
  for (const change of [1, 2, 3]) {
    const [current, ...older] = await keys();
    await announceTicketKey(store);
    await taken(older.length + 2, current!);
    const announced = await visit(ports[1]!, 'TLSv1.3', session);
    t.true(announced.reused, `${change}`);
    await useTicketKey(store);
    const [recent] = await keys();
    t.false(recent!.equals(current!));
    await taken(Math.min(older.length + 2, 3), recent!);
    const again = await visit(ports[0]!, 'TLSv1.3', announced.session);
    t.true(again.reused, `${change}`);
    ({ session } = again);
  }
  t.false((await visit(ports[0]!, 'TLSv1.3', early)).reused);
});
