import { createPrivateKey, constants, sign } from 'node:crypto';
import { promisify } from 'node:util';

import { createRemoteKey } from 'libssl-async';

import type { Pair } from '../protocol.ts';
import { listen as listenWith } from './libssl-async.ts';

const signInPool = promisify(sign);

/** The same server, with a key that signs on Node's thread pool. */
export function listen({ key, cert }: Pair): Promise<number> {
  const local = createPrivateKey(key);
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  const isRsa = local.asymmetricKeyType === 'rsa';
  const remote = createRemoteKey({
    certificate: cert,
    schemes: [isRsa ? 'rsa_pss_rsae_sha256' : 'ecdsa_secp256r1_sha256'],
    sign: ({ message }) => signInPool('sha256', message, { key: local, ...(isRsa && padding) }),
  });
  return listenWith({ key: remote, cert });
}
