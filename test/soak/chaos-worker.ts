// Servers, clients and signers in a worker thread, until somebody terminates it.

import { parentPort } from 'node:worker_threads';

import { createContext, createRemoteKey } from 'libssl-async';

import { authority, serverIdentity } from '../support/identities.ts';
import { signatureOf } from '../support/remote-keys.ts';
import { Ledger } from './ledger.ts';
import { oneOf } from './random.ts';
import { serve, visit } from './traffic.ts';

const AT_ONCE = 16;

const ledger = new Ledger();
const key = createRemoteKey({
  certificate: serverIdentity.cert,
  timeout: 500,
  sign: (request) => oneOf(Promise.resolve(signatureOf(request, serverIdentity.privateKey)), new Promise(() => {})),
});
const context = createContext({ key, cert: serverIdentity.cert, ca: authority.cert });
const { port } = await serve(context, 'loop', ledger);
parentPort!.postMessage('ready');
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (;;) {
      await visit(port, context, ledger);
      for (const fault of ledger.faults.splice(0)) parentPort!.postMessage(fault);
    }
  }),
);
