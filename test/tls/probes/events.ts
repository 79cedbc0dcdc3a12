// Events of servers and sockets: what they are told with.

import { constants } from 'node:crypto';
import { once } from 'node:events';
import * as net from 'node:net';
import * as node from 'node:tls';

import { HOST } from '../../support/peers.ts';
import { type Bench, type ClientOptions, type Probe, identity, trust } from './bench.ts';

const tls12 = { maxVersion: 'TLSv1.2' } as const;

/** What an event is told with: of objects and functions, what they are. */
function shapes(args: unknown[]): unknown[] {
  return args.map((value) => {
    if (Buffer.isBuffer(value)) return value.length > 0 ? 'Buffer' : 'no bytes';
    if (value instanceof Error) return `Error ${(value as NodeJS.ErrnoException).code}`;
    if (value instanceof net.Server) return 'Server';
    if (typeof value !== 'object' || value === null) return typeof value === 'function' ? 'function' : value;
    if ('remotePort' in value && 'destroy' in value) return 'socket';
    return Object.keys(value).toSorted();
  });
}

async function told(emitter: NodeJS.EventEmitter, event: string): Promise<unknown[]> {
  return new Promise((resolve) => emitter.once(event, (...args) => resolve(args)));
}

/** An event of a server that is looked into, which a client is served by. */
async function ofServer(
  bench: Bench,
  event: string,
  {
    server: options = {},
    client = {},
    prepare = () => {},
  }: { server?: node.TlsOptions; client?: ClientOptions; prepare?: (server: node.Server) => unknown } = {},
): Promise<unknown> {
  const server = bench.tls.createServer({ ...identity, ...options });
  server.on('secureConnection', (socket) => bench.keep(socket));
  const heard = told(server, event);
  prepare(server);
  const port = await bench.listen(server);
  bench.connect(node, { port, ...trust, ...client });
  return shapes(await heard);
}

/** An event of a client that is looked into. */
async function ofClient(
  bench: Bench,
  event: string,
  {
    client = {},
    server: options = {},
    onSocket = () => {},
    onClient = () => {},
  }: {
    client?: ClientOptions;
    server?: node.TlsOptions;
    onSocket?: (socket: node.TLSSocket) => unknown;
    onClient?: (socket: node.TLSSocket) => unknown;
  } = {},
): Promise<unknown> {
  const { server, port } = await bench.serve(node, { ...identity, ...options });
  server.on('secureConnection', onSocket);
  server.on('OCSPRequest', (_cert, _issuer, done: (error: null, response: null) => void) => done(null, null));
  const socket = bench.connect(bench.tls, { port, ...trust, ...client });
  onClient(socket);
  return shapes(await told(socket, event));
}

const lookup: net.LookupFunction = (_name, { all }, callback) => {
  setImmediate(() => {
    if (all) callback(null, [{ address: HOST, family: 4 }]);
    else callback(null, HOST, 4);
  });
};

/** A session of a server for its clients. */
async function sessions(bench: Bench, event: 'newSession' | 'resumeSession'): Promise<unknown> {
  const { server, port } = await bench.serve(bench.tls, {
    ...identity,
    ...tls12,
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
  const kept = new Map<string, Buffer>();
  const heard: unknown[][] = [];
  server.on('newSession', (...args: [Buffer, Buffer, () => void]) => {
    if (event === 'newSession') heard.push(shapes(args));
    kept.set(args[0].toString('hex'), args[1]);
    args[2]();
  });
  server.on('resumeSession', (...args: [Buffer, (error: null, session: Buffer | null) => void]) => {
    if (event === 'resumeSession') heard.push(shapes(args));
    args[1](null, kept.get(args[0].toString('hex')) ?? null);
  });
  const first = bench.connect(node, { port, ...trust });
  await once(first, 'secureConnect');
  const again = bench.connect(node, { port, ...trust, session: first.getSession()! });
  await once(again, 'secureConnect');
  return [heard, again.isSessionReused()];
}

export const SERVER_EVENTS: Readonly<Record<string, Probe>> = {
  OCSPRequest: (bench) => ofServer(bench, 'OCSPRequest', { client: { requestOCSP: true } }),
  close: async (bench) => {
    const { server } = await bench.serve(bench.tls);
    return shapes(await told(server.close(), 'close'));
  },
  connection: (bench) => ofServer(bench, 'connection'),
  drop: (bench) =>
    ofServer(bench, 'drop', {
      prepare(server) {
        server.maxConnections = 1;
        server.on('secureConnection', () =>
          bench.connect(node, { port: (server.address() as net.AddressInfo).port, ...trust }),
        );
      },
    }),
  error: async (bench) => {
    const taken = await bench.listen(net.createServer());
    const server = bench.tls.createServer(identity).listen(taken, HOST);
    return shapes(await told(server, 'error'));
  },
  keylog: (bench) => ofServer(bench, 'keylog'),
  listening: (bench) => ofServer(bench, 'listening'),
  newSession: (bench) => sessions(bench, 'newSession'),
  resumeSession: (bench) => sessions(bench, 'resumeSession'),
  secureConnection: (bench) => ofServer(bench, 'secureConnection'),
  tlsClientError: (bench) => ofServer(bench, 'tlsClientError', { server: { minVersion: 'TLSv1.3' }, client: tls12 }),
};

export const SOCKET_EVENTS: Readonly<Record<string, Probe>> = {
  OCSPResponse: (bench) => ofClient(bench, 'OCSPResponse', { client: { requestOCSP: true } }),
  close: (bench) =>
    ofClient(bench, 'close', {
      onSocket: (socket) => socket.end('bye'),
      onClient: (socket) => socket.resume(),
    }),
  connect: (bench) => ofClient(bench, 'connect'),
  data: (bench) => ofClient(bench, 'data', { onSocket: (socket) => socket.write('hello') }),
  drain: (bench) =>
    ofClient(bench, 'drain', {
      onSocket: (socket) => socket.resume(),
      onClient: (socket) => socket.write(Buffer.alloc(1_000_000)),
    }),
  end: (bench) =>
    ofClient(bench, 'end', { onSocket: (socket) => socket.end('bye'), onClient: (socket) => socket.resume() }),
  error: (bench) => ofClient(bench, 'error', { client: { ca: [] } }),
  keylog: (bench) => ofClient(bench, 'keylog'),
  lookup: (bench) => ofClient(bench, 'lookup', { client: { host: 'a.name', lookup } }),
  ready: (bench) => ofClient(bench, 'ready'),
  secureConnect: (bench) => ofClient(bench, 'secureConnect'),
  session: (bench) => ofClient(bench, 'session', { onSocket: (socket) => socket.write('x') }),
  timeout: (bench) => ofClient(bench, 'timeout', { onClient: (socket) => socket.setTimeout(20) }),
};
