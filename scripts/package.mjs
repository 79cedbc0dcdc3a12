// `npm run package`: what is published, packed into target/package/: libssl-async, and the package of a platform, which
// has the addons.
//
//   node scripts/package.mjs [--target=<triple>] [--as-built] [--only-main]
//
//   --target     one of those of package.json; this machine's, unless given. Those of Linux are built by zig, for old
//                ones too
//   --only-main  no platform: libssl-async, for those that were packed before
//   --as-built   no build: the addons of this checkout, in target/package-as-built/

import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { bundledOpenssl, buildTypeScript, hostOpenssl } from './build.mjs';
import { install } from './install.mjs';
import { heading, readJson, root, run } from './run.mjs';
import { GLIBC, zigEnvironment, zigTarget } from './zig.mjs';

const { values } = parseArgs({
  options: { target: { type: 'string' }, 'as-built': { type: 'boolean' }, 'only-main': { type: 'boolean' } },
});
const asBuilt = values['as-built'] === true;
const manifest = readJson('package.json');
const staging = join(root, asBuilt ? 'target/package-as-built' : 'target/package');
const BUNDLED = 'libssl-async.node';
const HOST = 'libssl-async-host.node';
const LICENSES = ['LICENSE-APACHE', 'LICENSE-MIT'];

install();
const { parseTriple } = await import('@napi-rs/cli');
const triple =
  values.target ?? run('rustc', ['--print', 'host-tuple'], { stdio: ['ignore', 'pipe', 'inherit'] }).trim();
if (!manifest.napi.targets.includes(triple)) throw new Error(`none of the targets of package.json: ${triple}`);

if (!asBuilt) buildTypeScript();
if (!values['only-main']) pack(platformPackage(asBuilt ? addonsOfCheckout() : builtAddons()));
pack(mainPackage());

function addonsOfCheckout() {
  return Object.fromEntries([BUNDLED, HOST].map((file) => [file, join(root, file)]));
}

/** The host build is for where a Node binary gives its OpenSSL away: not on Windows. */
function builtAddons() {
  const isLinux = triple.includes('-linux-');
  const env = isLinux ? zigEnvironment(triple) : process.env;
  const cargo = isLinux ? ['zigbuild', `--target=${zigTarget(triple)}`] : ['build', `--target=${triple}`];
  const addon = (openssl, ...args) => {
    const options = [...cargo, '--package=libssl-async-node', '--release', ...args];
    run('cargo', options, { env: { ...env, ...openssl } });
    const built = library(openssl.CARGO_TARGET_DIR);
    if (triple.endsWith('-gnu')) checkGlibc(built);
    return built;
  };
  heading(`OpenSSL for ${triple}`);
  const openssl = bundledOpenssl([`--target=${triple}`], env);
  heading(`addons for ${triple}`);
  const bundled = { [BUNDLED]: addon(openssl) };
  if (triple.includes('-windows-')) return bundled;
  return { ...bundled, [HOST]: addon(hostOpenssl(`target/${triple}/host`), '--no-default-features') };
}

function library(targetFolder) {
  const names = { win32: 'libssl_async_node.dll', darwin: 'liblibssl_async_node.dylib' };
  return join(targetFolder, triple, 'release', names[parseTriple(triple).platform] ?? 'liblibssl_async_node.so');
}

/** Its addon would not load where Node runs. */
function checkGlibc(addon) {
  const told = run('readelf', ['--version-info', '--wide', addon], { stdio: ['ignore', 'pipe', 'inherit'] });
  const minors = [...told.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  const needed = `2.${Math.max(...minors)}`;
  if (needed.localeCompare(GLIBC, 'en', { numeric: true }) > 0)
    throw new Error(`${addon} needs glibc ${needed}, and may need ${GLIBC}`);
  console.log(`${addon}: glibc ${needed} or newer`);
}

function platformPackage(addons) {
  const { platform, arch, abi } = parseTriple(triple);
  const name = platformName(triple);
  const folder = emptied(name);
  for (const [file, built] of Object.entries(addons)) copyFileSync(built, join(folder, file));
  const { version, license, repository, engines } = manifest;
  const libc = { gnu: ['glibc'], musl: ['musl'] }[abi];
  write(folder, {
    name,
    version,
    description: `The addons of libssl-async for ${name.replace('libssl-async-', '')}`,
    license,
    repository,
    engines,
    os: [platform],
    cpu: [arch],
    ...(platform === 'linux' && { libc }),
    main: BUNDLED,
    files: [...LICENSES, ...Object.keys(addons)],
  });
  writeFileSync(
    join(folder, 'README.md'),
    `# ${name}\n\nThe addons of [libssl-async](https://www.npmjs.com/package/libssl-async) for this platform: install that.\n`,
  );
  return folder;
}

function mainPackage() {
  const folder = emptied(manifest.name);
  for (const file of manifest.files) cpSync(join(root, file), join(folder, file), { recursive: true });
  copyFileSync(join(root, 'README.md'), join(folder, 'README.md'));
  const packed = manifest.napi.targets.map(platformName).filter((name) => existsSync(join(staging, name)));
  const optionalDependencies = Object.fromEntries(packed.map((name) => [name, manifest.version]));
  const unpublished = { private: undefined, scripts: undefined, devDependencies: undefined, napi: undefined };
  write(folder, { ...manifest, ...unpublished, optionalDependencies });
  return folder;
}

/** What was packed for other platforms stays. */
function emptied(name) {
  const folder = join(staging, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

function platformName(target) {
  return `${manifest.name}-${parseTriple(target).platformArchABI}`;
}

function write(folder, published) {
  for (const license of LICENSES) copyFileSync(join(root, license), join(folder, license));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(published, undefined, 2)}\n`);
}

function pack(folder) {
  run('npm', ['pack', '--silent', `--pack-destination=${staging}`], { cwd: folder });
}
