// Handshakes that the asynchronous test engine computes, in the OpenSSL of this Node.

import test, { type ExecutionContext } from 'ava';
import {
  type Address,
  type AsyncStatus,
  type Connection,
  type Metrics,
  createContext,
  createServer,
  loadEngine,
  metrics,
  versions,
} from 'libssl-async/host';

import { Child } from '../../examples/support/child.ts';
import { issue, issueAuthority } from '../support/certificates.ts';
import type { ClientHandlers } from '../support/clients.ts';
import { compileEngine, counters } from './support/accelerator.ts';

/** What a TLS 1.3 server with X25519 asks for: its share of the key exchange, the secret, the signature. */
const PAUSES = 3;
/** Of each kind; 5,000 is what was measured. */
const HANDSHAKES = Number(process.env['ENGINE_HANDSHAKES'] ?? 300);

const authority = issueAuthority();
const identity = issue({ issuer: authority, type: 'rsa-2048' });

test.serial('an engine computes, and its callbacks, descriptors and silence resume', async (t) => {
  const path = compileEngine(t, 'async-test.so');
  if (path === undefined) return;
  // Its name, as each test file has a process of its own that may load it once.
  const engine = await loadEngine({ path, methods: ['RSA', 'EC', 'PKEY_CRYPTO'] });
  t.is(engine.id, 'async-test');
  t.is(engine.name, 'asynchronous test engine');
  t.like(
    engine.commands().find(({ name }) => name === 'QUEUE'),
    { input: 'number', description: 'Requests in flight at most' },
  );

  const pauses = PAUSES * HANDSHAKES;
  const told = await serveClients(t, HANDSHAKES, 64);
  t.like(told.growth, {
    handshakes: HANDSHAKES,
    failed: 0,
    pauses,
    resumes: pauses,
    callbacks: pauses,
    againRetries: 0,
  });
  t.deepEqual(told.statuses, new Set(['ok']));
  t.is(told.callbacks, pauses);
  t.like(counters(engine), { taken: pauses, told: pauses, callbacks: pauses, refused: 0, inFlight: 0 });
  t.is(engine.stats().inFlight, 0);

  engine.control('QUEUE', 8);
  const refused = await serveClients(t, HANDSHAKES, 256);
  t.like(refused.growth, { handshakes: HANDSHAKES, failed: 0, callbacks: pauses });
  const again = refused.growth.againRetries;
  t.true(again > 0);
  t.is(refused.growth.pauses, pauses + again);
  t.like(counters(engine), { taken: 2 * pauses, told: 2 * pauses, refused: again });
  engine.control('QUEUE', 1024);

  engine.control('NOTIFY', 'descriptor');
  const described = await serveClients(t, HANDSHAKES, 64);
  t.like(described.growth, { handshakes: HANDSHAKES, failed: 0, pauses, resumes: pauses, callbacks: 0 });
  t.like(counters(engine), { taken: 3 * pauses, told: 3 * pauses, callbacks: 2 * pauses });

  engine.control('NOTIFY', 'callback');
  engine.control('FAIL', 1);
  const failed = await serveClients(t, 1, 1, 1);
  t.like(failed.growth, { handshakes: 0, failed: 1 });
  t.is((await serveClients(t, 10, 10)).growth.handshakes, 10);

  engine.close();
  t.throws(() => engine.id, { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
  t.is(versions.build, 'host');
});

interface Served {
  readonly growth: Omit<Metrics, 'pauseTime'>;
  readonly statuses: Set<AsyncStatus | undefined>;
  readonly callbacks: number;
}

/** Clients of node:tls in another process, which the engine does not serve. */
async function serveClients(t: ExecutionContext, count: number, atOnce: number, failures = 0): Promise<Served> {
  // A key has the methods that are the default when it is made.
  const context = createContext({ key: identity.key, cert: identity.cert, groups: 'X25519', minVersion: 'TLSv1.3' });
  const statuses = new Set<AsyncStatus | undefined>();
  let callbacks = 0;
  context.setAsyncCallback(
    (_, counted) => {
      counted();
    },
    () => void callbacks++,
  );
  const server = createServer({ context });
  server.on('connection', (connection: Connection) => {
    statuses.add(connection.asyncStatus);
    void connection.read().then(
      () => connection.shutdown(),
      () => {},
    );
  });
  server.on('tlsClientError', () => {});
  const { port } = (await server.listen({ host: '127.0.0.1' })) as Address;
  const { pauseTime: _, ...before } = metrics();
  const clients = new Child<ClientHandlers>(new URL('../support/clients.js', import.meta.url));
  try {
    const visited = await clients.ask('visit', { port, ca: authority.cert, count, atOnce });
    t.is(visited.succeeded, count - failures, visited.failures.join());
  } finally {
    await clients.stop();
  }
  await server.close();
  const after = metrics();
  const names = Object.keys(before) as (keyof typeof before)[];
  const growth = Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as typeof before;
  return { growth, statuses, callbacks };
}
