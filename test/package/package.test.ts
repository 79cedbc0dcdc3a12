// What is published, installed by npm into an empty project.

import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { type Problem, checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import test, { type ExecutionContext } from 'ava';
import { versions } from 'libssl-async';
import { publint } from 'publint';

import { authority, serverIdentity } from '../support/identities.ts';
import { registry } from '../support/registry.ts';

const run = promisify(execFile);
const root = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));
/** `npm run package` makes what is published in `target/package`; otherwise the addons are those of this checkout. */
const given = process.env['LIBSSL_ASYNC_PACKAGES'];
const packages = join(root, given ?? 'target/package-as-built');
const MAIN = 'libssl-async';
const tarball = join(packages, `${MAIN}-${versions.package}.tgz`);

let installed: string;

test.before(async () => {
  if (given === undefined) await run(process.execPath, ['scripts/package.mjs', '--as-built'], { cwd: root });
  installed = await mkdtemp(join(tmpdir(), 'libssl-async-'));
  await install(installed, MAIN);
});

test.after.always(() => rm(installed, { recursive: true }));

/** Has npm install something into a project, from the registry of what was packed. */
async function install(folder: string, ...args: string[]): Promise<void> {
  await using served = await registry(packages);
  const from = [`--registry=${served.url}`, `--cache=${join(folder, '.npm')}`];
  const quietly = ['--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', `--prefix=${folder}`, ...from, ...quietly, ...args], { cwd: folder });
}

/** An empty project, but for this package. */
async function project(t: ExecutionContext): Promise<string> {
  const folder = await emptyProject(t);
  await cp(installed, folder, { recursive: true });
  return folder;
}

