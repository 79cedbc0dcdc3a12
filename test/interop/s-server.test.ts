// `openssl s_server` at the other end.

import type { ExecutionContext } from 'ava';
import { type ConnectOptions, createContext } from 'libssl-async';

import { readExactly } from '../support/bytes.ts';
import { type Identity, issue } from '../support/certificates.ts';
import { authority, clientIdentity } from '../support/identities.ts';
import { dial, withResolvers } from '../support/peers.ts';
import { KEY_TYPES, VERSIONS, files, finished, overDriversGiven, start } from '../support/programs.ts';
import { remote } from '../support/remote-keys.ts';

for (const type of KEY_TYPES) {
  const identity = issue({ type, issuer: authority });
  const own = issue({ type, issuer: authority, client: true, names: [], subject: 'client' });

  for (const { version, openssl } of VERSIONS) {
    overDriversGiven('openssl', `s_server knows its client, which comes again, ${version}, ${type}`, (t, recordIO) =>
      comeAgain(t, identity, own, [openssl], { recordIO }),
    );
  }
}

overDriversGiven('openssl', 's_server resumes a session by its number, without a ticket', (t, recordIO) => {
  const identity = issue({ issuer: authority });
  return comeAgain(t, identity, clientIdentity, ['-tls1_2', '-no_ticket'], { recordIO });
});

/** Connects twice with a remote key, the second time with the session of the first. */
async function comeAgain(
  t: ExecutionContext,
  identity: Identity,
  own: Identity,
  args: readonly string[],
  options: Partial<ConnectOptions>,
): Promise<void> {
  const { key, requests } = remote(own);
  const context = createContext({ key, cert: own.cert, ca: authority.cert });
  const file = files(t);
  const keys = ['-cert', file('cert', identity.cert), '-key', file('key', identity.key)];
  const trust = ['-Verify', '1', '-verify_return_error', '-CAfile', file('ca', authority.cert)];
  const where = ['-accept', '127.0.0.1:0', '-naccept', '2', '-rev', '-alpn', 'echo'];
  const server = start(t, 'openssl', ['s_server', ...where, ...args, ...keys, ...trust]);
  const { promise: listening, resolve } = withResolvers<number>();
  const ended = finished(t, server, (said) => {
    const port = /^ACCEPT .*:(\d+)$/m.exec(said)?.[1];
    if (port) resolve(Number(port));
  });
  const port = await Promise.race([listening, ended.then(() => 0)]);
  const visit = async (session?: Buffer): Promise<Buffer> => {
    const connection = await dial(t, port, {
      context,
      servername: 'localhost',
      ALPNProtocols: ['other', 'echo'],
      ...(session && { session }),
      ...options,
    });
    t.is(connection.alpnProtocol, 'echo');
    t.true(connection.authorized);
    t.is(connection.sessionReused, session !== undefined);
    await connection.write('there and back\n');
    t.is(String(await readExactly(connection, 15)), 'kcab dna ereht\n');
    const next = connection.getSession();
    await connection.shutdown();
    return next!;
  };
  await visit(await visit());
  await ended;
  t.is(requests.length, 1);
}
