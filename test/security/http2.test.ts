// HTTP/2 over connections whose peer breaks them: an error of its session, never of the process (CVE-2025-59465: node's
// server ended with what its socket failed with).

import { once } from 'node:events';
import * as http2 from 'node:http2';
import type { TLSSocket } from 'node:tls';

import type { ExecutionContext } from 'ava';
import { createContext } from 'libssl-async';

import { type Driver, overDrivers } from '../support/drivers.ts';
import { serverIdentity } from '../support/identities.ts';
import { nodeClient, serve } from '../support/peers.ts';
import { type Carried, proxy } from '../support/proxy.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
/** HEADERS that cannot be decompressed. */
const MALFORMED = Buffer.from([0, 0, 4, 1, 4, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
/** A TLS record of a kind that there is not. */
const NO_RECORD = Buffer.from([0xff, 3, 3, 0, 4, 0, 0, 0, 0]);

/** A server of ours and one of HTTP/2 over it, and a peer that has begun a session. */
async function begun(
  t: ExecutionContext,
  recordIO: Driver,
): Promise<{ port: number; session: http2.ServerHttp2Session; peer: TLSSocket; carried: Carried }> {
  const { key, cert } = serverIdentity;
  const { server, port } = await serve(t, { recordIO, context: createContext({ key, cert, ALPNProtocols: ['h2'] }) });
  const web = http2.createServer((_request, response) => response.end('served'));
  server.on('connection', (connection) => void web.emit('connection', connection.toDuplex()));
  const sessions = once(web, 'session') as Promise<[http2.ServerHttp2Session]>;
  const through = await proxy(t, port);
  const peer = await nodeClient(t, through.port, { ALPNProtocols: ['h2'] });
  peer.write(Buffer.concat([PREFACE, SETTINGS]));
  const [[session], carried] = await Promise.all([sessions, through.carried]);
  // Its settings come: it is under way.
  await once(peer, 'data');
  return { port, session, peer, carried };
}

/** Somebody else is served. */
async function isServed(t: ExecutionContext, port: number): Promise<void> {
  const socket = await nodeClient(t, port, { ALPNProtocols: ['h2'] });
  const client = http2.connect('http://localhost', { createConnection: () => socket });
  t.teardown(() => client.destroy());
  const request = client.request({ ':path': '/' });
  const [headers] = (await once(request, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
  t.is(headers[':status'], 200);
}

const BREAKING: Record<string, (peer: TLSSocket, carried: Carried) => void> = {
  'sends a frame that is malformed, and resets': (peer, { server }) => {
    peer.write(MALFORMED);
    // The answer is GOAWAY.
    peer.once('data', () => server.resetAndDestroy());
  },
  'sends what is no record': (_peer, { server }) => void server.write(NO_RECORD),
  resets: (_peer, { server }) => void server.resetAndDestroy(),
  'ends without close_notify': (_peer, { server }) => void server.end(),
};

for (const [what, breakIt] of Object.entries(BREAKING)) {
  overDrivers(`a peer that ${what} ends its session alone`, async (t, recordIO) => {
    const { port, session, carried, peer } = await begun(t, recordIO);
    const ended = once(session, 'close').catch(() => {});
    breakIt(peer, carried);
    await ended;
    await isServed(t, port);
    t.pass();
  });
}

// Node's wrapper of a stream has an assertion fail then, and with it the process; peers that end at the wrong moment bring it about.
overDrivers('a session that writes while its connection is being ended ends alone', async (t, recordIO) => {
  const { port, session } = await begun(t, recordIO);
  const ended = once(session, 'close').catch(() => {});
  // What users have as the socket refuses that; the wrapper itself does not.
  session.socket.setMaxListeners(0).end();
  session.ping(() => {});
  session.destroy();
  await ended;
  await isServed(t, port);
});
