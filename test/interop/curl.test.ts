// curl at the other end.

import type { Connection } from 'libssl-async';
import { createContext } from 'libssl-async';

import { issue } from '../support/certificates.ts';
import { authority, clientIdentity } from '../support/identities.ts';
import { HOST, serve } from '../support/peers.ts';
import { VERSIONS, files, finished, overDriversGiven, start } from '../support/programs.ts';
import { remote } from '../support/remote-keys.ts';

const BODY = 'x'.repeat(500_000);

for (const { version, curl } of VERSIONS) {
  for (const type of ['rsa-2048', 'p-256'] as const) {
    const identity = issue({ type, issuer: authority });

    overDriversGiven(
      'curl',
      `curl gets what it asks for, and comes again, ${version}, ${type}`,
      async (t, recordIO) => {
        const { key, requests } = remote(identity);
        const context = createContext({
          key,
          cert: identity.cert,
          ca: authority.cert,
          requestCert: true,
          ALPNProtocols: ['http/1.1'],
        });
        const { server, port } = await serve(t, { recordIO, context });
        const reused: boolean[] = [];
        server.on('connection', (connection) => {
          t.like(connection, { protocol: version, authorized: true, alpnProtocol: 'http/1.1' });
          reused.push(connection.sessionReused);
          void answer(connection).catch(() => {});
        });
        const file = files(t);
        const own = ['--cert', file('cert', clientIdentity.cert), '--key', file('key', clientIdentity.key)];
        const only = [`--tlsv${curl}`, '--tls-max', curl, '--http1.1', '--cacert', file('ca', authority.cert)];
        const url = `https://localhost:${port}/`;
        // Twice in one process, each on a connection of its own.
        const args = ['-sS', '--noproxy', '*', '--resolve', `localhost:${port}:${HOST}`, ...own, ...only, url, url];
        t.is(await finished(t, start(t, 'curl', args)), BODY + BODY);
        // With TLS 1.2, curl takes no tickets.
        const resumes = version === 'TLSv1.3';
        t.deepEqual(reused, [false, resumes]);
        t.is(requests.length, resumes ? 1 : 2);
      },
    );
  }
}

/** Answers one request over HTTP, and closes. */
async function answer(connection: Connection): Promise<void> {
  let request = '';
  while (!request.endsWith('\r\n\r\n')) request += String(await connection.read());
  await connection.write(`HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\nconnection: close\r\n\r\n${BODY}`);
  await connection.shutdown();
}
