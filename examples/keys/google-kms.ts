// A private key in Google Cloud KMS: a version of an asymmetric key, which has one algorithm. It signs digests, and
// messages with Ed25519.

import { type RemoteKey, createRemoteKey } from 'libssl-async';

export interface GoogleKmsOptions {
  /** `projects/…/locations/…/keyRings/…/cryptoKeys/…/cryptoKeyVersions/…` */
  readonly name: string;
  readonly certificate: string;
  /** What the algorithm of the version is called in TLS: EC_SIGN_P256_SHA256 is `ecdsa_secp256r1_sha256`. */
  readonly scheme: string;
  /** A token for the scope `cloudkms`, from google-auth-library for instance. */
  readonly token: () => Promise<string>;
  readonly endpoint?: string;
}

export function googleKey({ name, certificate, scheme, token, endpoint }: GoogleKmsOptions): RemoteKey {
  const url = `${endpoint ?? 'https://cloudkms.googleapis.com'}/v1/${name}:asymmetricSign`;
  const hash = /sha\d+$/.exec(scheme)?.[0];
  return createRemoteKey({
    certificate,
    schemes: [scheme],
    concurrency: 32,
    timeout: 5000,
    async sign({ digest, message, signal }) {
      const asked = digest ? { digest: { [hash!]: digest.toString('base64') } } : { data: message.toString('base64') };
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
        body: JSON.stringify(asked),
        signal,
      });
      if (!response.ok) throw new Error(`Google Cloud KMS: ${response.status} ${await response.text()}`);
      const { signature } = (await response.json()) as { signature: string };
      return Buffer.from(signature, 'base64');
    },
  });
}
