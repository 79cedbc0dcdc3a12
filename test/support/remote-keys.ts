// Remote keys whose signer is node:crypto.

import { type KeyObject, constants, createHash, sign } from 'node:crypto';

import { type Metrics, type RemoteKeyOptions, type SignRequest, createRemoteKey, metrics } from 'libssl-async';

import type { Identity } from './certificates.ts';
import { type Growth, difference } from './growth.ts';

/** A signature of what a remote key is asked to sign, made of its message. */
export function signatureOf({ scheme, message }: SignRequest, key: KeyObject): Buffer {
  const pss = scheme.startsWith('rsa_pss') && {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
  return sign(digestName(scheme), message, { key, ...pss });
}

/** The name of the digest of a scheme; none for EdDSA. */
export function digestName(scheme: string): string | null {
  return /sha(1|256|384|512)$/.exec(scheme)?.[0] ?? null;
}

/** The digest that a signer is to get. */
export function digestOf({ scheme, message }: SignRequest): Buffer | undefined {
  const name = digestName(scheme);
  return name === null ? undefined : createHash(name).update(message).digest();
}

/** A remote key of an identity, and the requests that it has got. */
export function remote(
  identity: Identity,
  options: Partial<RemoteKeyOptions> = {},
): { key: ReturnType<typeof createRemoteKey>; requests: SignRequest[] } {
  const requests: SignRequest[] = [];
  const { sign: signer, ...rest } = options;
  const key = createRemoteKey({
    certificate: identity.cert,
    ...rest,
    sign(request) {
      requests.push(request);
      return signer ? signer(request) : Promise.resolve(signatureOf(request, identity.privateKey));
    },
  });
  return { key, requests };
}

/** By how much the counters have grown since `before`. */
export function growth(before: Metrics): Growth {
  return difference(before, metrics());
}
