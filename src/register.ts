// `import 'libssl-async/register'`: puts this package in the place of node:tls, node:https and node:http2, for all who call them from
// then on. Libraries that have no option for that, clients of data bases for instance, are served by it.

import nodeHttp2 from 'node:http2';
import nodeHttps from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import nodeTls from 'node:tls';

import * as http2 from './http2/index.ts';
import * as https from './https/index.ts';
import * as tls from './tls/index.ts';

replace(nodeTls, tls, [
  'SecureContext',
  'Server',
  'TLSSocket',
  'connect',
  'createSecureContext',
  'createServer',
  'getCiphers',
]);
replace(nodeHttps, https, ['Agent', 'Server', 'createServer', 'get', 'globalAgent', 'request']);
replace(nodeHttp2, http2, ['connect', 'createSecureServer']);
syncBuiltinESMExports();

function replace<Ours extends object>(theirs: object, ours: Ours, names: readonly (keyof Ours)[]): void {
  for (const name of names) {
    Object.defineProperty(theirs, name, { value: ours[name], configurable: true, enumerable: true, writable: true });
  }
}
