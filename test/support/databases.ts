// Real servers of data bases with TLS, which ask their clients for a certificate.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { authority, serverIdentity } from './identities.ts';
import { HOST } from './peers.ts';
import { type Program, start } from './programs.ts';
import { isProgram } from './skipping.ts';

/** Where Debian has the programs of PostgreSQL. */
const POSTGRES = newest('/usr/lib/postgresql');

/** What of them is there. */
export const needs = {
  'mariadb-server: mariadbd': isProgram('mariadbd'),
  'postgresql: postgres': POSTGRES !== undefined && isProgram(join(POSTGRES, 'postgres')),
  'redis-server': isProgram('redis-server'),
};

/** A Redis server. Resolves to its port. */
export async function redis(t: ExecutionContext): Promise<number> {
  const { path, cert, key, ca } = folder(t);
  const port = await freePort();
  const args = ['--port', '0', '--tls-port', String(port), '--bind', HOST, '--save', '', '--dir', path];
  const tls = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', ca, '--tls-auth-clients', 'yes'];
  const server = start(t, 'redis-server', [...args, ...tls]);
  await said(server, 'stdout', 'Ready to accept connections');
  return port;
}

/** A PostgreSQL server, whose users are those that a certificate names. Resolves to its port. */
export async function postgres(t: ExecutionContext): Promise<number> {
  const { path, cert, key, ca, owner } = folder(t, 'postgres');
  const data = join(path, 'data');
  execFileSync(join(POSTGRES!, 'initdb'), ['-D', data, '-U', 'postgres', '--no-sync', '-E', 'UTF8'], {
    ...owner,
    cwd: path,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all all cert\n');
  const port = await freePort();
  const settings = {
    listen_addresses: HOST,
    port,
    unix_socket_directories: path,
    fsync: 'off',
    ssl: 'on',
    ssl_cert_file: cert,
    ssl_key_file: key,
    ssl_ca_file: ca,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = start(t, join(POSTGRES!, 'postgres'), ['-D', data, ...args], { ...owner, cwd: path });
  await said(server, 'stderr', 'ready to accept connections');
  return port;
}

/** A MariaDB server, whose user is `tester` with a certificate of the authority. Resolves to its port. */
export async function mariadb(t: ExecutionContext): Promise<number> {
  const { path, file, cert, key, ca, owner } = folder(t, 'mysql');
  const data = join(path, 'data');
  const users = file('users.sql', `CREATE USER 'tester'@'${HOST}' REQUIRE X509;\n`);
  execFileSync('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--skip-test-db'], {
    ...owner,
    cwd: path,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const port = await freePort();
  const settings = {
    datadir: data,
    socket: join(path, 'socket'),
    'pid-file': join(path, 'pid'),
    'bind-address': HOST,
    port,
    'init-file': users,
    'ssl-cert': cert,
    'ssl-key': key,
    'ssl-ca': ca,
    'require-secure-transport': 'ON',
  };
  const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const server = start(t, 'mariadbd', ['--no-defaults', '--skip-name-resolve', ...args], { ...owner, cwd: path });
  await said(server, 'stderr', 'ready for connections');
  return port;
}

interface Folder {
  readonly path: string;
  /** The paths of the server's certificate and key, and of the authority's certificate. */
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Writes a file that only its owner may read. */
  readonly file: (name: string, content: string) => string;
  /** The user that programs run as, where that is not this one. */
  readonly owner: { uid?: number; gid?: number };
}

/** A folder that goes with the test; root gives it to `user`, as there are servers that root may not run. */
function folder(t: ExecutionContext, user?: string): Folder {
  const path = mkdtempSync(join(tmpdir(), 'libssl-async-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  const owner = user !== undefined && process.getuid?.() === 0 ? idsOf(user) : undefined;
  const give = (file: string): void => {
    if (owner) chownSync(file, owner.uid, owner.gid);
  };
  give(path);
  const file = (name: string, content: string): string => {
    const full = join(path, name);
    writeFileSync(full, content);
    chmodSync(full, 0o600);
    give(full);
    return full;
  };
  return {
    path,
    cert: file('cert.pem', serverIdentity.cert),
    key: file('key.pem', serverIdentity.key),
    ca: file('ca.pem', authority.cert),
    file,
    owner: owner ?? {},
  };
}

function idsOf(user: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`));
  const [uid, gid] = line!.split(':').slice(2, 4).map(Number);
  return { uid: uid!, gid: gid! };
}

/** Waits until a program has said something; what it says further is dropped. */
async function said(program: Program, stream: 'stderr' | 'stdout', what: string): Promise<void> {
  let heard = '';
  const ended = once(program, 'exit').then(() => {
    throw new Error(`it has ended: ${heard}`);
  });
  const ready = new Promise<void>((resolve) => {
    program[stream].setEncoding('utf8').on('data', (chunk: string) => {
      heard += chunk;
      if (heard.includes(what)) resolve();
    });
  });
  ended.catch(() => {});
  await Promise.race([ready, ended]);
  program.stdout.resume();
  program.stderr.resume();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function newest(path: string): string | undefined {
  try {
    const versions = readdirSync(path).toSorted((a, b) => Number(b) - Number(a));
    return versions[0] === undefined ? undefined : join(path, versions[0], 'bin');
  } catch {
    return undefined;
  }
}
