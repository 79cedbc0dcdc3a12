// Bundles what src/index.ts exports into index.d.ts: the package's whole public surface in one file.

import { writeFile } from 'node:fs/promises';

import { format, resolveConfig } from 'prettier';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const OUTPUT = 'index.d.ts';
const BANNER = '// Generated from src/ by `npm run build`. Committed, so that a change of the API shows in review.\n\n';

const bundle = await rollup({
  input: 'src/index.ts',
  external: /^node:/,
  plugins: [dts({ tsconfig: 'src/tsconfig.json' })],
  onwarn(warning) {
    throw new Error(warning.message);
  },
});
const { output } = await bundle.generate({ format: 'es' });
await bundle.close();
await writeFile(OUTPUT, await format(BANNER + output[0].code, { ...(await resolveConfig(OUTPUT)), filepath: OUTPUT }));
