// Hundreds of handshakes that are paused at both ends, and then something that ends them: run by process.test.ts.

import { type Address, connect, createContext, createRemoteKey, createServer } from 'libssl-async';

import { authority, serverIdentity } from './identities.ts';
import { eventually } from './waiting.ts';

const PAUSED = 200;
const host = '127.0.0.1';

const key = createRemoteKey({ certificate: serverIdentity.cert, sign: () => new Promise(() => {}) });
const context = createContext({ key, cert: serverIdentity.cert, ca: authority.cert });
const server = createServer({ context });
const { port } = (await server.listen({ host })) as Address;
const failed = Promise.allSettled(Array.from({ length: PAUSED }, () => connect({ host, port, context })));
if (!(await eventually(() => key.pending === PAUSED))) throw new Error(`only ${key.pending} are paused`);

switch (process.argv[2] ?? '') {
  case 'exit':
    process.exit(7);
  case 'throw':
    throw new Error('meant to be');
  case 'close':
    // A signer that never answers keeps nothing alive.
    await server.close();
    await failed;
    break;
  default:
    throw new Error(`nothing to do for ${process.argv[2]}`);
}
