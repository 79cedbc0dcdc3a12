// A private key of WebCrypto that cannot be exported, not even by this process. It signs messages, on Node's thread pool.

import { type webcrypto, subtle } from 'node:crypto';

import { type RemoteKey, createRemoteKey } from 'libssl-async';

const HASHES: Readonly<Record<string, string>> = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };

export function webCryptoKey(key: webcrypto.CryptoKey, certificate: string): RemoteKey {
  const name = key.algorithm.name;
  const schemes = schemesOf(key.algorithm);
  return createRemoteKey({
    certificate,
    schemes,
    signatureFormat: 'ieee-p1363',
    async sign({ scheme, digest, message }) {
      const hash = HASHES[/sha\d+$/.exec(scheme)?.[0] ?? ''];
      const saltLength = digest?.length ?? 0;
      return new Uint8Array(await subtle.sign({ name, ...(hash && { hash }), saltLength }, key, message));
    },
  });
}

/** A key of WebCrypto has one curve, or one padding and one hash. */
function schemesOf(algorithm: { name: string; namedCurve?: string; hash?: { name: string } }): string[] {
  const curves = {
    'P-256': 'ecdsa_secp256r1_sha256',
    'P-384': 'ecdsa_secp384r1_sha384',
    'P-521': 'ecdsa_secp521r1_sha512',
  };
  const hash = algorithm.hash?.name.replace('-', '').toLowerCase();
  const scheme = {
    ECDSA: curves[algorithm.namedCurve as keyof typeof curves],
    Ed25519: 'ed25519',
    'RSA-PSS': `rsa_pss_rsae_${hash}`,
    'RSASSA-PKCS1-v1_5': `rsa_pkcs1_${hash}`,
  }[algorithm.name];
  if (scheme === undefined) throw new TypeError(`keys of ${algorithm.name} do not sign in TLS`);
  return [scheme];
}
