// The thread that has the private key. It could as well be a KMS, an HSM or a smart card.

import { createPrivateKey, sign } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';

const key = createPrivateKey(workerData as string);

parentPort!.on('message', ({ id, message }: { id: number; message: Uint8Array }) => {
  parentPort!.postMessage({ id, signature: sign('sha256', message, key) });
});
