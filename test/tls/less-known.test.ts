// What few ask of node:tls, and some do.

import * as dns from 'node:dns';
import { once } from 'node:events';
import * as net from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import * as node from 'node:tls';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';
import * as https from 'libssl-async/https';
import * as tls from 'libssl-async/tls';

import { authority, serverIdentity } from '../support/identities.ts';
import { HOST, listen } from '../support/peers.ts';
import { start } from '../support/programs.ts';

const identity = { key: serverIdentity.key, cert: serverIdentity.cert };
const ca = authority.cert;

const finds: net.LookupFunction = (_host, _options, callback) => callback(null, HOST, 4);
const fails: net.LookupFunction = (_host, _options, callback) => callback(new Error('nowhere'), '', 0);

/** Clients may go as they like. */
function calm<Server extends net.Server>(server: Server): Server {
  return server.on('secureConnection', (socket: tls.TLSSocket) => void socket.on('error', () => {}));
}

for (const [name, make] of [
  ['tls', () => tls.createServer(identity)],
  ['https', () => https.createServer(identity)],
] as const) {
  test(`connections beyond maxConnections are dropped: ${name}`, async (t) => {
    const server = calm(make());
    const port = await listen(t, server);
    server.maxConnections = 1;
    t.is(server.maxConnections, 1);
    const first = node.connect({ host: HOST, port, ca });
    t.teardown(() => first.destroy());
    await once(server, 'secureConnection');
    const dropped = once(server, 'drop') as Promise<[net.DropArgument]>;
    const second = node.connect({ host: HOST, port, ca }).on('error', () => {});
    await once(second, 'connect');
    const { localPort, localAddress } = second;
    const [told] = await dropped;
    t.like(told, { remotePort: localPort, remoteAddress: localAddress, localPort: port });
    await once(second.resume(), 'close');
    t.false(first.destroyed);
  });
}

test('pauseOnConnect hands paused sockets out', async (t) => {
  const server = calm(tls.createServer({ ...identity, pauseOnConnect: true }));
  const port = await listen(t, server);
  const client = node.connect({ host: HOST, port, ca });
  t.teardown(() => client.destroy());
  const [socket] = (await once(server, 'secureConnection')) as [tls.TLSSocket];
  t.true(socket.isPaused());
  client.write('hello');
  socket.resume();
  t.is(String((await once(socket, 'data'))[0]), 'hello');
});

test('hints reach lookup, and a lookup is told', async (t) => {
  const port = await listen(t, calm(tls.createServer(identity)));
  let given: number | undefined;
  const socket = tls.connect({
    host: 'localhost',
    port,
    ca,
    hints: dns.ADDRCONFIG,
    lookup(_host, { hints, all }, callback) {
      given = hints;
      if (all) callback(null, [{ address: HOST, family: 4 }]);
    },
  });
  t.teardown(() => socket.destroy());
  const told = once(socket, 'lookup');
  await once(socket, 'secureConnect');
  t.deepEqual(await told, [null, HOST, 4, 'localhost']);
  t.is(given, dns.ADDRCONFIG);
});

test('a lookup that finds one address is enough', async (t) => {
  const port = await listen(t, calm(tls.createServer(identity)));
  const socket = tls.connect({ host: 'localhost', port, ca, lookup: finds });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  t.true(socket.authorized);
});

test('a lookup that fails is told, too', async (t) => {
  const socket = tls.connect({ host: 'localhost', port: 1, ca, lookup: fails });
  const told = once(socket, 'lookup') as Promise<[Error]>;
  const [error] = (await once(socket, 'error')) as [Error];
  t.is((await told)[0], error);
});

test('setServername and setSession choose before the handshake', async (t) => {
  const server = calm(tls.createServer({ ...identity, maxVersion: 'TLSv1.2' }));
  const port = await listen(t, server);
  const over = async (session?: Buffer): Promise<{ client: tls.TLSSocket; socket: tls.TLSSocket }> => {
    const client = new tls.TLSSocket(net.connect(port, HOST), { isServer: false, ca });
    t.teardown(() => client.destroy());
    client.setServername('localhost');
    if (session) client.setSession(session);
    const [[socket]] = (await Promise.all([once(server, 'secureConnection'), once(client, 'secure')])) as [
      [tls.TLSSocket],
      unknown,
    ];
    return { client, socket };
  };
  const first = await over();
  t.is(first.socket.servername, 'localhost');
  t.throws(() => first.socket.setServername('localhost'), { code: 'ERR_TLS_SNI_FROM_SERVER' });
  t.throws(() => first.client.setServername(1 as unknown as string), { code: 'ERR_INVALID_ARG_TYPE' });
  const second = await over(first.client.getSession());
  t.true(second.client.isSessionReused());
});

