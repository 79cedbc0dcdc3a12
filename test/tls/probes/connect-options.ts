// Options of connect.

import * as dns from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as node from 'node:tls';
import type { TLSSocket } from 'node:tls';

import { issue } from '../../support/certificates.ts';
import { authority, serverIdentity } from '../../support/identities.ts';
import { HOST } from '../../support/peers.ts';
import { type Bench, type ClientOptions, type Probe, codeOf, only, outcomeOf, trust } from './bench.ts';
import { keepAliveOf } from './kernel.ts';

const PSK = { maxVersion: 'TLSv1.2', ciphers: 'PSK-AES128-GCM-SHA256' } as const;
const SECRET = Buffer.alloc(32, 7);
/** That the request was malformed, in DER. */
const OCSP_RESPONSE = Buffer.from('30030a0101', 'hex');

/** What came of a handshake, and what either end has to say of it. */
async function said(
  bench: Bench,
  options: ClientOptions,
  { ofClient, ofServer }: { ofClient?: (socket: TLSSocket) => unknown; ofServer?: (socket: TLSSocket) => unknown },
  server: node.TlsOptions = {},
): Promise<unknown> {
  const { client, outcome, accepted } = await bench.meetClient(options, { server });
  const came = await outcome;
  if (came !== 'secure') return came;
  return [ofClient?.(client), ofServer?.(await accepted)];
}

/** What a function that resolves names was asked. */
async function asked(bench: Bench, options: ClientOptions): Promise<unknown> {
  const questions: unknown[] = [];
  const lookup: net.LookupFunction = (name, { all, family, hints }, callback) => {
    questions.push([name, family ?? 0, hints ?? 0]);
    if (all) callback(null, [{ address: HOST, family: 4 }]);
    else callback(null, HOST, 4);
  };
  const { outcome } = await bench.meetClient({ host: 'a.name', lookup, ...options });
  return [await outcome, questions];
}

/** In about how many hundreds of seconds a server is probed that is silent. */
async function probed(bench: Bench, options: ClientOptions): Promise<unknown> {
  const { outcome, client } = await bench.meetClient(options);
  await outcome;
  const seconds = await keepAliveOf(client);
  return seconds === undefined ? 'never' : Math.ceil(seconds / 100);
}

/** Whether a client hears what a server says when that has ended first. */
async function answered(bench: Bench, options: ClientOptions): Promise<string> {
  const { accepted, client, outcome } = await bench.meetClient(options, { server: { allowHalfOpen: true } });
  const [socket] = await Promise.all([accepted, outcome]);
  client.resume().on('end', () => setImmediate(() => client.end('late')));
  let text = '';
  socket.on('data', (data) => (text += String(data)));
  socket.end();
  await once(socket, 'end');
  return text;
}

/** Finds one that refuses, and one that does not. */
const findsTwo: net.LookupFunction = (_name, { all }, callback) => {
  const addresses = [
    { address: '::1', family: 6 },
    { address: HOST, family: 4 },
  ];
  if (all) callback(null, addresses);
  else callback(null, '::1', 6);
};

const finds: net.LookupFunction = (_name, { all }, callback) => {
  if (all) callback(null, [{ address: HOST, family: 4 }]);
  else callback(null, HOST, 4);
};