async function emptyProject(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'libssl-async-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

async function packagesIn(folder: string): Promise<string[]> {
  const entries = await readdir(join(folder, 'node_modules'));
  return entries.filter((name) => !name.startsWith('.')).toSorted();
}

/** Runs a program in a project, as ESM if its name ends in `.mjs`; resolves to what it said. */
async function program(folder: string, name: string, text: string, ...args: string[]): Promise<unknown> {
  await writeFile(join(folder, name), text);
  const { NODE_OPTIONS: _, LIBSSL_ASYNC_BUILD: _build, ...env } = process.env;
  const { stdout } = await run(process.execPath, [name, ...args], { cwd: folder, env });
  return JSON.parse(stdout);
}

const ESM = (host: string): string => `
  import { createRequire } from 'node:module';
  import { createRemoteKey, metrics, versions } from 'libssl-async${host}';
  import * as http2 from 'libssl-async${host}/http2';
  import * as https from 'libssl-async${host}/https';
  import tls from 'libssl-async${host}/tls';
  const require = createRequire(import.meta.url);
`;
const COMMONJS = (host: string): string => `
  const { createRemoteKey, metrics, versions } = require('libssl-async${host}');
  const http2 = require('libssl-async${host}/http2');
  const https = require('libssl-async${host}/https');
  const tls = require('libssl-async${host}/tls');
`;
const HANDSHAKE = `
  const { sign } = require('node:crypto');
  const [key, cert, ca] = process.argv.slice(2);
  const remote = createRemoteKey({ certificate: cert, sign: async ({ message }) => sign('sha256', message, key) });
  const server = https.createServer({ key: remote, cert }, (request, response) => response.end('hello'));
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    const options = { host: '127.0.0.1', port, ca, servername: 'localhost', agent: false };
    https.get(options, (response) => {
      response.on('data', (data) => {
        server.close();
        const { constructor } = response.socket;
        const isOne = constructor === tls.TLSSocket && typeof http2.connect === 'function';
        console.log(JSON.stringify({ said: String(data), isOne, callbacks: metrics().callbacks, versions }));
      });
    });
  });
`;

test('npm installs it, and the addons of this platform only', async (t) => {
  const names = await packagesIn(installed);
  t.is(names.length, 2);
  t.is(names[0], MAIN);
  t.true(names[1]!.startsWith(`${MAIN}-${process.platform}-${process.arch}`));
  const manifest = JSON.parse(await readFile(join(installed, 'node_modules', MAIN, 'package.json'), 'utf8')) as object;
  t.false('scripts' in manifest || 'devDependencies' in manifest || 'private' in manifest);
});

for (const [how, name, imports] of [
  ['imported', 'program.mjs', ESM],
  ['required', 'program.cjs', COMMONJS],
] as const) {
  for (const host of ['', '/host']) {
    test(`it serves where it is ${how}: ${MAIN}${host}`, async (t) => {
      const folder = await project(t);
      const { key, cert } = serverIdentity;
      const said = await program(folder, name, imports(host) + HANDSHAKE, key, cert, authority.cert);
      t.like(said, { said: 'hello', isOne: true, callbacks: 1 });
      t.like((said as { versions: typeof versions }).versions, {
        package: versions.package,
        build: host === '' ? 'bundled' : 'host',
        asyncCapable: true,
      });
    });
  }
}

test('what is imported and what is required are one', async (t) => {
  const folder = await project(t);
  const text = `${ESM('')} console.log(require('libssl-async').createRemoteKey === createRemoteKey)`;
  t.true(await program(folder, 'program.mjs', text));
});

const LOAD = `
  try {
    require('libssl-async');
  } catch ({ code, message }) {
    console.log(JSON.stringify({ code, message }));
  }
`;

test('without the addons it is said what brings them', async (t) => {
  const folder = await emptyProject(t);
  await install(folder, '--omit=optional', MAIN);
  const { code, message } = (await program(folder, 'program.cjs', LOAD)) as { code: string; message: string };
  t.is(code, 'ERR_LIBSSL_ASYNC_ADDON_MISSING');
  const advice = /`npm install (\S+)@(\S+)` brings it/.exec(message);
  t.is(advice?.[2], versions.package);
  await install(folder, `${advice![1]}@${advice![2]}`);
  t.is(
    await program(folder, 'program.cjs', `console.log(typeof require('libssl-async').connect === 'function')`),
    true,
  );
});

test('addons of another version are refused', async (t) => {
  const folder = await project(t);
  const [, name] = await packagesIn(folder);
  const manifest = join(folder, 'node_modules', name!, 'package.json');
  await writeFile(manifest, (await readFile(manifest, 'utf8')).replace(versions.package, '9.9.9'));
  const { code, message } = (await program(folder, 'program.cjs', LOAD)) as { code: string; message: string };
  t.is(code, 'ERR_LIBSSL_ASYNC_ADDON_UNLOADABLE');
  t.true(message.includes(`${name} is of version 9.9.9, and ${MAIN} of version ${versions.package}`));
});

for (const [module, moduleResolution, name] of [
  ['nodenext', 'nodenext', 'program.mts'],
  ['nodenext', 'nodenext', 'program.cts'],
  ['esnext', 'bundler', 'program.ts'],
] as const) {
  test(`its types are found: ${module}, ${moduleResolution}, ${name}`, async (t) => {
    const folder = await project(t);
    const text = ['', '/host'].map(
      (host, at) => `
        import { type RemoteKey, createRemoteKey as create${at}, versions as versions${at} } from 'libssl-async${host}';
        import { connect as connect${at}, type TLSSocket as Socket${at} } from 'libssl-async${host}/tls';
        import { createServer as serve${at} } from 'libssl-async${host}/https';
        import { createSecureServer as serveSecurely${at} } from 'libssl-async${host}/http2';
        const socket${at}: Socket${at} = connect${at}({ port: 443 });
        versions${at}.build satisfies 'bundled' | 'host';
        // @ts-expect-error -- there is no such option
        create${at}({ sing: async () => new Uint8Array() });
      `,
    );
    await writeFile(join(folder, name), text[0]! + text[1]!.replace('type RemoteKey, ', ''));
    const compilerOptions = {
      module,
      moduleResolution,
      strict: true,
      noEmit: true,
      target: 'es2023',
      typeRoots: [join(root, 'node_modules/@types')],
      types: ['node'],
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: [name] }));
    await t.notThrowsAsync(
      run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', folder]).catch(
        (error: { stdout: string }) => Promise.reject(new Error(error.stdout)),
      ),
    );
  });
}

test('publint finds nothing', async (t) => {
  const packed = await readFile(tarball);
  const { messages } = await publint({ pack: { tarball: Uint8Array.from(packed).buffer }, strict: true });
  t.deepEqual(messages, []);
});

/** Of resolutions of modules: `node10` knows no `exports`, and no Node that this package runs on resolves so. */
const isOld = (problem: Problem): boolean => 'resolutionKind' in problem && problem.resolutionKind === 'node10';
/** What is ESM only may be required since Node 20.19. */
const REQUIRED = 'CJSResolvesToESM';

test('are-the-types-wrong finds nothing', async (t) => {
  const analysis = await checkPackage(createPackageFromTarballData(await readFile(tarball)));
  const problems = (analysis.types ? analysis.problems : ['no types']).filter(
    (problem) => typeof problem === 'string' || (problem.kind !== REQUIRED && !isOld(problem)),
  );
  t.deepEqual(problems, []);
});
