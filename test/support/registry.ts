// A registry of npm packages, of those that were packed here; it knows no others.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { HOST } from './peers.ts';

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/** Serves the packages of a folder of tarballs, each of which lies beside what was packed. */
export async function registry(folder: string): Promise<{ url: string } & AsyncDisposable> {
  const packed = new Map<string, { manifest: Manifest; tarball: Buffer }>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const manifest = JSON.parse(await readFile(join(folder, entry.name, 'package.json'), 'utf8')) as Manifest;
    const tarball = await readFile(join(folder, `${manifest.name}-${manifest.version}.tgz`));
    packed.set(manifest.name, { manifest, tarball });
  }
  const server = createServer(({ url, headers }, response) => {
    const [, name = '', isTarball] = url!.split('/');
    const found = packed.get(name);
    if (!found) response.writeHead(404).end('{}');
    else if (isTarball) response.end(found.tarball);
    else
      response.end(JSON.stringify(packument(found.manifest, found.tarball, `http://${headers.host}/${name}/tarball`)));
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${HOST}:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function packument(manifest: Manifest, tarball: Buffer, url: string): unknown {
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  return {
    name: manifest.name,
    'dist-tags': { latest: manifest.version },
    versions: { [manifest.version]: { ...manifest, dist: { tarball: url, integrity } } },
  };
}
