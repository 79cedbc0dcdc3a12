// Bundles what the entry points of src/ export into index.d.ts and its like: the package's whole public surface.

import { writeFile } from 'node:fs/promises';
import { basename, resolve, sep } from 'node:path';

import { format, resolveConfig } from 'prettier';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const BANNER = '// Generated from src/ by `npm run build`. Committed, so that a change of the API shows in review.\n\n';
const MAIN = 'index.d.ts';

/** The other entry points, their folders, and what else is theirs. */
const OTHERS = [
  { output: 'tls.d.ts', folder: 'src/tls', bases: ['src/duplex.ts'] },
  { output: 'http2.d.ts', folder: 'src/http2', bases: [] },
  { output: 'https.d.ts', folder: 'src/https', bases: [] },
];

await bundle('src/index.ts', MAIN, () => undefined);
for (const { output, folder, bases } of OTHERS) {
  await bundle(`${folder}/index.ts`, output, (path) => {
    if (!isBelow(path, 'src') || isBelow(path, folder) || bases.some((base) => path === resolve(base)))
      return undefined;
    return OTHERS.find((other) => isBelow(path, other.folder))?.output ?? MAIN;
  });
}

function isBelow(path, folder) {
  return path.startsWith(resolve(folder) + sep);
}

/** `elsewhere` tells which entry point has the types of a file, if another has. */
async function bundle(input, output, elsewhere) {
  const toOthers = {
    name: 'to-others',
    async resolveId(id, importer, options) {
      if (id.startsWith('node:') || importer === undefined) return null;
      const found = await this.resolve(id, importer, { ...options, skipSelf: true });
      const other = found && elsewhere(found.id);
      return other ? { id: resolve(other), external: true } : found;
    },
  };
  const built = await rollup({
    input,
    external: /^node:/,
    plugins: [toOthers, dts({ tsconfig: 'src/tsconfig.json' })],
    onwarn(warning) {
      throw new Error(warning.message);
    },
  });
  const { output: files } = await built.generate({
    format: 'es',
    paths: (id) => (id.startsWith('node:') ? id : `./${basename(id, '.d.ts')}.js`),
  });
  await built.close();
  await writeFile(output, await format(BANNER + files[0].code, { ...(await resolveConfig(output)), filepath: output }));
}
