// An HTTPS-like server whose private key is a promise: here a file's, in place of a KMS.
//
//   node build/examples/server.js cert.pem key.pem 8443

import { sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { createContext, createRemoteKey, createServer, metrics } from 'libssl-async';

const [certFile = 'cert.pem', keyFile = 'key.pem', port = '8443'] = process.argv.slice(2);
const cert = readFileSync(certFile);

const key = createRemoteKey({
  certificate: cert,
  schemes: ['ecdsa_secp256r1_sha256'],
  async sign({ message }) {
    return sign('sha256', message, readFileSync(keyFile)); // your KMS or HSM in place of this
  },
});

const server = createServer({ context: createContext({ cert, key }) });
server.on('tlsClientError', (error) => console.error(error.message));
console.log('listening at', await server.listen({ port: Number(port), host: '127.0.0.1' }));

for await (const connection of server) {
  void (async () => {
    for await (const chunk of connection) await connection.write(chunk);
    await connection.shutdown();
    console.log(`echoed; ${metrics().pauses} handshakes have paused so far`);
  })().catch((error: unknown) => console.error(error));
}
