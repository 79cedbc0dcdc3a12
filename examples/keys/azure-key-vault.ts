// A private key in Azure Key Vault or a Managed HSM. It signs digests, and gives ECDSA signatures as IEEE P1363 has them.

import { type RemoteKey, createRemoteKey } from 'libssl-async';

const ALGORITHMS: Readonly<Record<string, string>> = {
  ecdsa_secp256r1_sha256: 'ES256',
  ecdsa_secp384r1_sha384: 'ES384',
  ecdsa_secp521r1_sha512: 'ES512',
  rsa_pss_rsae_sha256: 'PS256',
  rsa_pss_rsae_sha384: 'PS384',
  rsa_pss_rsae_sha512: 'PS512',
  rsa_pkcs1_sha256: 'RS256',
  rsa_pkcs1_sha384: 'RS384',
  rsa_pkcs1_sha512: 'RS512',
};

export interface AzureKeyOptions {
  /** `https://….vault.azure.net/keys/…/…`, its version included. */
  readonly keyId: string;
  readonly certificate: string;
  /** A token for `https://vault.azure.net/.default`, from @azure/identity for instance. */
  readonly token: () => Promise<string>;
}

export function azureKey({ keyId, certificate, token }: AzureKeyOptions): RemoteKey {
  return createRemoteKey({
    certificate,
    signatureFormat: 'ieee-p1363',
    concurrency: 32,
    timeout: 5000,
    async sign({ scheme, digest, signal }) {
      const alg = ALGORITHMS[scheme];
      if (alg === undefined || digest === undefined) throw new Error(`Azure Key Vault does not sign with ${scheme}`);
      const response = await fetch(`${keyId}/sign?api-version=7.4`, {
        method: 'POST',
        headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
        body: JSON.stringify({ alg, value: digest.toString('base64url') }),
        signal,
      });
      if (!response.ok) throw new Error(`Azure Key Vault: ${response.status} ${await response.text()}`);
      const { value } = (await response.json()) as { value: string };
      return Buffer.from(value, 'base64url');
    },
  });
}
