import { once } from 'node:events';

import type { ExecutionContext } from 'ava';
import { type Connection, createContext } from 'libssl-async';

import { type Driver, overDrivers } from '../support/drivers.ts';
import { authority, serverIdentity } from '../support/identities.ts';
import { accepted, dial, nodeClient, nodeClientSocket, nodeServer, serve, withResolvers } from '../support/peers.ts';
import { turns } from '../support/waiting.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

for (const version of VERSIONS) {
  const context = createContext({ ca: authority.cert, minVersion: version, maxVersion: version });

  overDrivers(`a client resumes sessions of node:tls, with ${version}`, async (t, recordIO) => {
    const port = await nodeServer(t, (socket) => socket.end('x'));
    const first = await dial(t, port, { recordIO, context });
    t.false(first.sessionReused);
    const [session] = await sessionsOf(first);
    await first.shutdown();
    const second = await dial(t, port, { recordIO, context, session: session! });
    t.true(second.sessionReused);
    t.true(second.authorized);
    t.truthy(second.peerCertificate);
    await second.shutdown();
  });

  overDrivers(`a client resumes sessions of a server of ours, with ${version}`, async (t, recordIO) => {
    const { server, port } = await serve(t, { recordIO });
    const options = { recordIO, context, servername: 'localhost' };
    const session = await firstSession(t, server, port, options);
    const [ours, client] = await Promise.all([accepted(server), dial(t, port, { ...options, session })]);
    t.true(client.sessionReused);
    t.true(ours.sessionReused);
    t.is(ours.servername, 'localhost');
  });

  overDrivers(`node:tls resumes sessions of a server of ours, with ${version}`, async (t, recordIO) => {
    const { server, port } = await serve(t, { recordIO });
    const only = { minVersion: version, maxVersion: version };
    const peer = nodeClientSocket(t, port, only);
    const told = once(peer, 'session') as Promise<[Buffer]>;
    const connection = await accepted(server);
    await connection.write('x');
    peer.resume();
    const [session] = await told;
    const [second, resumed] = await Promise.all([accepted(server), nodeClient(t, port, { ...only, session })]);
    t.true(resumed.isSessionReused());
    t.true(second.sessionReused);
  });
}

overDrivers('with TLS 1.3 there is no session before the server sends one', async (t, recordIO) => {
  const context = createContext({ key: serverIdentity.key, cert: serverIdentity.cert, tickets: 3 });
  const { server, port } = await serve(t, { recordIO, context });
  const [ours, client] = await Promise.all([accepted(server), dial(t, port, { recordIO })]);
  const told = withResolvers<Buffer[]>();
  const sessions: Buffer[] = [];
  client.on('session', (session) => {
    if (sessions.push(session) === 3) told.resolve(sessions);
  });
  await ours.write('x');
  await client.read();
  const all = await told.promise;
  t.is(new Set(all.map((session) => session.toString('hex'))).size, 3);
});

overDrivers('a session of another server is not resumed, and does no harm', async (t, recordIO) => {
  const one = await serve(t, { recordIO });
  const session = await firstSession(t, one.server, one.port, { recordIO });
  const other = createContext({ key: serverIdentity.key, cert: serverIdentity.cert });
  const { port } = await serve(t, { recordIO, context: other });
  const connection = await dial(t, port, { recordIO, session });
  t.false(connection.sessionReused);
});

overDrivers('a session of a server that was not trusted does not make it so', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const stranger = createContext({ ca: [] });
  const session = await firstSession(t, server, port, { recordIO, context: stranger, rejectUnauthorized: false });
  await t.throwsAsync(dial(t, port, { recordIO, context: stranger, session }), {
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
});

overDrivers('the name is checked again when a session is resumed', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const session = await firstSession(t, server, port, { recordIO });
  await t.throwsAsync(dial(t, port, { recordIO, session, servername: 'elsewhere.example' }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});

overDrivers('the key log of both ends is the same', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO, keylog: true });
  const fromServer: string[] = [];
  const lines: string[] = [];
  const whose = new Set<Connection>();
  server.on('keylog', (line, connection) => {
    fromServer.push(String(line));
    whose.add(connection);
  });
  const client = await dial(t, port, { recordIO, handshake: false });
  client.on('keylog', (line) => lines.push(String(line)));
  const [ours] = await Promise.all([accepted(server), client.handshake()]);
  await turns();
  t.true(lines.length >= 5);
  t.true(lines.every((line) => /^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+\n$/.test(line)));
  t.deepEqual(fromServer.toSorted(), lines.toSorted());
  t.deepEqual([...whose], [ours]);
});

overDrivers('there is no key log unless somebody asks for it', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  server.on('keylog', () => t.fail());
  await Promise.all([accepted(server), dial(t, port, { recordIO })]);
  await turns();
  t.pass();
});

/** The sessions that a client is told of, up to the first end of what it reads. */
async function sessionsOf(connection: Connection): Promise<Buffer[]> {
  const sessions: Buffer[] = [];
  connection.on('session', (session) => sessions.push(session));
  await connection.read();
  await turns();
  return sessions;
}

async function firstSession(
  t: ExecutionContext,
  server: Parameters<typeof accepted>[0],
  port: number,
  options: Parameters<typeof dial>[2] & { recordIO: Driver },
): Promise<Buffer> {
  const [ours, client] = await Promise.all([accepted(server), dial(t, port, options)]);
  const told = sessionsOf(client);
  await ours.write('x');
  const [session] = await told;
  t.truthy(client.getSession());
  await Promise.all([ours.shutdown(), client.shutdown()]);
  return session!;
}
