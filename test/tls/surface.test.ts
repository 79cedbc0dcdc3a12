// The names of node:tls are here, or it is said why not.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import test from 'ava';

import { NOTES, REASONS, surface, tableOf } from '../support/surface.ts';

const names = surface();

/** The Node of the table in the documentation. */
const MAJOR = '24';
const file = join(dirname(createRequire(import.meta.url).resolve('libssl-async/package.json')), 'docs/node-tls.md');
const TABLE = /(?<=<!-- names -->\n)[^]*(?=<!-- \/names -->)/;

test('each name of node:tls is here, or it is said why not', (t) => {
  const unexplained = names.filter(({ missing }) => missing === '');
  t.deepEqual(unexplained, []);
});

test('at least 95 % are here', (t) => {
  const here = names.filter(({ missing }) => missing === undefined);
  t.true(here.length / names.length >= 0.95);
});

const onMajor = process.versions.node.startsWith(`${MAJOR}.`) ? test : test.skip;
onMajor('nothing is called missing that is here, and nothing is explained that there is not', (t) => {
  const here = new Set(names.filter(({ missing }) => missing === undefined).map(({ kind, name }) => `${kind} ${name}`));
  t.deepEqual(
    Object.keys(REASONS).filter((name) => here.has(name)),
    [],
  );
  t.deepEqual(
    Object.keys(NOTES).filter((name) => !here.has(name)),
    [],
  );
});

onMajor('the table of the documentation is as it is', (t) => {
  const documentation = readFileSync(file, 'utf8');
  const table = `\n${tableOf(names)}\n\n`;
  // `UPDATE_DOCS=1 npm test -- --node=24 test/tls/surface.test.ts` writes it.
  if (process.env['UPDATE_DOCS'] !== undefined)
    writeFileSync(
      file,
      documentation.replace(TABLE, () => table),
    );
  else t.is(TABLE.exec(documentation)?.[0], table);
  t.pass();
});
