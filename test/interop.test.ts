// Other programs as peers, where they are installed.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import test, { type ExecutionContext } from 'ava';
import { createContext } from 'libssl-async';

import { issue } from './support/certificates.ts';
import { echo, readExactly } from './support/bytes.ts';
import { overDrivers } from './support/drivers.ts';
import { authority, clientContext, serverIdentity } from './support/identities.ts';
import { HOST, dial, serve } from './support/peers.ts';
import { freePort } from './support/proxy.ts';
import { remote } from './support/remote-keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'libssl-async-'));
test.after.always(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const ca = file('ca.pem', authority.cert);

const installed = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
/** Declares a test that is skipped, and says so, if a program is not installed. */
const given = (program: string, title: string, body: Parameters<typeof overDrivers>[1]): void => {
  if (installed(program)) return overDrivers(title, body);
  test(title, (t) => {
    t.log(`skipped: ${program} is not installed`);
    t.pass();
  });
};

function start(t: ExecutionContext, program: string, args: string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  child.stdin.on('error', () => {});
  return child;
}

for (const version of ['tls1_2', 'tls1_3']) {
  for (const type of ['p-256', 'rsa-2048'] as const) {
    given('openssl', `openssl s_client is echoed to, ${version}, ${type}`, async (t, recordIO) => {
      const identity = issue({ type, issuer: authority });
      const { key, requests } = remote(identity);
      const context = createContext({ key, cert: identity.cert });
      const { server, port } = await serve(t, { recordIO, context });
      server.on('connection', (connection) => void echo(connection).catch(() => {}));
      const args = ['s_client', '-connect', `${HOST}:${port}`, '-CAfile', ca, '-verify_return_error', '-quiet'];
      const child = start(t, 'openssl', [...args, '-servername', 'localhost', `-${version}`]);
      child.stdin!.write('hello\n');
      const [said] = (await once(child.stdout, 'data')) as [Buffer];
      t.is(String(said), 'hello\n');
      t.is(requests.length, 1);
    });
  }
}

given('openssl', 'openssl s_server is talked to', async (t, recordIO) => {
  const port = await freePort();
  const { key, cert } = serverIdentity;
  const files = ['-key', file('server.key', key), '-cert', file('server.pem', cert)];
  const child = start(t, 'openssl', ['s_server', '-accept', `${HOST}:${port}`, ...files, '-rev', '-naccept', '1']);
  // Says ACCEPT when it listens.
  await once(child.stdout, 'data');
  const connection = await dial(t, port, { recordIO, context: clientContext, servername: 'localhost' });
  await connection.write('olleh\n');
  t.is(String(await readExactly(connection, 6)), 'hello\n');
});

given('curl', 'curl gets what it asks for', async (t, recordIO) => {
  const { key, requests } = remote(serverIdentity);
  const context = createContext({ key, cert: serverIdentity.cert, ALPNProtocols: ['http/1.1'] });
  const { server, port } = await serve(t, { recordIO, context });
  const body = 'x'.repeat(500_000);
  server.on('connection', (connection) => {
    void (async () => {
      await connection.read();
      await connection.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`);
      await connection.shutdown();
    })().catch(() => {});
  });
  const resolve = ['--resolve', `localhost:${port}:${HOST}`];
  const child = start(t, 'curl', ['-sS', '--cacert', ca, '--noproxy', '*', ...resolve, `https://localhost:${port}/`]);
  const [output, complaints] = await Promise.all([text(child.stdout), text(child.stderr!)]);
  t.is(complaints, '');
  t.is(output, body);
  t.is(requests.length, 1);
});
