import { createRequire } from 'node:module';

import test from 'ava';
import * as imported from 'libssl-async';

const require = createRequire(import.meta.url);

test('versions name the package and the OpenSSL compiled in', (t) => {
  const { version } = require('libssl-async/package.json') as { version: string };
  t.is(imported.versions.package, version);
  t.regex(imported.versions.openssl, /^\d+\.\d+\.\d+$/);
});

test('require() gives the same instance as import', (t) => {
  const required = require('libssl-async') as typeof imported;
  t.is(required.versions, imported.versions);
});
