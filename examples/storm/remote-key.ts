import { Worker } from 'node:worker_threads';

import { type RemoteKey, createRemoteKey } from 'libssl-async';

import type { Pair } from './storm.ts';

/** A key whose signatures are made by another thread. */
export interface KeyInThread {
  readonly key: RemoteKey;
  /** Signatures that the thread has made so far. */
  readonly signatures: () => number;
}

/** Starts the thread, and makes a key whose promises it fulfils. */
export function keyInThread({ key, cert }: Pair): KeyInThread {
  const thread = new Worker(new URL('signer.js', import.meta.url), { workerData: key });
  const pending = new Map<number, (signature: Uint8Array) => void>();
  let signatures = 0;
  thread.on('message', ({ id, signature }: { id: number; signature: Uint8Array }) => {
    pending.get(id)!(signature);
    pending.delete(id);
    signatures++;
  });

  let asked = 0;
  const remote = createRemoteKey({
    certificate: cert,
    schemes: ['ecdsa_secp256r1_sha256'],
    sign({ message }) {
      const id = asked++;
      thread.postMessage({ id, message });
      return new Promise((resolve) => pending.set(id, resolve));
    },
  });
  return { key: remote, signatures: () => signatures };
}
