// Mail over `libssl-async/register`: nodemailer to smtp-server, where both ends' key is a promise.

// oxlint-disable-next-line no-unassigned-import -- for what it does
import 'libssl-async/register';

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import test, { type ExecutionContext } from 'ava';
import { createTransport } from 'nodemailer';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';

import { issue } from '../support/certificates.ts';
import { authority, clientIdentity, serverIdentity } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';
import { remote } from '../support/remote-keys.ts';

interface Letter {
  readonly text: string;
  readonly session: SMTPServerSession;
}

/** A mail server, which asks for certificates of clients. */
async function serve(
  t: ExecutionContext,
  options: SMTPServerOptions,
): Promise<{ port: number; letters: Letter[]; signed: () => number }> {
  const { key, requests } = remote(serverIdentity);
  const letters: Letter[] = [];
  const server = new SMTPServer({
    key: key as unknown as string,
    cert: serverIdentity.cert,
    ca: authority.cert,
    requestCert: true,
    rejectUnauthorized: true,
    authOptional: true,
    ...options,
    onData(stream, session, callback) {
      void text(stream).then((letter) => {
        letters.push({ text: letter, session });
        callback();
      });
    },
  });
  // Of clients that go.
  server.on('error', () => {});
  server.listen(0, HOST);
  await once(server.server, 'listening');
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)));
  return { port: (server.server.address() as AddressInfo).port, letters, signed: () => requests.length };
}

for (const [name, secure] of [
  ['TLS from the start', true],
  ['STARTTLS', false],
] as const) {
  test(`nodemailer sends letters to smtp-server: ${name}`, async (t) => {
    const { port, letters, signed } = await serve(t, { secure });
    const { key, requests } = remote(clientIdentity);
    const transport = createTransport({
      host: HOST,
      port,
      secure,
      requireTLS: true,
      pool: true,
      maxConnections: 2,
      tls: { ca: authority.cert, key: key as unknown as string, cert: clientIdentity.cert, servername: 'localhost' },
    });
    t.teardown(() => transport.close());
    t.true(await transport.verify());
    const body = 'A line of the letter.\r\n'.repeat(20_000);
    const sent = await Promise.all(
      Array.from({ length: 4 }, (_, number) =>
        transport.sendMail({ from: 'a@localhost', to: 'b@localhost', subject: `Letter ${number}`, text: body }),
      ),
    );
    t.true(sent.every(({ accepted }) => accepted[0] === 'b@localhost'));
    t.is(letters.length, 4);
    for (const { text: letter, session } of letters) {
      t.true(letter.includes(body));
      t.true(session.secure);
    }
    const subjects = letters.map(({ text: letter }) => Number(/Subject: Letter (.*)\r/.exec(letter)![1]));
    t.deepEqual(
      subjects.toSorted((a, b) => a - b),
      [0, 1, 2, 3],
    );
    // One connection of `verify` and two of the pool; with tickets of TLS 1.3, none of them signs again.
    t.true(signed() >= 1 && requests.length >= 1);
  });

  test(`nodemailer distrusts a server, and smtp-server a client: ${name}`, async (t) => {
    const { port, letters } = await serve(t, { secure });
    const options = { host: HOST, port, secure, requireTLS: true };
    const { key } = remote(clientIdentity);
    const identity = { key: key as unknown as string, cert: clientIdentity.cert, servername: 'localhost' };
    const letter = { from: 'a@localhost', to: 'b@localhost', text: 'hello' };
    const distrustful = createTransport({ ...options, tls: { ...identity, ca: issue().cert } });
    const error = await t.throwsAsync<NodeJS.ErrnoException>(distrustful.sendMail(letter));
    t.regex(error.message, /unable to verify the first certificate/);
    const stranger = createTransport({ ...options, tls: { ca: authority.cert, servername: 'localhost' } });
    await t.throwsAsync(stranger.sendMail(letter));
    t.deepEqual(letters, []);
  });
}