export const CONNECT_OPTIONS: Readonly<Record<string, Probe>> = {
  ALPNProtocols: (bench, given) =>
    said(
      bench,
      only(given, { ALPNProtocols: ['one', 'other'] }),
      { ofClient: ({ alpnProtocol }) => alpnProtocol },
      {
        ALPNProtocols: ['other'],
      },
    ),
  allowHalfOpen: (bench, given) => answered(bench, only(given, { allowHalfOpen: true })),
  autoSelectFamily: async (bench, given) => {
    const { outcome } = await bench.meetClient({ host: 'a.name', lookup: findsTwo, autoSelectFamily: given });
    return outcome;
  },
  checkServerIdentity: (bench, given) =>
    said(bench, only(given, { checkServerIdentity: () => new Error('somebody else') }), {}),
  family: (bench, given) => asked(bench, only(given, { family: 4 })),
  highWaterMark: (bench, given) =>
    said(bench, only(given, { highWaterMark: 4321 }), {
      ofClient: ({ readableHighWaterMark }) => readableHighWaterMark,
    }),
  hints: (bench, given) => asked(bench, only(given, { hints: dns.ADDRCONFIG })),
  host: (bench, given) =>
    said(bench, { host: given ? '127.0.0.1' : '127.0.0.2' }, { ofServer: ({ localAddress }) => localAddress }),
  localAddress: (bench, given) =>
    said(bench, only(given, { localAddress: '127.0.0.3' }), {
      ofServer: ({ remoteAddress }) => remoteAddress,
    }),
  localPort: async (bench, given) => {
    const spare = net.createServer();
    const localPort = await bench.listen(spare);
    await once(spare.close(), 'close');
    return said(bench, only(given, { localPort }), {
      ofServer: ({ remotePort }) => remotePort === localPort,
    });
  },
  lookup: async (bench, given) => {
    const { outcome } = await bench.meetClient({ host: 'a.name.invalid', ...only(given, { lookup: finds }) });
    return (await outcome) === 'secure';
  },
  minDHSize: async (bench, given) => {
    const { key, cert } = issue({ issuer: authority, type: 'rsa-2048' });
    const server = { key, cert, dhparam: 'auto', ciphers: 'DHE-RSA-AES128-GCM-SHA256' };
    const options = { maxVersion: 'TLSv1.2', ciphers: server.ciphers, ...only(given, { minDHSize: 4096 }) } as const;
    return said(bench, options, { ofClient: (socket) => socket.getEphemeralKeyInfo() }, server);
  },
  onread: async (bench, given) => {
    const read: string[] = [];
    const buffer = Buffer.alloc(4);
    const onread = { buffer, callback: (count: number) => read.push(buffer.toString('latin1', 0, count)) > 0 };
    const { client, accepted } = await bench.meetClient(only(given, { onread }));
    (await accepted).end('abcdefghij');
    if (!given) client.on('data', (data) => read.push(String(data)));
    await once(client, 'end');
    return read;
  },
  path: async (bench, given) => {
    const folder = await mkdtemp(join(tmpdir(), 'libssl-async-'));
    bench.defer(() => rm(folder, { recursive: true }));
    const path = join(folder, 'socket');
    const server = node.createServer({ key: serverIdentity.key, cert: serverIdentity.cert });
    server.on('secureConnection', (socket) => bench.keep(socket));
    server.listen(path);
    await once(server, 'listening');
    bench.defer(() => server.close());
    const spare = await bench.listen(net.createServer((socket) => socket.destroy()));
    const socket = bench.keep(bench.tls.connect({ ...trust, port: spare, host: HOST, ...only(given, { path }) }));
    return outcomeOf(socket);
  },
  port: async (bench, given) => {
    const { port } = await bench.serve(node);
    try {
      return await outcomeOf(bench.keep(bench.tls.connect({ ...trust, host: HOST, ...only(given, { port }) })));
    } catch (error) {
      return codeOf(error);
    }
  },
  pskCallback: (bench, given) =>
    said(
      bench,
      {
        ...PSK,
        checkServerIdentity: () => undefined,
        ...only(given, { pskCallback: () => ({ psk: SECRET, identity: 'me' }) }),
      },
      { ofClient: (socket) => socket.getCipher().name },
      { ...PSK, pskCallback: (_socket, name) => (name === 'me' ? SECRET : null) },
    ),
  rejectUnauthorized: (bench, given) =>
    said(
      bench,
      { ca: [], ...only(given, { rejectUnauthorized: false }) },
      {
        ofClient: ({ authorized, authorizationError }) => [authorized, String(authorizationError)],
      },
    ),
  requestOCSP: async (bench, given) => {
    const { server, port } = await bench.serve(node);
    server.on('OCSPRequest', (_cert, _issuer, done: (error: null, response: Buffer) => void) =>
      done(null, OCSP_RESPONSE),
    );
    const socket = bench.connect(bench.tls, { ...trust, port, ...only(given, { requestOCSP: true }) });
    let response: unknown = 'none';
    socket.on('OCSPResponse', (told: Buffer | null) => (response = told?.toString('hex')));
    return [await outcomeOf(socket), response];
  },
  secureContext: (bench, given) =>
    said(
      bench,
      {
        ca: undefined,
        ...only(given, { secureContext: bench.tls.createSecureContext({ ca: authority.cert }) }),
      },
      {},
    ),
  servername: (bench, given) =>
    said(bench, { servername: given ? 'localhost' : '' }, { ofServer: ({ servername }) => servername }),
  session: async (bench, given) => {
    const options = { maxVersion: 'TLSv1.2' } as const;
    const first = await bench.meetClient(options);
    await first.outcome;
    const session = first.client.getSession()!;
    const again = bench.connect(bench.tls, { ...trust, ...options, port: first.port, ...only(given, { session }) });
    return [await outcomeOf(again), again.isSessionReused()];
  },
  signal: async (bench, given) => {
    const { outcome } = await bench.meetClient(only(given, { signal: AbortSignal.abort() }));
    return outcome;
  },
  socket: async (bench, given) => {
    const { port } = await bench.serve(node);
    const other = await bench.listen(net.createServer((socket) => socket.destroy()));
    const socket = bench.keep(net.connect(port, HOST));
    return outcomeOf(bench.connect(bench.tls, { ...trust, port: other, ...only(given, { socket }) }));
  },
  timeout: async (bench, given) => {
    const { client } = await bench.meetClient(only(given, { timeout: 20 }));
    if (given) await once(client, 'timeout');
    return client.timeout;
  },
};

export const CONNECT_BEYOND_NODE: Readonly<Record<string, [expected: unknown, probe: Probe]>> = {
  keepAlive: [72, (bench, given) => probed(bench, only(given, { keepAlive: true }))],
  keepAliveInitialDelay: [
    3,
    (bench, given) => probed(bench, { keepAlive: true, ...only(given, { keepAliveInitialDelay: 250_000 }) }),
  ],
};
