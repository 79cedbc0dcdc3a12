// Handshakes that wait for an engine which never answers, and then something that ends the process: run by hanging.test.ts
// with the path of the engine.

import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tls from 'node:tls';

import { type Address, configure, createContext, createServer, loadEngine, metrics } from 'libssl-async/host';

import { issue, issueAuthority } from '../../support/certificates.ts';
import { METHODS, counters } from './accelerator.ts';

const HANDSHAKES = 20;
const host = '127.0.0.1';
const [, , path = '', what = ''] = process.argv;

if (what === 'close' || what === 'timeout') configure({ drainTimeout: 50 });
const engine = await loadEngine({ path, methods: METHODS });
engine.control('HOLD', 1);
const authority = issueAuthority();
const { key, cert } = issue({ issuer: authority, type: 'rsa-2048' });
const context = createContext({ key, cert, groups: 'X25519', minVersion: 'TLSv1.3' });
const server = createServer({ context, ...(what === 'timeout' && { handshakeTimeout: 1000 }) });
const codes = new Set<string | undefined>();
const failed = new Promise<void>((resolve) => {
  let count = 0;
  server.on('tlsClientError', ({ code }: NodeJS.ErrnoException) => {
    codes.add(code);
    if (++count === HANDSHAKES) resolve();
  });
});
const { port } = (await server.listen({ host })) as Address;
const clients = Array.from({ length: HANDSHAKES }, () =>
  tls.connect({ port, host, ca: authority.cert }).on('error', () => {}),
);
const expected = what === 'timeout' ? 0 : HANDSHAKES;
while (metrics().paused < expected) await nextTurn();

switch (what) {
  case 'exit':
    process.exit(7);
  case 'unref':
    server.unref();
    for (const client of clients) client.unref();
    process.once('beforeExit', () => console.log(`${metrics().paused} are paused`));
    break;
  case 'timeout':
    await failed;
    while (metrics().leaked < metrics().pauses) await nextTurn();
    server.unref();
    console.log(`${[...codes].join()}; ${metrics().drained} drained`);
    break;
  case 'close': {
    const closed = Promise.all(clients.map((client) => new Promise((resolve) => client.once('close', resolve))));
    const { drained, leaked } = await server.close();
    await closed;
    console.log(`closed: ${drained} drained, ${leaked} left; of all ${metrics().leaked}`);
    // Far too late, but into memory that is still there.
    engine.control('HOLD', 0);
    while (counters(engine).told < HANDSHAKES) await nextTurn();
    break;
  }
  default:
    throw new Error(`nothing to do for ${what}`);
}
