// What servers choose for their clients, and over which streams both speak.

import { once } from 'node:events';
import * as net from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as nodeTls from 'node:tls';

import test from 'ava';
import { type ClientHello, type Connection, connect, createContext, createServer } from 'libssl-async';

import { issue } from './support/certificates.ts';
import { authority, clientContext, serverContext } from './support/identities.ts';
import { HOST, serve } from './support/peers.ts';
import { eventually, isIdle } from './support/waiting.ts';

const ca = authority.cert;
const context = serverContext;
const other = issue({ issuer: authority, names: ['other.example'], subject: 'other.example' });
const otherContext = createContext({ key: other.key, cert: other.cert });

test('a server is told what a client says first', async (t) => {
  const hellos: ClientHello[] = [];
  const { port } = await serve(t, { onClientHello: (hello) => void hellos.push(hello) });
  const client = nodeTls.connect({
    port,
    host: HOST,
    ca,
    servername: 'localhost',
    ALPNProtocols: ['a', 'b'],
    requestOCSP: true,
    ecdhCurve: 'P-256:X25519',
    ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256',
    sigalgs: 'ecdsa_secp256r1_sha256',
  } as nodeTls.ConnectionOptions);
  await once(client, 'secureConnect');
  client.destroy();
  t.like(hellos[0], {
    servername: 'localhost',
    ALPNProtocols: ['a', 'b'],
    wantsOCSP: true,
    versions: [0x0304, 0x0303],
    groups: [23, 29],
    signatureAlgorithms: [0x0403],
  });
  t.deepEqual(hellos[0]!.ciphers.slice(0, 2), [0x1301, 0xc02b]);
  t.true([0, 10, 13, 16, 43, 51].every((extension) => hellos[0]!.extensions.includes(extension)));
});

test('a server chooses context, protocol and OCSP response by a promise', async (t) => {
  const response = Buffer.from('30030a0106', 'hex');
  const { port } = await serve(t, {
    ALPNProtocols: ['b'],
    onClientHello: async (hello) => {
      await nextTurn();
      return hello.servername === 'other.example'
        ? { context: otherContext, ALPNProtocol: 'a', ocspResponse: response }
        : undefined;
    },
  });
  const options = { port, host: HOST, context: clientContext, ALPNProtocols: ['a', 'b'], requestOCSP: true };
  const chosen = await connect({ ...options, servername: 'other.example' });
  t.is(chosen.alpnProtocol, 'a');
  t.true(chosen.authorized);
  t.deepEqual(chosen.ocspResponse, response);
  const plain = await connect({ ...options, servername: 'localhost' });
  t.is(plain.alpnProtocol, 'b');
  t.is(plain.ocspResponse, undefined);
  chosen.destroy();
  plain.destroy();
});

test('a choice that fails is the cause of the error', async (t) => {
  const failure = new Error('no such tenant');
  const wrongs: [unknown, object][] = [
    [() => Promise.reject(failure), { code: 'ERR_LIBSSL_ASYNC_CALLBACK_FAILED', cause: failure }],
    [() => ({ ALPNProtocol: 'c' }), { code: 'ERR_LIBSSL_ASYNC_CALLBACK_FAILED' }],
    [() => ({ context: {} }), { code: 'ERR_LIBSSL_ASYNC_CALLBACK_FAILED' }],
    [() => 5, { code: 'ERR_LIBSSL_ASYNC_CALLBACK_FAILED' }],
    [() => ({ ALPNProtocol: null }), { alert: 'no_application_protocol' }],
  ];
  for (const [onClientHello, expected] of wrongs) {
    const { server, port } = await serve(t, { onClientHello: onClientHello as () => undefined });
    const told = once(server, 'tlsClientError') as Promise<[Error]>;
    await t.throwsAsync(
      connect({ port, host: HOST, context: clientContext, servername: 'localhost', ALPNProtocols: ['a'] }),
    );
    t.like((await told)[0], expected);
  }
  t.true(await eventually(isIdle));
});

test('a client that goes away aborts the choice', async (t) => {
  let signal: AbortSignal | undefined;
  const { port } = await serve(t, {
    onClientHello: (hello) => {
      signal = hello.signal;
      return new Promise(() => {});
    },
  });
  const client = nodeTls.connect({ port, host: HOST, ca }).on('error', () => {});
  t.true(await eventually(() => signal !== undefined));
  t.false(signal!.aborted);
  client.destroy();
  t.true(await eventually(() => signal!.aborted));
  t.true(await eventually(isIdle));
});

