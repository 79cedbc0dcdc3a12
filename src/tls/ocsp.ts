import type { EventEmitter } from 'node:events';

import { type Context, contextOf } from '../context.ts';

/** Asks the listeners of `OCSPRequest` for the response that a client gets with the certificate of a context. */
export async function askForOCSP(server: EventEmitter, context: Context): Promise<Buffer | undefined> {
  const [certificate, issuer = null] = contextOf(context).native.certificates;
  if (!certificate) return undefined;
  const response = await new Promise<Buffer | null | undefined>((resolve, reject) => {
    const done = (error: Error | null, given?: Buffer | null): void => (error ? reject(error) : resolve(given));
    if (!server.emit('OCSPRequest', certificate, issuer, done)) resolve(undefined);
  });
  return response ?? undefined;
}
