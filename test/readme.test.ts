import { readFileSync } from 'node:fs';

import test from 'ava';

const readme = readFileSync('README.md', 'utf8');

test('README shows the TypeScript example as it is', (t) => {
  const example = readFileSync('examples/server.ts', 'utf8');
  t.true(readme.includes(example.slice(example.indexOf('import { sign }')).trimEnd()));
});

test('README shows a part of the Rust example as it is', (t) => {
  const example = readFileSync('crates/libssl-async/examples/echo.rs', 'utf8').replaceAll(/^ {4}/gm, '');
  const shown = /```rust\n([^]*?)\n```/.exec(readme)![1]!;
  t.true(example.includes(shown));
});
