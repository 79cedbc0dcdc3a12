// Options of new TLSSocket, over a TCP connection that is there already.

import { once } from 'node:events';
import * as net from 'node:net';
import * as node from 'node:tls';
import type { TLSSocket, TLSSocketOptions } from 'node:tls';

import { issue } from '../../support/certificates.ts';
import { authority, clientIdentity } from '../../support/identities.ts';
import { HOST } from '../../support/peers.ts';
import { type Bench, type Probe, codeOf, identity, only, outcomeOf, trust } from './bench.ts';

const other = issue({ issuer: authority, subject: 'other' });
const OCSP_RESPONSE = Buffer.from('30030a0101', 'hex');

interface Sides {
  /** What came of the client's handshake. */
  readonly outcome: Promise<string>;
  readonly client: TLSSocket;
  /** What came of the server's. */
  readonly secured: Promise<string>;
  readonly server: TLSSocket;
}

/** A server's socket that is looked into, and a client of node:tls. */
async function asServer(bench: Bench, options: TLSSocketOptions, client: node.ConnectionOptions = {}): Promise<Sides> {
  const listening = net.createServer();
  const port = await bench.listen(listening);
  const accepted = once(listening, 'connection') as Promise<[net.Socket]>;
  const connecting = bench.connect(node, { port, ...trust, ...client });
  const outcome = outcomeOf(connecting);
  const secureContext = bench.tls.createSecureContext({ ...identity, ca: authority.cert });
  const settings = { isServer: true, secureContext, ...options };
  const server = bench.keep(new bench.tls.TLSSocket((await accepted)[0], settings));
  return { outcome, client: connecting, secured: secure(server), server };
}

/** A client's socket that is looked into, and a server of node:tls. */
async function asClient(
  bench: Bench,
  options: TLSSocketOptions,
  server: node.TlsOptions = {},
): Promise<{
  secured: Promise<string>;
  client: TLSSocket;
  accepted: Promise<TLSSocket>;
  server: node.Server;
  port: number;
}> {
  const serving = await bench.serve(node, { ...identity, ...server });
  const accepted = once(serving.server, 'secureConnection').then(([socket]) => socket as TLSSocket);
  const client = bench.keep(new bench.tls.TLSSocket(net.connect(serving.port, HOST), options));
  begin(client);
  return { ...serving, secured: secure(client), client, accepted };
}

/** With node:tls, the handshake of a client begins when there is something to write. */
function begin(socket: TLSSocket): void {
  socket.write('x');
}

async function secure(socket: TLSSocket): Promise<string> {
  try {
    await once(socket, 'secure');
    return 'secure';
  } catch (error) {
    return codeOf(error);
  }
}

/** The name of the certificate that a client is shown. */
async function shown(bench: Bench, options: TLSSocketOptions): Promise<unknown> {
  const { outcome, client } = await asServer(bench, options, { checkServerIdentity: () => undefined });
  return [await outcome, client.getPeerCertificate().subject?.CN];
}

/** The protocol that was chosen of two that a client offers. */
async function chosen(bench: Bench, options: TLSSocketOptions): Promise<unknown> {
  const { outcome, client } = await asServer(bench, options, { ALPNProtocols: ['one', 'other'] });
  return [await outcome, client.alpnProtocol];
}

export const SOCKET_OPTIONS: Readonly<Record<string, Probe>> = {
  ALPNCallback: (bench, given) =>
    chosen(bench, only<TLSSocketOptions>(given, { ALPNCallback: ({ protocols }) => protocols[1] })),
  ALPNProtocols: async (bench, given) => {
    const { secured, client } = await asClient(bench, only(given, { ALPNProtocols: ['one', 'other'] }), {
      ALPNProtocols: ['other'],
    });
    return [await secured, client.alpnProtocol];
  },
  SNICallback: (bench, given) => {
    const context = bench.tls.createSecureContext({ key: other.key, cert: other.cert });
    return shown(bench, only<TLSSocketOptions>(given, { SNICallback: (_name, done) => done(null, context) }));
  },
  isServer: async (bench, given) => {
    if (given) return (await asServer(bench, {})).outcome;
    const listening = net.createServer((socket) => bench.keep(new bench.tls.TLSSocket(bench.keep(socket))).write('x'));
    const peer = bench.keep(net.connect(await bench.listen(listening), HOST));
    const [hello] = (await once(peer, 'data')) as [Buffer];
    return `message ${hello[5]}`;
  },
  rejectUnauthorized: async (bench, given) => {
    const { secured } = await asServer(bench, { requestCert: true, ...only(given, { rejectUnauthorized: false }) });
    return secured;
  },
  requestCert: async (bench, given) => {
    const { key, cert } = clientIdentity;
    const { secured, server } = await asServer(bench, only(given, { requestCert: true }), { key, cert });
    return [await secured, server.getPeerCertificate().subject?.CN];
  },
  secureContext: async (bench, given) => {
    const secureContext = bench.tls.createSecureContext({ maxVersion: 'TLSv1.2' });
    const { secured, client } = await asClient(bench, only(given, { secureContext }));
    return [await secured, client.getProtocol()];
  },
};

export const SOCKET_BEYOND_NODE: Readonly<Record<string, [expected: unknown, probe: Probe]>> = {
  requestOCSP: [
    ['secure', OCSP_RESPONSE.toString('hex')],
    async (bench, given) => {
      const { secured, client, server } = await asClient(bench, only(given, { requestOCSP: true }));
      server.on('OCSPRequest', (_cert, _issuer, done: (error: null, response: Buffer) => void) =>
        done(null, OCSP_RESPONSE),
      );
      let response: string | undefined = 'none';
      client.on('OCSPResponse', (told: Buffer | null) => (response = told?.toString('hex')));
      return [await secured, response];
    },
  ],
  // Node 20 resumes it, 22 and later do not.
  session: [
    ['secure', true],
    async (bench, given) => {
      const secureContext = bench.tls.createSecureContext({ maxVersion: 'TLSv1.2' });
      const first = await asClient(bench, { secureContext });
      await first.secured;
      const session = first.client.getSession()!;
      const again = new bench.tls.TLSSocket(net.connect(first.port, HOST), {
        secureContext,
        ...only(given, { session }),
      });
      begin(again);
      return [await secure(bench.keep(again)), again.isSessionReused()];
    },
  ],
};
