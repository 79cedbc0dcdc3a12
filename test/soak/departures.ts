// Clients that go while their handshake is paused: how soon the signer's signal aborts, and nothing is left of it.

import { once } from 'node:events';
import * as net from 'node:net';
import * as tls from 'node:tls';

import { type Address, createContext, createRemoteKey, createServer, metrics } from 'libssl-async';

import { authority, serverIdentity } from '../support/identities.ts';
import { withResolvers } from '../support/peers.ts';
import { growth } from '../support/remote-keys.ts';
import { isIdle, turns } from '../support/waiting.ts';
import { Ledger } from './ledger.ts';

const host = '127.0.0.1';

const WAYS: Record<string, (socket: net.Socket) => void> = {
  closes: (socket) => socket.destroy(),
  resets: (socket) => socket.resetAndDestroy(),
  'ends its direction': (socket) => socket.end(),
};

/** Has so many clients go in each way, one after the other. */
export async function departures(count: number): Promise<Ledger> {
  const ledger = new Ledger();
  let asked = withResolvers<AbortSignal>();
  const key = createRemoteKey({
    certificate: serverIdentity.cert,
    sign: ({ signal }) => {
      asked.resolve(signal);
      return new Promise(() => {});
    },
  });
  const server = createServer({ context: createContext({ key, cert: serverIdentity.cert }) });
  server.on('tlsClientError', (error) => ledger.fail('server handshake', error));
  const { port } = (await server.listen({ host })) as Address;
  const before = metrics();

  for (const [way, leave] of Object.entries(WAYS)) {
    const times: Record<'aborted' | 'gone', number[]> = { aborted: [], gone: [] };
    for (let client = 0; client < count; client++) {
      asked = withResolvers();
      const socket = net.connect({ port, host, allowHalfOpen: true });
      const peer = tls.connect({ socket, ca: authority.cert }).on('error', () => {});
      const aborted = once(await asked.promise, 'abort').then(() => performance.now());
      const left = performance.now();
      leave(socket);
      times.aborted.push((await aborted) - left);
      while (!isIdle()) await turns(1);
      times.gone.push(performance.now() - left);
      peer.destroy();
      socket.destroy();
    }
    for (const [what, numbers] of Object.entries(times)) {
      const sorted = numbers.toSorted((one, other) => one - other);
      const told = [0.5, 0.99, 1].map((part) => sorted[Math.ceil(part * sorted.length) - 1]!.toFixed(2));
      ledger.count(`${what} when a client ${way}`, `ms, median ${told[0]}, 99 % ${told[1]}, most ${told[2]}`);
    }
  }

  await server.close();
  const { failed, drained, pauses, resumes } = growth(before);
  const all = count * Object.keys(WAYS).length;
  if (failed !== all || drained > all || pauses !== resumes) ledger.fault(JSON.stringify(growth(before)));
  if (key.pending > 0) ledger.fault(`${key.pending} requests are pending`);
  return ledger;
}
