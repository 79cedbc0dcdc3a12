// What is trusted where `ca` is not given: what Node trusts. In processes of their own, for the sake of their environment.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as tls from 'node:tls';
import { promisify } from 'node:util';

import test, { type ExecutionContext } from 'ava';

import { issue, issueAuthority } from '../support/certificates.ts';

const root = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));
const authority = issueAuthority();
const { key, cert } = issue({ issuer: authority });

/** Connects to a server of the authority; writes what it came to. */
const VISIT = `
  import * as tls from 'node:tls';
  import { connect, createContext, createServer } from 'libssl-async';

  const { key, cert, setDefault } = JSON.parse(process.env.VISIT);
  const server = createServer({ context: createContext({ key, cert }) });
  server.on('connection', () => {});
  const { port } = await server.listen({ host: '127.0.0.1' });

  async function visit() {
    try {
      const connection = await connect({ host: '127.0.0.1', port, servername: 'localhost', context: createContext() });
      const { authorized, authorizationError } = connection;
      connection.destroy();
      return { authorized, authorizationError };
    } catch ({ code }) {
      return { code };
    }
  }

  const results = [await visit()];
  if (setDefault) {
    tls.setDefaultCACertificates([setDefault]);
    results.push(await visit());
  }
  await server.close({ timeout: 0 });
  console.log(JSON.stringify(results));
`;

async function visit(
  environment: Record<string, string>,
  setDefault?: string,
): Promise<{ results: unknown; stderr: string }> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', VISIT], {
    cwd: root,
    env: { ...process.env, VISIT: JSON.stringify({ key, cert, setDefault }), ...environment },
  });
  return { results: JSON.parse(stdout), stderr };
}

async function folder(t: ExecutionContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'libssl-async-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

test('an authority of our own is not trusted', async (t) => {
  const { results } = await visit({});
  t.deepEqual(results, [{ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }]);
});

test('NODE_EXTRA_CA_CERTS', async (t) => {
  const file = join(await folder(t), 'extra.pem');
  await writeFile(file, issueAuthority({ subject: 'Another CA' }).cert + authority.cert);
  const { results } = await visit({ NODE_EXTRA_CA_CERTS: file });
  t.deepEqual(results, [{ authorized: true }]);
});

test('NODE_EXTRA_CA_CERTS that cannot be read is a warning', async (t) => {
  const { results, stderr } = await visit({ NODE_EXTRA_CA_CERTS: '/nowhere/extra.pem' });
  t.deepEqual(results, [{ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }]);
  t.regex(stderr, /Ignoring extra certs from `\/nowhere\/extra\.pem`/);
});

test('NODE_TLS_REJECT_UNAUTHORIZED', async (t) => {
  const { results, stderr } = await visit({ NODE_TLS_REJECT_UNAUTHORIZED: '0' });
  t.deepEqual(results, [{ authorized: false, authorizationError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }]);
  t.is(stderr.match(/NODE_TLS_REJECT_UNAUTHORIZED/g)?.length, 1);
});

// Of Node 24.5 and newer.
const withSetDefault = 'setDefaultCACertificates' in tls ? test : test.skip;

withSetDefault('tls.setDefaultCACertificates()', async (t) => {
  const { results } = await visit({}, authority.cert);
  t.deepEqual(results, [{ code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, { authorized: true }]);
});
