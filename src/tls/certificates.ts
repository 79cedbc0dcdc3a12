import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, PeerCertificate } from 'node:tls';

/** A certificate as node:tls describes it; empty for none. */
export function legacy(certificate: X509Certificate | undefined): PeerCertificate | object {
  return certificate?.toLegacyObject() ?? {};
}

/** The first of some certificates, each with its issuer behind it; a root is its own. */
export function detailed(certificates: readonly X509Certificate[]): DetailedPeerCertificate | object {
  const described = certificates.map((certificate) => certificate.toLegacyObject() as DetailedPeerCertificate);
  for (const [index, certificate] of certificates.entries()) {
    const issuer = certificates.findIndex((other, at) => at > index && certificate.checkIssued(other));
    if (issuer > 0) described[index]!.issuerCertificate = described[issuer]!;
    else if (certificate.checkIssued(certificate)) described[index]!.issuerCertificate = described[index]!;
  }
  return described[0] ?? {};
}
