// Engines, providers and keys that cannot be used, in both builds: each is named, and everything else goes on.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';
import * as host from 'libssl-async/host';

import { issue } from '../support/certificates.ts';
import { compileEngine } from './support/accelerator.ts';

// Whatever the tests run with.
delete process.env['LIBSSL_ASYNC_BUILD'];
const bundled = await import('libssl-async');

const packageFolder = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));
const text = fileURLToPath(import.meta.url);
const MISMATCH = 'ERR_LIBSSL_ASYNC_ENGINE_LIBCRYPTO_MISMATCH';

test('each build says what it runs on', (t) => {
  t.like(bundled.versions, { build: 'bundled', libcrypto: 'static' });
  t.like(host.versions, { build: 'host', openssl: process.versions.openssl, libcrypto: process.execPath });
  const linked = execFileSync('readelf', ['--dynamic', join(packageFolder, 'libssl-async-host.node')], {
    encoding: 'utf8',
  });
  t.regex(linked, /NEEDED.*libc\.so/);
  t.notRegex(linked, /NEEDED.*lib(ssl|crypto)/);
});

test('objects of one build are refused by the other', (t) => {
  const code = 'ERR_INVALID_ARG_TYPE';
  t.throws(() => host.createServer({ context: bundled.createContext() }), {
    code,
    message: /an instance of Context of the bundled build .*this is the host build/,
  });
  t.throws(() => bundled.createServer({ context: host.createContext() }), {
    code,
    message: /an instance of Context of the host build .*this is the bundled build/,
  });
  const { cert } = issue();
  const key = host.createRemoteKey({ certificate: cert, sign: () => new Uint8Array() });
  t.throws(() => bundled.createContext({ key, cert }), {
    code,
    message: /options\.key .*an instance of RemoteKey of the host build/,
  });
});

test('options of engines, providers and keys are checked', async (t) => {
  const engine = async (options: unknown, code: string, message: RegExp): Promise<void> => {
    await t.throwsAsync(() => host.loadEngine(options as never), { code, message });
  };
  await engine({}, 'ERR_INVALID_ARG_TYPE', /options\.path .*or id/);
  await engine({ id: 5 }, 'ERR_INVALID_ARG_TYPE', /options\.id/);
  await engine({ path: '/x', command: [] }, 'ERR_LIBSSL_ASYNC_UNKNOWN_OPTION', /did you mean commands/);
  await engine({ path: '/x', commands: [['A']] }, 'ERR_INVALID_ARG_TYPE', /options\.commands\[0\]/);
  await engine({ path: text, methods: ['SHA'] }, 'ERR_INVALID_ARG_VALUE', /options\.methods: .*SHA/);
  await engine({ path: '/x', methods: 'RSA' }, 'ERR_INVALID_ARG_TYPE', /options\.methods/);
  await engine({ path: '/x', poll: -1 }, 'ERR_OUT_OF_RANGE', /options\.poll/);
  const provider = async (options: unknown, code: string, message: RegExp): Promise<void> => {
    await t.throwsAsync(() => host.loadProvider(options as never), { code, message });
  };
  await provider({}, 'ERR_INVALID_ARG_TYPE', /options\.name/);
  await provider({ name: 'x', config: { y: 1 } }, 'ERR_INVALID_ARG_TYPE', /options\.config\.y/);
  const key = async (uri: unknown, options: unknown, code: string, message: RegExp): Promise<void> => {
    await t.throwsAsync(() => host.loadPrivateKey(uri as never, options as never), { code, message });
  };
  await key('pkcs11:', {}, 'ERR_INVALID_ARG_TYPE', /options\.engine .*provider/);
  await key(5, {}, 'ERR_INVALID_ARG_TYPE', /uri/);
  await key('pkcs11:', { engine: {} }, 'ERR_INVALID_ARG_TYPE', /an Engine, from loadEngine\(\)/);
  await key('pkcs11:', { provider: {} }, 'ERR_INVALID_ARG_TYPE', /a Provider, from loadProvider\(\)/);
});

for (const [build, { loadEngine, loadProvider }] of Object.entries({ bundled, host })) {
  test(`a file that is not there is named, in the ${build} build`, async (t) => {
    const path = '/nowhere/third-party.so';
    for (const loading of [loadEngine({ path }), loadProvider({ name: 'third-party', path })]) {
      await t.throwsAsync(loading, { code: 'ENOENT', message: /\/nowhere\/third-party\.so/ });
    }
  });
}

