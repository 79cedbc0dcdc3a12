// A private key in AWS KMS: an asymmetric key with the usage SIGN_VERIFY. It signs digests.

import { type KMSClient, SignCommand, type SigningAlgorithmSpec } from '@aws-sdk/client-kms';
import { type RemoteKey, createRemoteKey } from 'libssl-async';

const ALGORITHMS: Readonly<Record<string, SigningAlgorithmSpec>> = {
  ecdsa_secp256r1_sha256: 'ECDSA_SHA_256',
  ecdsa_secp384r1_sha384: 'ECDSA_SHA_384',
  ecdsa_secp521r1_sha512: 'ECDSA_SHA_512',
  rsa_pss_rsae_sha256: 'RSASSA_PSS_SHA_256',
  rsa_pss_rsae_sha384: 'RSASSA_PSS_SHA_384',
  rsa_pss_rsae_sha512: 'RSASSA_PSS_SHA_512',
  rsa_pkcs1_sha256: 'RSASSA_PKCS1_V1_5_SHA_256',
  rsa_pkcs1_sha384: 'RSASSA_PKCS1_V1_5_SHA_384',
  rsa_pkcs1_sha512: 'RSASSA_PKCS1_V1_5_SHA_512',
};

export function awsKey(kms: KMSClient, keyId: string, certificate: string): RemoteKey {
  return createRemoteKey({
    certificate,
    concurrency: 32, // more wait; KMS answers ThrottlingException beyond its quota, and the SDK tries again
    timeout: 5000,
    async sign({ scheme, digest, signal }) {
      const SigningAlgorithm = ALGORITHMS[scheme];
      if (SigningAlgorithm === undefined) throw new Error(`AWS KMS does not sign with ${scheme}`);
      const command = new SignCommand({ KeyId: keyId, Message: digest, MessageType: 'DIGEST', SigningAlgorithm });
      const { Signature } = await kms.send(command, { abortSignal: signal });
      return Signature!;
    },
  });
}
