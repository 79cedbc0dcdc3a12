// Tokens of SoftHSM2, through the PKCS #11 engine of Debian: `softhsm2`, `opensc` and `libengine-pkcs11-openssl`.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { isProgram } from '../../support/skipping.ts';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const ENGINE = '/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so';
/** Of all tokens. */
export const PIN = '1234';

/** What of it is there. */
export const needs = {
  'libengine-pkcs11-openssl': existsSync(ENGINE),
  'opensc: pkcs11-tool': isProgram('pkcs11-tool'),
  'softhsm2: its module': existsSync(MODULE),
  'softhsm2: softhsm2-util': isProgram('softhsm2-util'),
};

/** How the engine is loaded. */
export const engineOptions = { path: ENGINE, commands: [['MODULE_PATH', MODULE]] } as const;

/** The name of a key. */
export function uri(label: string, token = 'test'): string {
  return `pkcs11:token=${token};object=${label};type=private`;
}

/** Two tokens with an RSA key and a P-256 key each, generated in them; returns the folder of `removable`. */
export function makeTokens(): string {
  const root = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));
  const folder = join(root, 'target/softhsm', String(process.pid));
  const tokens = join(folder, 'tokens');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(tokens, { recursive: true });
  const configuration = join(folder, 'softhsm2.conf');
  writeFileSync(configuration, `directories.tokendir = ${tokens}\n`);
  process.env['SOFTHSM2_CONF'] = configuration;
  makeToken('removable');
  const first = join(tokens, readdirSync(tokens)[0]!);
  makeToken('test');
  return first;
}

function makeToken(token: string): void {
  run('softhsm2-util', '--init-token', '--free', '--label', token, '--pin', PIN, '--so-pin', '5678');
  for (const [label, id, type] of [
    ['rsa', '01', 'rsa:2048'],
    ['ec', '02', 'EC:prime256v1'],
  ] as const) {
    const login = ['--module', MODULE, '--token-label', token, '--login', '--pin', PIN];
    run('pkcs11-tool', ...login, '--keypairgen', '--key-type', type, '--label', label, '--id', id);
  }
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
