// Certificates and revocation lists for the tests, made when they are asked for.

import { type KeyObject, constants, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isIPv4 } from 'node:net';
import { dirname, join } from 'node:path';

import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  CertificateList,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  RevokedCertificate,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertList,
  TBSCertificate,
  Time,
  Validity,
  Version,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_clientAuth,
  id_kp_serverAuth,
} from '@peculiar/asn1-x509';

/** The types of keys. */
export type KeyType = 'rsa-2048' | 'rsa-3072' | 'rsa-pss-2048' | 'p-256' | 'p-384' | 'p-521' | 'ed25519' | 'ed448';

/** What {@link issue} makes. */
export interface IssueOptions {
  /** Default: `'p-256'`. */
  type?: KeyType;
  /** Subject alternative names: host names and IPv4 addresses, or as they are. Default: `localhost` and `127.0.0.1`. */
  names?: (string | GeneralName)[];
  /** The subject's common name. Default: the first of `names` that is a string. */
  subject?: string;
  /** Who signs. Default: the certificate's own key. */
  issuer?: Identity;
  /** Whether it may sign others. Default: `false`. */
  authority?: boolean;
  /** Whether it is for clients. Default: for servers. */
  client?: boolean;
  /** Whether its time is over. Default: `false`. */
  expired?: boolean;
}

/** A certificate and its private key. */
export interface Identity {
  /** PKCS #8, in PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly der: Buffer;
  readonly serial: Buffer;
  readonly subject: string;
}

const HOUR = 3_600_000;

/** Makes a certificate and its key. */
export function issue(options: IssueOptions = {}): Identity {
  const { privateKey, publicKey } = keyPair(options.type ?? 'p-256');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  return { key, privateKey, publicKey, ...certify(publicKey, options.issuer?.privateKey ?? privateKey, options) };
}

/** Makes a certificate of a public key. */
export function certify(
  publicKey: KeyObject,
  signer: KeyObject,
  options: Omit<IssueOptions, 'type'> = {},
): Pick<Identity, 'cert' | 'der' | 'serial' | 'subject'> {
  const { names = ['localhost', '127.0.0.1'], authority = false, client = false, expired = false } = options;
  const subject = options.subject ?? names.find((name) => typeof name === 'string') ?? 'test';
  const serial = Buffer.concat([Buffer.of(1), randomBytes(15)]);
  const signatureAlgorithm = algorithmOf(signer);
  const now = Date.now();
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: arrayBuffer(serial),
    signature: signatureAlgorithm,
    issuer: nameOf(options.issuer?.subject ?? subject),
    validity: new Validity({
      notBefore: new Date(now - (expired ? 48 * HOUR : HOUR)),
      notAfter: new Date(now + (expired ? -24 : 24) * HOUR),
    }),
    subject: nameOf(subject),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo),
    extensions: new Extensions([
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: authority }), true),
      extension(
        id_ce_keyUsage,
        new KeyUsage(authority ? CA_USAGE : KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment),
        true,
      ),
      ...(authority
        ? []
        : [extension(id_ce_extKeyUsage, new ExtendedKeyUsage([client ? id_kp_clientAuth : id_kp_serverAuth]))]),
      ...(names.length > 0
        ? [extension(id_ce_subjectAltName, new SubjectAlternativeName(names.map(generalName)))]
        : []),
    ]),
  });
  const signatureValue = signed(AsnConvert.serialize(tbs), signer);
  const certificate = new Certificate({ tbsCertificate: tbs, signatureAlgorithm, signatureValue });
  const der = Buffer.from(AsnConvert.serialize(certificate));
  return { cert: pem('CERTIFICATE', der), der, serial, subject };
}

/** Makes an authority, which signs others. */
export function issueAuthority(options: Omit<IssueOptions, 'authority'> = {}): Identity {
  return issue({ subject: 'Test CA', names: [], ...options, authority: true });
}

/** Makes an authority's list of the certificates it has revoked, in PEM. */
export function revoke(issuer: Identity, revoked: Identity[]): string {
  const signature = algorithmOf(issuer.privateKey);
  const tbsCertList = new TBSCertList({
    version: Version.v2,
    signature,
    issuer: nameOf(issuer.subject),
    thisUpdate: new Time(new Date(Date.now() - HOUR)),
    nextUpdate: new Time(new Date(Date.now() + HOUR)),
    ...(revoked.length > 0 && { revokedCertificates: revoked.map(revokedEntry) }),
  });
  const list = new CertificateList({
    tbsCertList,
    signatureAlgorithm: signature,
    signature: signed(AsnConvert.serialize(tbsCertList), issuer.privateKey),
  });
  return pem('X509 CRL', Buffer.from(AsnConvert.serialize(list)));
}

/** A file of test/support/fixtures: `modern.p12` and so on hold a certificate of `authority.pem`, passphrase `secret`. */
export function fixture(name: string): Buffer {
  const root = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));
  return readFileSync(join(root, 'test/support/fixtures', name));
}

/** DER in PEM. */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

const CA_USAGE = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature;

/** RSASSA-PSS with SHA-256, MGF1 with SHA-256 and 32 bytes of salt: its `AlgorithmIdentifier`. */
const PSS = Buffer.from(
  '304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120',
  'hex',
);

function keyPair(type: KeyType): { privateKey: KeyObject; publicKey: KeyObject } {
  if (type === 'ed25519') return generateKeyPairSync('ed25519');
  if (type === 'ed448') return generateKeyPairSync('ed448');
  if (type === 'rsa-pss-2048') {
    const digests = { hashAlgorithm: 'sha256', mgf1HashAlgorithm: 'sha256' };
    return generateKeyPairSync('rsa-pss', { modulusLength: 2048, ...digests });
  }
  if (type.startsWith('rsa')) return generateKeyPairSync('rsa', { modulusLength: Number(type.slice(4)) });
  return generateKeyPairSync('ec', { namedCurve: type.toUpperCase() });
}

function algorithmOf(key: KeyObject): AlgorithmIdentifier {
  const type = key.asymmetricKeyType;
  if (type === 'rsa-pss') return AsnConvert.parse(PSS, AlgorithmIdentifier);
  if (type === 'rsa') return new AlgorithmIdentifier({ algorithm: '1.2.840.113549.1.1.11', parameters: null });
  const algorithm = { ec: '1.2.840.10045.4.3.2', ed25519: '1.3.101.112', ed448: '1.3.101.113' }[type as 'ec'];
  return new AlgorithmIdentifier({ algorithm });
}

function signed(data: ArrayBuffer, key: KeyObject): ArrayBuffer {
  const type = key.asymmetricKeyType!;
  const digest = type.startsWith('ed') ? null : 'sha256';
  const pss = type === 'rsa-pss' && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  return arrayBuffer(sign(digest, Buffer.from(data), { key, ...pss }));
}

function extension(extnID: string, value: object, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function generalName(name: string | GeneralName): GeneralName {
  if (typeof name !== 'string') return name;
  return isIPv4(name) ? new GeneralName({ iPAddress: name }) : new GeneralName({ dNSName: name });
}

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: '2.5.4.3', value })])]);
}

function revokedEntry({ serial }: Identity): RevokedCertificate {
  return new RevokedCertificate({
    userCertificate: arrayBuffer(serial),
    revocationDate: new Time(new Date(Date.now() - HOUR)),
  });
}

function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
