// A process whose gRPC server is grpc-js over node:tls. It reads its identity, and tells its port.

import { text } from 'node:stream/consumers';

import grpc from '@grpc/grpc-js';

import { definition, implementation } from './grpc.ts';
import { HOST } from './peers.ts';

const { ca, key, cert } = JSON.parse(await text(process.stdin)) as Record<'ca' | 'cert' | 'key', string>;
const server = new grpc.Server();
server.addService(definition, implementation);
const credentials = grpc.ServerCredentials.createSsl(
  Buffer.from(ca),
  [{ private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }],
  true,
);
server.bindAsync(`${HOST}:0`, credentials, (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}`);
});
