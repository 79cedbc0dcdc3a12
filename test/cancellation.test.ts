// Every operation, ended by everything that can end it: it says why, and nothing is left.

import { readFileSync } from 'node:fs';

import test, { type ExecutionContext } from 'ava';
import { type Connection, type Server, connect, createContext, createServer, metrics } from 'libssl-async';

import { randomBytes } from './support/bytes.ts';
import { DRIVERS, type Driver, overDriversSerially } from './support/drivers.ts';
import { authority, clientContext, serverContext, serverIdentity } from './support/identities.ts';
import { HOST, accepted, closed, nodeClient, nodeClientSocket, serve, withResolvers } from './support/peers.ts';
import { proxy, tcpClient, tcpServer } from './support/proxy.ts';
import { growth, remote, signatureOf } from './support/remote-keys.ts';
import { descriptors, eventually, isIdle, turns } from './support/waiting.ts';

/** An operation that is pending, and the connection whose it is. */
interface Pending {
  readonly connection: Connection;
  readonly operation: Promise<unknown>;
  /** Its server, if it is a server's. */
  readonly server?: Server;
}

interface Settings {
  readonly recordIO: Driver;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that it may take, as far as it can be told. */
  readonly timeout?: number | undefined;
}

type Begin = (t: ExecutionContext, settings: Settings) => Promise<Pending>;

const TIMEOUT = {
  handshake: 'ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT',
  idle: 'ERR_LIBSSL_ASYNC_IDLE_TIMEOUT',
  shutdown: 'ERR_LIBSSL_ASYNC_SHUTDOWN_TIMEOUT',
};

/** How each operation comes to wait for something that never comes, and the code of its time-out. */
const OPERATIONS: Record<string, { begin: Begin; late: string; survivesAbort?: true; isClients?: true }> = {
  'a handshake with a silent server': {
    late: TIMEOUT.handshake,
    isClients: true,
    async begin(t, { recordIO, signal, timeout = 0 }) {
      const port = await tcpServer(t, (socket) => socket.resume().on('end', () => socket.end()));
      const options = { host: HOST, port, context: clientContext, recordIO, handshakeTimeout: timeout };
      const connection = await connect({ ...options, handshake: false });
      return { connection, operation: connection.handshake({ signal }) };
    },
  },
  'a handshake that is paused': {
    late: TIMEOUT.handshake,
    async begin(t, settings) {
      const asked = withResolvers<void>();
      const pending = await handshakeOf(t, settings, asked.resolve);
      await asked.promise;
      return pending;
    },
  },
  'a handshake that waits for its turn': {
    late: TIMEOUT.handshake,
    async begin(t, settings) {
      // Whoever has the place hands it on when all is over.
      const { server, port } = await serveHanging(t, { ...settings, maxHandshakes: 1, maxWaitingHandshakes: 1 });
      const first = await knock(t, server, port);
      first.handshake().catch(() => {});
      t.true(await eventually(() => metrics().paused === 1));
      const connection = await knock(t, server, port);
      const operation = connection.handshake({ signal: settings.signal });
      t.true(await eventually(() => metrics().waiting === 1));
      void connection.closed.then(() => first.destroy());
      return { connection, operation, server };
    },
  },
  'a read': {
    late: TIMEOUT.idle,
    survivesAbort: true,
    async begin(t, { recordIO, signal, timeout = 0 }) {
      const { server, connection } = await established(t, recordIO, timeout);
      return { server, connection, operation: connection.read(undefined, { signal }) };
    },
  },
  'a write to a peer that reads nothing': {
    late: TIMEOUT.idle,
    async begin(t, { recordIO, signal, timeout = 0 }) {
      const { server, connection } = await established(t, recordIO, 0);
      const operation = connection.write(randomBytes(MUCH), { signal });
      connection.idleTimeout = timeout;
      return { server, connection, operation };
    },
  },
  'a write behind another': {
    late: TIMEOUT.idle,
    survivesAbort: true,
    async begin(t, { recordIO, signal, timeout = 0 }) {
      const { server, connection } = await established(t, recordIO, 0);
      void connection.write(randomBytes(MUCH));
      const operation = connection.write('behind it', { signal });
      connection.idleTimeout = timeout;
      return { server, connection, operation };
    },
  },
  'a shutdown whose close_notify cannot be sent': {
    late: TIMEOUT.shutdown,
    async begin(t, { recordIO, signal, timeout }) {
      const { server, connection } = await established(t, recordIO, 0);
      void connection.write(randomBytes(MUCH));
      return { server, connection, operation: connection.shutdown({ signal, timeout }) };
    },
  },
  'a shutdown that waits for the peer': {
    late: TIMEOUT.shutdown,
    async begin(t, { recordIO, signal, timeout }) {
      const { server, connection } = await established(t, recordIO, 0);
      return { server, connection, operation: connection.shutdown({ signal, timeout }) };
    },
  },
};

