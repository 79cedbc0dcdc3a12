// A server whose handshakes an engine of Node's OpenSSL computes, and clients that it does not serve.

import type { ExecutionContext } from 'ava';
import {
  type Address,
  type AsyncStatus,
  type Connection,
  type ContextOptions,
  type StoredKey,
  createContext,
  createServer,
  metrics,
} from 'libssl-async/host';

import { Child } from '../../../examples/support/child.ts';
import { certify, issue, issueAuthority } from '../../support/certificates.ts';
import type { ClientHandlers } from '../../support/clients.ts';
import { type Growth, difference } from '../../support/growth.ts';
import { eventually } from '../../support/waiting.ts';

const authority = issueAuthority();
const identity = issue({ issuer: authority, type: 'rsa-2048' });

/** What came of it. */
export interface Served {
  /** By how much the counters have grown. */
  readonly growth: Growth;
  readonly statuses: Set<AsyncStatus | undefined>;
  /** How often the asynchronous callback was called. */
  readonly callbacks: number;
  /** Of the handshakes that failed. */
  readonly errors: readonly Error[];
}

/** Clients of node:tls in another process, of which so many are to fail. */
export async function serveClients(
  t: ExecutionContext,
  count: number,
  atOnce: number,
  failures = 0,
  options: ContextOptions = { key: identity.key, cert: identity.cert },
  ca = authority.cert,
): Promise<Served> {
  // A key has the methods that are the default when it is made.
  const context = createContext({ groups: 'X25519', minVersion: 'TLSv1.3', ...options });
  const statuses = new Set<AsyncStatus | undefined>();
  let callbacks = 0;
  context.setAsyncCallback(
    (_, counted) => {
      counted();
    },
    () => void callbacks++,
  );
  const server = createServer({ context });
  t.teardown(() => server.close({ timeout: 0 }));
  server.on('connection', (connection: Connection) => {
    statuses.add(connection.asyncStatus);
    void connection.read().then(
      () => connection.shutdown(),
      () => {},
    );
  });
  const errors: Error[] = [];
  server.on('tlsClientError', (error: Error) => errors.push(error));
  const { port } = (await server.listen({ host: '127.0.0.1' })) as Address;
  const before = metrics();
  const clients = new Child<ClientHandlers>(new URL('../../support/clients.js', import.meta.url));
  try {
    const visited = await clients.ask('visit', { port, ca, count, atOnce });
    t.is(visited.succeeded, count - failures, visited.failures.join());
    // Clients hear of a failure first.
    await eventually(() => errors.length >= failures);
  } finally {
    await clients.stop();
  }
  await server.close();
  return { growth: difference(before, metrics()), statuses, callbacks, errors };
}

/** A certificate of the key, from an authority of its own. */
export function certificateOf(key: StoredKey): { authority: string; cert: string } {
  const issuer = issueAuthority();
  const { cert } = certify(key.publicKey, issuer.privateKey, { issuer });
  return { authority: issuer.cert, cert };
}
