// The nine steps of the manual page SSL_set_async_callback(3), as they happen to a server whose key is a promise.
// Ends with exit code 0 if they came in their order.

import { sign } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import tls from 'node:tls';

import { issue } from '../test/support/certificates.ts';
import { type Connection, createContext, createRemoteKey, createServer } from 'libssl-async';

const steps: number[] = [];

function step(number: number, text: string): void {
  steps.push(number);
  console.log(`${number}. ${text}`);
}

const identity = issue({ type: 'p-256', names: ['localhost'] });
const engine = new EventEmitter();
const submitted = once(engine, 'submitted');

const key = createRemoteKey({
  certificate: identity.cert,
  async sign({ scheme, message }) {
    step(3, `the request to sign with ${scheme} is submitted to the key`);
    engine.emit('submitted');
    await once(engine, 'finished');
    step(5, 'the key has become aware that the request has finished');
    return sign('sha256', message, identity.key);
  },
});

const context = createContext({ cert: identity.cert, key });
context.setAsyncCallback((connection, name) => {
  step(6, `the callback is called with its data: ${name}`);
  step(7, 'it is short and does not block');
  step(8, 'the handshake is scheduled to go on: the wake-up was stored before the callback was called');
  step(9, `it checks the status: ${connection.asyncStatus}`);
}, 'my data');
step(1, 'the callback and its data are set');

const server = createServer({ context });
const plain = createServer({ context: createContext({ cert: identity.cert, key: identity.key }) });
const [address, plainAddress] = [await server.listen({ host: '127.0.0.1' }), await plain.listen({ host: '127.0.0.1' })];
if (typeof address === 'string' || typeof plainAddress === 'string') throw new Error('both listen at addresses');

step(2, 'a client connects: the handshake is made in asynchronous mode');
const paused = tls.connect({ port: address.port, host: address.address, servername: 'localhost', ca: identity.cert });
const accepted = once(server, 'connection');
await submitted;

const other = tls.connect({ port: plainAddress.port, host: '127.0.0.1', servername: 'localhost', ca: identity.cert });
await once(other, 'secureConnect');
step(4, 'its job is paused, and meanwhile another connection was served');
engine.emit('finished');

const [connection] = (await accepted) as [Connection];
console.log(
  `   the handshake is done: ${connection.protocol}, ${connection.cipher?.name}, status ${connection.asyncStatus}`,
);

paused.destroy();
other.destroy();
await Promise.all([server.close({ timeout: 0 }), plain.close({ timeout: 0 })]);
if (steps.join() !== '1,2,3,4,5,6,7,8,9') throw new Error(`the steps came as ${steps.join()}`);