const MUCH = 32 * 1024 * 1024;

for (const [title, { begin, late, survivesAbort = false, isClients = false }] of Object.entries(OPERATIONS)) {
  for (const recordIO of DRIVERS) {
    test.serial(`${title} can be aborted [${recordIO}]`, async (t) => {
      const controller = new AbortController();
      const { operation, connection } = await begin(t, { recordIO, signal: controller.signal });
      const reason = new Error('enough');
      controller.abort(reason);
      const error = await t.throwsAsync(operation, { code: 'ABORT_ERR' });
      t.is(error.cause, reason);
      t.is(connection.destroyed, !survivesAbort);
      if (survivesAbort) connection.destroy();
      else t.is(await connection.closed, error);
      t.true(await eventually(isIdle));
    });

    test.serial(`${title} ends with its connection [${recordIO}]`, async (t) => {
      const { operation, connection } = await begin(t, { recordIO });
      const reason = new Error('enough');
      connection.destroy(reason);
      t.is(await t.throwsAsync(operation), reason);
      t.is(await connection.closed, reason);
      t.true(await eventually(isIdle));
    });

    test.serial(`${title} ends with its time [${recordIO}]`, async (t) => {
      const { operation, connection } = await begin(t, { recordIO, timeout: 200 });
      const error = await t.throwsAsync(operation, { code: late });
      t.is(await connection.closed, error);
      t.true(await eventually(isIdle));
    });

    if (isClients) continue;

    test.serial(`${title} ends with its server [${recordIO}]`, async (t) => {
      const { operation, connection, server } = await begin(t, { recordIO });
      const failed = t.throwsAsync(operation, { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
      await server!.close({ timeout: 1 });
      await failed;
      t.is(await connection.closed, undefined);
      // Not eventually: close() has waited for it.
      t.true(isIdle());
    });
  }
}

overDriversSerially('connecting can be aborted at any point', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  server.on('connection', (connection) => connection.destroy());
  const options = { host: HOST, port, context: clientContext, recordIO };
  (await connect(options)).destroy();
  t.true(await eventually(() => isIdle() && server.connections === 0));
  const open = descriptors();
  const ends = new Map<string, number>();
  // After ever more turns of the event loop, until it is done before.
  for (let late = 0; (ends.get('done') ?? 0) < 5; late++) {
    const controller = new AbortController();
    const connecting = connect({ ...options, signal: controller.signal });
    abortAfter(late, controller);
    const end = await connecting.then(
      (connection) => {
        connection.destroy();
        return 'done';
      },
      (error: NodeJS.ErrnoException) => String(error.code),
    );
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  t.deepEqual([...ends.keys()].toSorted(), ['ABORT_ERR', 'done']);
  t.true(await eventually(() => isIdle() && server.connections === 0 && descriptors() <= open));
});

overDriversSerially('bytes that come while a handshake is paused resume nothing', async (t, recordIO) => {
  const before = metrics();
  const asked = withResolvers<void>();
  const held = withResolvers<void>();
  const { key } = remote(serverIdentity, {
    sign: async (request) => {
      asked.resolve();
      await held.promise;
      return signatureOf(request, serverIdentity.privateKey);
    },
  });
  const context = createContext({ key, cert: serverIdentity.cert });
  const { server, port } = await serve(t, { recordIO, context });
  const between = await proxy(t, port);
  const meeting = Promise.all([accepted(server), nodeClient(t, between.port)]);
  const { server: wire } = await between.carried;
  await asked.promise;
  t.true(await eventually(() => metrics().paused === 1));
  for (let round = 0; round < 5; round++) {
    // What middleboxes like to see, and TLS 1.3 ignores (RFC 8446, 5).
    wire.write(Buffer.from('140303000101', 'hex'));
    t.true(await eventually(() => wire.writableLength === 0 && isRead(port, wire.localPort!)));
  }
  t.like(growth(before), { pauses: 1, callbacks: 0, resumes: 0, paused: 1 });
  held.resolve();
  await meeting;
  t.true(await eventually(isIdle));
  t.like(growth(before), { pauses: 1, callbacks: 1, resumes: 1, handshakes: 1 });
});

overDriversSerially('a server may be closed while its clients are at any point', async (t, recordIO) => {
  const open = descriptors();
  for (let count = 0; count < 20; count++) {
    const server = createServer({ context: serverContext, recordIO });
    server.on('connection', (connection) => void connection.write('hello'));
    server.on('tlsClientError', () => t.fail('it was not the client'));
    const { port } = (await server.listen({ host: HOST })) as { port: number };
    const peers = Array.from({ length: 3 }, () => closed(nodeClientSocket(t, port).resume()));
    await tcpClient(t, port).then((socket) => peers.push(closed(socket.resume().on('end', () => socket.end()))));
    await turns(count);
    await server.close({ timeout: 0 });
    t.is(server.connections, 0);
    t.true(isIdle());
    await Promise.all(peers);
  }
  t.true(await eventually(() => descriptors() <= open));
});

/** A server whose signer never answers, and which hands connections out before their handshake. */
async function serveHanging(
  t: ExecutionContext,
  { recordIO, timeout = 0, maxHandshakes, maxWaitingHandshakes }: Settings & Limits,
  onAsked: () => void = () => {},
): Promise<{ server: Server; port: number }> {
  const { key } = remote(serverIdentity, {
    sign: () => {
      onAsked();
      return new Promise(() => {});
    },
  });
  const context = createContext({ key, cert: serverIdentity.cert });
  const limits = { maxHandshakes, maxWaitingHandshakes };
  return serve(t, { recordIO, context, handshake: false, handshakeTimeout: timeout, ...limits });
}

interface Limits {
  readonly maxHandshakes?: number;
  readonly maxWaitingHandshakes?: number;
}

/** A connection of a server that hands them out before their handshake. */
async function knock(t: ExecutionContext, server: Server, port: number): Promise<Connection> {
  const connection = accepted(server);
  nodeClientSocket(t, port, { ca: authority.cert });
  return connection;
}

async function handshakeOf(t: ExecutionContext, settings: Settings, onAsked: () => void): Promise<Pending> {
  const { server, port } = await serveHanging(t, settings, onAsked);
  const connection = await knock(t, server, port);
  return { server, connection, operation: connection.handshake({ signal: settings.signal }) };
}

/** A connection of a server whose peer does nothing. */
async function established(
  t: ExecutionContext,
  recordIO: Driver,
  idleTimeout: number,
): Promise<{ server: Server; connection: Connection }> {
  const { server, port } = await serve(t, { recordIO, idleTimeout });
  const [connection, peer] = await Promise.all([
    accepted(server),
    nodeClient(t, port, { allowHalfOpen: true } as object),
  ]);
  peer.pause();
  return { server, connection };
}

function abortAfter(count: number, controller: AbortController): void {
  if (count === 0) controller.abort();
  else setImmediate(abortAfter, count - 1, controller);
}

/** Whether this process has read all that came from `remotePort` to `localPort` of this machine. */
function isRead(localPort: number, remotePort: number): boolean {
  const line = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((text) => text.trim().split(/\s+/))
    .find(([, local, far]) => local?.endsWith(inProc(localPort)) && far?.endsWith(inProc(remotePort)));
  return line?.[4]?.split(':')[1] === '00000000';
}

/** A port as /proc/net/tcp has it. */
function inProc(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}
