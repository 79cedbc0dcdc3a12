// curl, h2load and wrk against web servers of this package: thousands of requests, none of which fails.

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import type { AddressInfo, Server } from 'node:net';

import test, { type ExecutionContext } from 'ava';
import express from 'express';
import { createSecureServer } from 'libssl-async/http2';
import * as https from 'libssl-async/https';

import { authority, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';
import { files, finished, start } from '../support/programs.ts';
import { remote } from '../support/remote-keys.ts';
import { installed, isProgram } from '../support/skipping.ts';

const REQUESTS = 4000;
/** One line. */
const BODY = `${JSON.stringify({ hello: 'world' })}\n`;

const respond: RequestListener = (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': BODY.length }).end(BODY);
};
const { key } = remote(serverIdentity);
const identity = { key: serverIdentity.key, cert: serverIdentity.cert };

/** Servers, and what a client of theirs may speak. */
const SERVERS: Record<string, { readonly make: () => Server; readonly speaks: readonly ('h1' | 'h2')[] }> = {
  https: { make: () => https.createServer(identity, respond), speaks: ['h1'] },
  'https with a key that is a promise': {
    make: () => https.createServer({ ...identity, key }, respond),
    speaks: ['h1'],
  },
  Express: {
    make: () =>
      https.createServer(
        identity,
        express().get('/', (_request, response) => void response.type('json').send(BODY)),
      ),
    speaks: ['h1'],
  },
  'http2 with allowHTTP1': {
    make: () => createSecureServer({ ...identity, allowHTTP1: true }, respond as never),
    speaks: ['h1', 'h2'],
  },
};

async function listen(t: ExecutionContext, server: Server): Promise<string> {
  server.listen(0, HOST);
  await once(server, 'listening');
  t.teardown(() => server.close());
  return `https://${HOST}:${(server.address() as AddressInfo).port}/`;
}

/** Declares a test that needs a program. */
function given(program: string, title: string, body: (t: ExecutionContext) => Promise<void>): void {
  test.serial(title, async (t) => {
    if (installed(t, { [program]: isProgram(program) })) await body(t);
  });
}

for (const [name, { make, speaks }] of Object.entries(SERVERS)) {
  for (const version of speaks) {
    given('curl', `curl gets what it asks for: ${name}, ${version}`, async (t) => {
      const url = await listen(t, make());
      const { port } = new URL(url);
      const trust = [
        '--cacert',
        files(t)('ca', authority.cert),
        '--noproxy',
        '*',
        '--resolve',
        `localhost:${port}:${HOST}`,
      ];
      const urls = Array.from({ length: 50 }, () => `https://localhost:${port}/`);
      const how = [version === 'h2' ? '--http2' : '--http1.1', '--parallel', '--parallel-max', '8'];
      const told = ['-w', '%{http_version} %{http_code}\n'];
      const said = await finished(t, start(t, 'curl', ['-sS', ...how, ...trust, ...told, ...urls]));
      const lines = said.split('\n');
      for (const line of [BODY.trim(), `${version === 'h2' ? '2' : '1.1'} 200`]) {
        t.is(lines.filter((one) => one === line).length, urls.length, said);
      }
    });

    given('h2load', `h2load has no errors: ${name}, ${version}`, async (t) => {
      const url = await listen(t, make());
      const how = version === 'h2' ? ['-m', '10'] : ['--h1'];
      const said = await finished(t, start(t, 'h2load', ['-n', `${REQUESTS}`, '-c', '32', ...how, url]));
      const all = `requests: ${REQUESTS} total, ${REQUESTS} started, ${REQUESTS} done, ${REQUESTS} succeeded`;
      t.true(said.includes(`${all}, 0 failed, 0 errored, 0 timeout`), said);
      t.true(said.includes(`status codes: ${REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx`), said);
    });
  }

  given('wrk', `wrk has no errors: ${name}`, async (t) => {
    const url = await listen(t, make());
    const said = await finished(t, start(t, 'wrk', ['-t', '1', '-c', '32', '-d', '1s', url]));
    t.true(Number(/(\d+) requests in/.exec(said)?.[1]) > 100, said);
    t.notRegex(said, /Socket errors|Non-2xx/);
  });
}
