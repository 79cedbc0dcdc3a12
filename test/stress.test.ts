// Many handshakes at once, most of which are meant to go wrong.

import { once } from 'node:events';

import type { ExecutionContext } from 'ava';
import { createContext, metrics } from 'libssl-async';

import { randomBytes, receive, echo } from './support/bytes.ts';
import { overDriversSerially } from './support/drivers.ts';
import { serverIdentity } from './support/identities.ts';
import { closed, nodeClientSocket, serve } from './support/peers.ts';
import { tcpClient } from './support/proxy.ts';
import { growth, remote, signatureOf } from './support/remote-keys.ts';
import { descriptors, eventually, isIdle } from './support/waiting.ts';

const HANDSHAKES = 500;
const AT_ONCE = 32;

type Fate = 'echo' | 'throw' | 'late' | 'never' | 'junk' | 'reset' | 'gone';
const FATES: readonly Fate[] = ['echo', 'echo', 'echo', 'throw', 'late', 'never', 'junk', 'reset', 'gone'];

overDriversSerially('hundreds of handshakes, good and bad, leave nothing behind', async (t, recordIO) => {
  const before = metrics();
  let signatures = 0;
  // Whose request it is, a signer cannot tell: the fate of requests is drawn by itself.
  const { key } = remote(serverIdentity, {
    timeout: 200,
    sign: (request) => {
      const fate = FATES[signatures++ % FATES.length]!;
      if (fate === 'throw') throw new Error('meant to be');
      if (fate === 'never') return new Promise(() => {});
      const signature = signatureOf(request, serverIdentity.privateKey);
      if (fate === 'late') return new Promise((resolve) => setImmediate(() => resolve(signature)));
      return signature;
    },
  });
  const context = createContext({ key, cert: serverIdentity.cert });
  const { server, port } = await serve(t, { recordIO, context });
  server.on('connection', (connection) => void echo(connection).catch(() => {}));
  const counted = { good: 0, bad: 0 };
  await client(t, port, 'echo', counted);
  const idle = (): boolean => isIdle() && server.connections === 0;
  t.true(await eventually(idle));
  const open = descriptors();

  let begun = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (begun < HANDSHAKES) await client(t, port, FATES[begun++ % FATES.length]!, counted);
    }),
  );

  t.true(await eventually(() => idle() && descriptors() <= open), `${descriptors()} in place of ${open}`);
  const grown = growth(before);
  t.like(grown, { inFlight: 0, paused: 0, leaked: 0, againRetries: 0 });
  t.is(grown.pauses, grown.resumes);
  t.is(grown.pauses, grown.callbacks);
  // A request whose client has gone by its turn never comes to the signer.
  t.true(signatures > 0 && signatures <= grown.pauses);
  t.true(await eventually(() => key.pending === 0));
  t.true(counted.good > 50 && counted.bad > 50, JSON.stringify(counted));
});

/** One client, whose end is as its fate says; the signer may spoil it in any case. */
async function client(
  t: ExecutionContext,
  port: number,
  fate: Fate,
  counted: { good: number; bad: number },
): Promise<void> {
  if (fate === 'junk' || fate === 'reset') {
    const socket = await tcpClient(t, port);
    if (fate === 'reset') socket.resetAndDestroy();
    else socket.resume().end(randomBytes(300));
    return closed(socket);
  }
  const socket = nodeClientSocket(t, port);
  if (fate === 'gone') {
    await once(socket, 'connect').catch(() => {});
    socket.destroy();
    return closed(socket);
  }
  try {
    await once(socket, 'secureConnect');
    const bytes = randomBytes(50_000);
    socket.write(bytes);
    t.true((await receive(socket, bytes.length)).equals(bytes));
    counted.good++;
  } catch {
    counted.bad++;
  }
  socket.resume().end();
  return closed(socket);
}
