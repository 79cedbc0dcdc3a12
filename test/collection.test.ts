// What V8's short collections, of young objects, have to do with connections that are closed: nothing.

import { collect } from './support/collect.ts';
import { overDriversSerially } from './support/drivers.ts';
import { accepted, closed, nodeClient, serve } from './support/peers.ts';
import { turns } from './support/waiting.ts';

const CONNECTIONS = 50;
/** In words of 8 bytes: so much that it shows, and not so much that V8 has it for a large object. */
const BALLAST = 10_000;

overDriversSerially('a closed connection does not outlive a short collection', async (t, recordIO) => {
  const { server, port } = await serve(t, { recordIO });
  const pass = async (): Promise<void> => {
    const [connection, peer] = await Promise.all([accepted(server), nodeClient(t, port)]);
    Object.assign(connection, { ballast: Array.from({ length: BALLAST }, () => 0) });
    connection.destroy();
    peer.destroy();
    await closed(peer);
  };
  await pass();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let count = 0; count < CONNECTIONS; count++) await pass();
  await turns();
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  const kept = process.memoryUsage().heapUsed - before;
  t.true(kept < (CONNECTIONS * BALLAST * 8) / 2, `${kept} bytes`);
});
