// Sessions that are resumed, and sessions that are not.

import { randomBytes } from 'node:crypto';

import test, { type ExecutionContext } from 'ava';
import { type ConnectOptions, type Connection, type ContextOptions, createContext } from 'libssl-async';

import { issue, issueAuthority } from '../support/certificates.ts';
import { accepted, dial, serve } from '../support/peers.ts';

const authority = issueAuthority();
const { key, cert } = issue({ issuer: authority });
const trusting = createContext({ ca: authority.cert });

/** Connects to a new server of these options. */
async function visit(
  t: ExecutionContext,
  options: ContextOptions,
  session?: Buffer,
  others: Partial<ConnectOptions> = {},
): Promise<{ client: Connection; session: Buffer | undefined }> {
  const { server, port } = await serve(t, { context: createContext({ key, cert, ...options }) });
  const resuming = session && { session };
  const [ours, client] = await Promise.all([
    accepted(server),
    dial(t, port, { context: trusting, servername: 'localhost', ...resuming, ...others }),
  ]);
  // Tickets come with the first bytes.
  await ours.write('x');
  t.is(String(await client.read()), 'x');
  return { client, session: client.getSession() };
}

const ticketKeys = randomBytes(48);

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`servers that share ticketKeys resume each other's sessions, ${maxVersion}`, async (t) => {
    const first = await visit(t, { ticketKeys, maxVersion });
    t.false(first.client.sessionReused);
    const second = await visit(t, { ticketKeys, maxVersion }, first.session);
    t.true(second.client.sessionReused);
    t.true(second.client.authorized);
  });

  test(`keys can be changed while clients come back, ${maxVersion}`, async (t) => {
    const [old, recent, other] = [randomBytes(48), randomBytes(48), randomBytes(48)];
    const first = await visit(t, { ticketKeys: [old], maxVersion });
    const second = await visit(t, { ticketKeys: [recent, other, old], maxVersion }, first.session);
    t.true(second.client.sessionReused);
    // It got another ticket, of the key that is the first now.
    const third = await visit(t, { ticketKeys: recent, maxVersion }, second.session);
    t.true(third.client.sessionReused);
    const late = await visit(t, { ticketKeys: [recent], maxVersion }, first.session);
    t.false(late.client.sessionReused);
    t.false((await visit(t, { ticketKeys: [other, old], maxVersion }, third.session)).client.sessionReused);
  });

  test(`a ticket that was tampered with is of no use, ${maxVersion}`, async (t) => {
    const { session } = await visit(t, { ticketKeys, maxVersion });
    for (const at of [
      10,
      session!.indexOf(ticketKeys.subarray(0, 16)),
      session!.indexOf(ticketKeys.subarray(0, 16)) + 20,
    ]) {
      const tampered = Buffer.from(session!);
      tampered[at]! ^= 1;
      const again = await visit(t, { ticketKeys, maxVersion }, tampered).catch(() => undefined);
      t.not(again?.client.sessionReused, true, `at ${at}`);
    }
  });

  test(`servers with keys of their own do not, ${maxVersion}`, async (t) => {
    const first = await visit(t, { maxVersion });
    const second = await visit(t, { maxVersion }, first.session);
    t.false(second.client.sessionReused);
  });

  test(`servers that trust others do not, ${maxVersion}`, async (t) => {
    const first = await visit(t, { ticketKeys, maxVersion });
    const second = await visit(t, { ticketKeys, maxVersion, ca: authority.cert }, first.session);
    t.false(second.client.sessionReused);
  });

  test(`servers of different sessionIdContext do not, ${maxVersion}`, async (t) => {
    const first = await visit(t, { ticketKeys, maxVersion, sessionIdContext: 'a' });
    const second = await visit(t, { ticketKeys, maxVersion, sessionIdContext: 'b' }, first.session);
    t.false(second.client.sessionReused);
  });

  test(`no tickets, nothing to resume, ${maxVersion}`, async (t) => {
    const first = await visit(t, { ticketKeys, maxVersion, tickets: 0 });
    const second = await visit(t, { ticketKeys, maxVersion, tickets: 0 }, first.session);
    t.false(second.client.sessionReused);
  });
}

test('a session of a server that was not verified is not resumed where it would be refused', async (t) => {
  const others = { context: createContext({ ca: [] }) };
  const first = await visit(t, { ticketKeys }, undefined, { ...others, rejectUnauthorized: false });
  t.false(first.client.authorized);
  await t.throwsAsync(visit(t, { ticketKeys }, first.session, others), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' });
  const again = await visit(t, { ticketKeys }, first.session, { ...others, rejectUnauthorized: false });
  t.true(again.client.sessionReused);
  t.is(again.client.authorizationError, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
});
