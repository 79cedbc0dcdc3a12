import { createServer } from 'libssl-async/tls';

import { type Pair, SETTINGS } from '../protocol.ts';
import { listenWith } from './node-tls.ts';

export function listen({ key, cert }: Pair): Promise<number> {
  return listenWith(createServer({ key, cert, ...SETTINGS, noDelay: true }));
}