test('sessions are kept in a store; what it fails with costs a session, or a handshake', async (t) => {
  const kept = new Map<string, Buffer>();
  let fails = false;
  const { server, port } = await serve(t, {
    context: createContext({ key: other.key, cert: other.cert, maxVersion: 'TLSv1.2', tickets: 0 }),
    sessionStore: {
      get: async (id) => {
        if (fails) throw new Error('the store is away');
        return kept.get(id.toString('hex'));
      },
      set: async (id, session) => void kept.set(id.toString('hex'), session),
    },
  });
  const visit = async (session?: Buffer): Promise<Connection> =>
    connect({ port, host: HOST, context: clientContext, servername: 'other.example', ...(session && { session }) });
  const first = await visit();
  const session = first.getSession()!;
  t.is(kept.size, 1);
  const second = await visit(session);
  t.true(second.sessionReused);
  fails = true;
  const told = once(server, 'tlsClientError') as Promise<[Error]>;
  await t.throwsAsync(visit(session));
  t.is(((await told)[0].cause as Error).message, 'the store is away');
  first.destroy();
  second.destroy();
});

test('a context is renewed while the server listens', async (t) => {
  const { server, port } = await serve(t, {});
  const name = async (): Promise<boolean> => {
    const connection = await connect({
      port,
      host: HOST,
      context: clientContext,
      servername: 'other.example',
      rejectUnauthorized: false,
    });
    const { authorized } = connection;
    connection.destroy();
    return authorized;
  };
  t.false(await name());
  server.setContext(otherContext);
  t.true(await name());
});

test('both sides speak over a stream that is no socket', async (t) => {
  const [one, two] = pairOfStreams();
  const server = createServer({ context });
  t.teardown(() => server.close());
  server.accept(one);
  const client = await connect({ socket: two, context: clientContext, servername: 'localhost' });
  const [accepted] = (await take(server)) as [Connection];
  await client.write('over a stream');
  t.is(String(await accepted.read()), 'over a stream');
  await Promise.all([client.shutdown(), accepted.shutdown()]);
  t.is(await client.closed, undefined);
  t.true(await eventually(() => one.destroyed && two.destroyed));
});

test('both sides take a socket over', async (t) => {
  const server = createServer({ context });
  t.teardown(() => server.close());
  const listener = net.createServer((socket) => server.accept(socket));
  listener.listen(0, HOST);
  await once(listener, 'listening');
  t.teardown(() => listener.close());
  const socket = net.connect((listener.address() as net.AddressInfo).port, HOST);
  await once(socket, 'connect');
  const client = await connect({ socket, context: clientContext, servername: 'localhost' });
  const [accepted] = (await take(server)) as [Connection];
  t.is(client.remoteAddress?.port, socket.remotePort);
  t.is(accepted.remoteAddress?.port, client.localAddress?.port);
  await accepted.write('from the server');
  t.is(String(await client.read()), 'from the server');
  client.destroy();
  await once(socket, 'close');
  t.is(await accepted.read().catch((error: NodeJS.ErrnoException) => error.code), 'ERR_LIBSSL_ASYNC_TRUNCATED');
});

test('a stream that is none, or has ended, is refused', async (t) => {
  const server = createServer({ context });
  t.throws(() => server.accept({} as Duplex), { code: 'ERR_INVALID_ARG_TYPE' });
  await t.throwsAsync(connect({ socket: 1 as unknown as Duplex }), { code: 'ERR_INVALID_ARG_TYPE' });
  const [one] = pairOfStreams();
  one.destroy();
  t.throws(() => server.accept(one), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
  await t.throwsAsync(connect({ socket: one }), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
  await server.close();
  t.throws(() => server.accept(pairOfStreams()[0]), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
});

test('hooks that are none are refused', (t) => {
  t.throws(() => createServer({ context, onClientHello: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  t.throws(() => createServer({ context, sessionStore: { get: () => null } as never }), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
});

async function take(server: AsyncIterable<Connection>): Promise<Connection[]> {
  for await (const connection of server) return [connection];
  return [];
}

/** Two streams, each of which reads what the other is written. */
function pairOfStreams(): [Duplex, Duplex] {
  const one: Duplex = half(() => two);
  const two: Duplex = half(() => one);
  return [one, two];
}

function half(peer: () => Duplex): Duplex {
  return new Duplex({
    read: () => {},
    write: (bytes, _encoding, done) => {
      peer().push(bytes);
      done();
    },
    final: (done) => {
      peer().push(null);
      done();
    },
  });
}
