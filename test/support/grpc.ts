// A service of gRPC with each kind of call, whose messages are bytes.

import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition,
  UntypedServiceImplementation,
  sendUnaryData,
} from '@grpc/grpc-js';

const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };

function method(path: string, requestStream: boolean, responseStream: boolean): ServiceDefinition[string] {
  return {
    path: `/libssl_async.Test/${path}`,
    requestStream,
    responseStream,
    requestSerialize: bytes.serialize,
    requestDeserialize: bytes.deserialize,
    responseSerialize: bytes.serialize,
    responseDeserialize: bytes.deserialize,
  };
}

/** What the service is called with. */
export const definition = {
  echo: method('Echo', false, false),
  count: method('Count', false, true),
  join: method('Join', true, false),
  chat: method('Chat', true, true),
} satisfies ServiceDefinition;

/** What it answers with. */
export const implementation: UntypedServiceImplementation = {
  echo: ({ request }: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => answer(null, request),
  count(call: ServerWritableStream<Buffer, Buffer>) {
    for (let number = 0; number < Number(call.request); number += 1) call.write(Buffer.from(`${number}`));
    call.end();
  },
  join(call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
    const parts: Buffer[] = [];
    call.on('data', (part: Buffer) => parts.push(part));
    call.on('end', () => answer(null, Buffer.concat(parts)));
  },
  chat(call: ServerDuplexStream<Buffer, Buffer>) {
    call.on('data', (message: Buffer) => call.write(message));
    call.on('end', () => call.end());
  },
};