/** Reads four bytes at a time, pauses after each four, and goes on when `ready` says so. */
async function readByFours(t: ExecutionContext, ready: (socket: tls.TLSSocket) => Promise<void>): Promise<string[]> {
  const port = await listen(t, calm(tls.createServer(identity, (socket) => void socket.end('abcdefghij'))));
  const buffer = Buffer.alloc(4);
  const read: string[] = [];
  const socket = tls.connect({
    host: HOST,
    port,
    ca,
    servername: 'localhost',
    onread: {
      buffer,
      callback(count, target) {
        t.is(target, buffer);
        read.push(buffer.toString('latin1', 0, count));
        void ready(socket).then(() => socket.resume());
        return false;
      },
    },
  });
  await once(socket, 'end');
  return read;
}

/** Nothing public tells it of a stream that is paused. */
async function peerEnded(socket: Readable & { _readableState?: { ended: boolean } }): Promise<void> {
  // oxlint-disable-next-line no-underscore-dangle, no-await-in-loop
  while (!socket._readableState!.ended) await setImmediate();
}

test('onread reads into a buffer of the caller, which pauses and resumes', async (t) => {
  t.deepEqual(await readByFours(t, () => setImmediate()), ['abcd', 'efgh', 'ij']);
});

test('onread is told all of it, however early the end of the peer is here', async (t) => {
  t.deepEqual(await readByFours(t, peerEnded), ['abcd', 'efgh', 'ij']);
});

test('onread with nowhere to read to fails', async (t) => {
  const port = await listen(t, calm(tls.createServer(identity, (socket) => void socket.end('abcdefghij'))));
  const onread = { buffer: Buffer.alloc(0), callback: () => t.fail() };
  const socket = tls.connect({ host: HOST, port, ca, servername: 'localhost', onread });
  await t.throwsAsync(once(socket, 'end'), { code: 'ENOBUFS', message: 'read ENOBUFS' });
});

test('who reads once for each readable gets everything', async (t) => {
  const sizes = [1, 16_000, 60_000, 70_000, 200_000];
  const port = await listen(
    t,
    calm(
      tls.createServer(identity, (socket) => {
        // Each size as soon as the one before was read.
        socket.on('data', () => void socket.write(Buffer.alloc(sizes[0]!)));
      }),
    ),
  );
  const socket = tls.connect({ host: HOST, port, ca, servername: 'localhost' });
  t.teardown(() => socket.destroy());
  let left = 0;
  const next = (): void => {
    left = sizes[0]!;
    socket.write('next');
  };
  await new Promise<void>((resolve) => {
    socket.on('readable', () => {
      left -= ((socket.read() as Buffer | null) ?? Buffer.alloc(0)).length;
      if (left > 0) return;
      sizes.shift();
      if (sizes.length > 0) next();
      else resolve();
    });
    next();
  });
  t.is(left, 0);
});

test('who listens to connection is told of TCP connections, and they are served', async (t) => {
  const server = calm(tls.createServer(identity));
  const connections: unknown[] = [];
  server.on('connection', (socket) => connections.push(socket));
  const port = await listen(t, server);
  const client = node.connect({ host: HOST, port, ca });
  t.teardown(() => client.destroy());
  const [[secure]] = (await Promise.all([once(server, 'secureConnection'), once(client, 'secureConnect')])) as [
    [tls.TLSSocket],
    unknown,
  ];
  t.true(secure instanceof tls.TLSSocket);
  t.is(connections.length, 1);
  t.true(connections[0] instanceof net.Socket);
});

test('what is sent can be marked, and a ticket told', async (t) => {
  const port = await listen(
    t,
    calm(tls.createServer({ ...identity, maxVersion: 'TLSv1.2' }, (socket) => void socket.end('done'))),
  );
  const socket = tls.connect({ host: HOST, port, ca, servername: 'localhost' });
  t.is(socket.getTLSTicket(), undefined);
  t.is(socket.setTypeOfService(0x20).getTypeOfService(), 0x20);
  t.throws(() => socket.setTypeOfService(256), { code: 'ERR_OUT_OF_RANGE' });
  await once(socket, 'secureConnect');
  t.is(socket.getTypeOfService(), 0x20);
  const ticket = socket.getTLSTicket()!;
  t.true(socket.getSession()!.includes(ticket));
  t.true(ticket.length > 100);
  socket.setTypeOfService(0);
  t.is(socket.getTypeOfService(), 0);
  await once(socket.resume(), 'close');
});

test('the messages of both sides are traced, and no secret', async (t) => {
  const program = fileURLToPath(new URL('../support/traced.js', import.meta.url));
  const child = start(t, process.execPath, [program]);
  const [traced, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  t.is(code, 0, traced);
  for (const side of ['sent', 'received']) {
    for (const message of ['ClientHello', 'ServerHello', 'Certificate', 'Finished', 'alert 0, warning']) {
      t.true(traced.includes(`${side} ${message}, `), `${side} ${message}: ${traced}`);
    }
  }
  t.regex(traced, /^(TLS 0x[0-9a-f]+ (sent|received) [\w ,]+, \d+ bytes\n)+$/);
});