test('engines that cannot be used are named', async (t) => {
  const refused = async (options: host.EngineOptions, what: string, message: RegExp): Promise<void> => {
    const code = `ERR_LIBSSL_ASYNC_ENGINE_${what}`;
    await t.throwsAsync(() => host.loadEngine(options), { code, message });
  };
  await refused({ id: 'there-is-none' }, 'NOT_FOUND', /there-is-none/);
  await refused({ path: text }, 'UNLOADABLE', /refusals\.test\.js/);
  const path = compileEngine(t, 'refused.so');
  if (path === undefined) return;
  const foreign = join(dirname(path), 'foreign.so');
  const bytes = readFileSync(path);
  // Another machine's: its number is at this place of the header.
  bytes[18]! ^= 0xff;
  writeFileSync(foreign, bytes);
  await refused({ path: foreign }, 'UNLOADABLE', /foreign\.so/);
  const provider = host.loadProvider({ name: 'foreign', path: foreign });
  await t.throwsAsync(provider, { code: 'ERR_LIBSSL_ASYNC_PROVIDER_UNLOADABLE', message: /foreign\.so/ });
  await refused({ path, id: 'another' }, 'UNUSABLE', /refused\.so/);
  await refused({ path, commands: ['QUEUES'] }, 'COMMAND_UNKNOWN', /async-test .*QUEUES.*QUEUE/);
  await refused({ path, commands: [['QUEUE', 'many']] }, 'COMMAND_VALUE', /QUEUE .*a number/);
  await refused({ path, commands: [['NOTIFY', 'by pigeon']] }, 'COMMAND_REFUSED', /NOTIFY/);
  await refused({ path, commandsAfter: ['ENABLE_EXTERNAL_POLLING'] }, 'COMMAND_REFUSED', /ENABLE_EXTERNAL_POLLING/);
  await refused({ path, commands: ['FAIL_INIT'] }, 'INITIALISE_FAILED', /async-test/);

  // Nothing of all that is left.
  const engine = await host.loadEngine({ path });
  await refused({ path }, 'ALREADY_LOADED', /refused\.so/);
  t.throws(() => engine.control('QUEUES'), { code: 'ERR_LIBSSL_ASYNC_ENGINE_COMMAND_UNKNOWN' });
  t.throws(() => engine.control('QUEUE'), { code: 'ERR_LIBSSL_ASYNC_ENGINE_COMMAND_VALUE' });
  await t.throwsAsync(() => host.loadPrivateKey('any', { engine }), { code: 'ERR_LIBSSL_ASYNC_KEY_NOT_LOADED' });
  engine.close();
  engine.close();
  for (const use of [() => engine.id, () => engine.commands(), () => engine.stats()]) {
    t.throws(use, { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
  }
  await t.throwsAsync(() => host.loadPrivateKey('any', { engine }), { code: 'ERR_LIBSSL_ASYNC_CLOSED' });
});

test('what would never see a job is refused, and the build that it is for is named', async (t) => {
  const path = compileEngine(t, 'mismatch.so');
  if (path === undefined) return;
  const message = /mismatch\.so.*libssl-async\/host/;
  await t.throwsAsync(() => bundled.loadEngine({ path }), { code: MISMATCH, message });
  const legacy = '/usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so';
  if (existsSync(legacy)) {
    const loading = bundled.loadProvider({ name: 'legacy', path: legacy });
    await t.throwsAsync(loading, { code: MISMATCH, message: /legacy\.so uses the libcrypto in .*libssl-async\/host/ });
    t.is((await host.loadProvider({ name: 'legacy', path: legacy })).name, 'legacy');
  }
  if (existsSync('/usr/lib/x86_64-linux-gnu/libcrypto.a')) {
    const link = ['-Wl,-Bsymbolic', '-Wl,--exclude-libs,ALL', '-l:libcrypto.a', '-ldl'];
    const own = compileEngine(t, 'own-libcrypto.so', link)!;
    await t.throwsAsync(() => host.loadEngine({ path: own }), { code: MISMATCH, message: /own-libcrypto\.so/ });
  }
  const major = join(dirname(path), 'libcrypto.so.2');
  const version = 'unsigned long OpenSSL_version_num(void) { return 0x20000000L; }';
  const library = ['-shared', '-fPIC', '-Wl,-soname,libcrypto.so.2', '-xc', '-', '-o', major];
  execFileSync('cc', library, { input: version });
  const link = ['-Wl,--no-as-needed', `-Wl,-rpath,${dirname(path)}`, major];
  const another = compileEngine(t, 'another-major.so', link)!;
  await t.throwsAsync(() => host.loadEngine({ path: another }), {
    code: MISMATCH,
    message: /another-major\.so uses the libcrypto in .*libcrypto\.so\.2,.*the OpenSSL of this Node/,
  });
  // Other contexts go on.
  t.truthy(host.createContext({ ca: issue().cert }));
});
