// A connection whose both sides are traced on standard error: run by tls/less-known.test.ts.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import * as tls from 'libssl-async/tls';

import { authority, serverIdentity } from './identities.ts';

const { key, cert } = serverIdentity;
const server = tls.createServer({ key, cert, enableTrace: true }, (socket) => void socket.end('a secret'));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const options = { port, host: '127.0.0.1', ca: authority.cert, servername: 'localhost' };
const socket = tls.connect({ ...options, enableTrace: true });
await once(socket.resume(), 'close');
server.close();
