import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';

import { native } from './binding.ts';
import type { NativeTrust } from './native.d.ts';

/** Of newer versions of Node. */
type GetCACertificates = (type: 'default') => readonly string[];

let certificates: readonly string[] | undefined;
let trust: NativeTrust | undefined;

/**
 * The certificates that Node trusts, in the addon's form: parsed once a process, and again only when
 * `tls.setDefaultCACertificates()` has changed them.
 */
export function defaultTrust(): NativeTrust {
  const current = defaultCertificates();
  if (!trust || certificates !== current) {
    trust = new native.NativeTrust(current.map((pem) => ({ name: 'ca', data: Buffer.from(pem) })));
    certificates = current;
  }
  return trust;
}

function defaultCertificates(): readonly string[] {
  const { getCACertificates } = tls as { getCACertificates?: GetCACertificates };
  // Where Node cannot be asked, it trusts its own certificates and those of NODE_EXTRA_CA_CERTS.
  return getCACertificates?.('default') ?? (bundled ??= [...tls.rootCertificates, ...extraCertificates()]);
}

let bundled: readonly string[] | undefined;

function extraCertificates(): string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'];
  if (!file) return [];
  try {
    return [readFileSync(file, 'latin1')];
  } catch (error) {
    process.emitWarning(`Ignoring extra certs from \`${file}\`, load failed: ${(error as Error).message}`);
    return [];
  }
}
