// The process that makes the storm, so that it does not disturb the event loops under it.

import { randomBytes } from 'node:crypto';
import { type SecureContext, connect, createSecureContext } from 'node:tls';

import { answer } from '../support/child.ts';
import type { ClientHandlers, StormOptions, StormResult } from './storm.ts';

answer<ClientHandlers>({ storm });

async function storm(options: StormOptions): Promise<StormResult> {
  const secureContext = createSecureContext({ ca: options.cert, minVersion: 'TLSv1.3' });
  const result = { right: 0, wrong: 0, failed: 0, error: undefined as string | undefined };
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  const client = async (): Promise<void> => {
    while (seconds() < options.seconds) {
      try {
        result[(await visit(options, secureContext)) ? 'right' : 'wrong']++;
      } catch (error) {
        result.failed++;
        result.error ??= String(error);
      }
    }
  };
  await Promise.all(Array.from({ length: options.connections }, client));
  return { ...result, seconds: seconds() };
}

/** Connects with a full handshake, sends random bytes and closes; whether exactly those bytes came back. */
function visit({ port, bytes }: StormOptions, secureContext: SecureContext): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const sent = randomBytes(bytes);
    let received = 0;
    let isRight = true;
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', secureContext }, () => {
      socket.write(sent);
    });
    socket.on('data', (chunk) => {
      isRight &&= chunk.equals(sent.subarray(received, received + chunk.length));
      received += chunk.length;
      if (received >= bytes) socket.end();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(isRight && received === bytes));
  });
}
