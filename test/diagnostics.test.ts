// What channels of node:diagnostics_channel are told.

import { once } from 'node:events';
import * as channels from 'node:diagnostics_channel';
import { PassThrough } from 'node:stream';
import { inspect } from 'node:util';

import test, { type ExecutionContext } from 'ava';
import { type HandshakeMessage, type RequestMessage, createContext } from 'libssl-async';
import * as tls from 'libssl-async/tls';

import { overDriversSerially } from './support/drivers.ts';
import { authority, clientContext, serverContext, serverIdentity } from './support/identities.ts';
import { accepted, closed, dial, nodeClient, nodeClientSocket, serve } from './support/peers.ts';
import { remote, signatureOf } from './support/remote-keys.ts';
import { eventually } from './support/waiting.ts';

interface Told<Message> {
  readonly phase: string;
  readonly message: Message;
}

/** Listens to all phases until the test ends; what they were told. */
function listen<Message>(t: ExecutionContext, name: string, told: Told<Message>[] = []): Told<Message>[] {
  for (const phase of ['start', 'end', 'error']) {
    const hear = (message: unknown): void => void told.push({ phase, message: message as Message });
    const channel = `libssl-async:${name}:${phase}`;
    channels.subscribe(channel, hear);
    t.teardown(() => channels.unsubscribe(channel, hear));
  }
  return told;
}

overDriversSerially('handshakes are told', async (t, recordIO) => {
  const told = listen<HandshakeMessage>(t, 'handshake');
  const { server, port } = await serve(t, { recordIO });
  const [theirs, ours] = await Promise.all([accepted(server), dial(t, port, { recordIO })]);
  const of = (which: unknown): string[] =>
    told.filter(({ message }) => message.connection === which).map(({ phase }) => phase);
  t.deepEqual(of(ours), ['start', 'end']);
  // A worker has begun it.
  t.deepEqual(of(theirs), ['end']);
  t.is(told.length, 3);
});

overDriversSerially('handshakes that fail are told once, with the reason', async (t, recordIO) => {
  const told = listen<HandshakeMessage>(t, 'handshake');
  const { server, port } = await serve(t, { recordIO });
  const failed = once(server, 'tlsClientError') as Promise<[Error]>;
  await closed(nodeClientSocket(t, port, { ca: '' }));
  const [error] = await failed;
  t.is(told.length, 1);
  const [{ phase, message }] = told as [(typeof told)[0]];
  t.is(phase, 'error');
  t.is(message.error, error);
  t.is(message.server, server);
  t.is(message.peer?.family, 'IPv4');

  const refused = await t.throwsAsync(dial(t, 1, { recordIO }));
  t.deepEqual(
    told.slice(1).map((one) => [one.phase, one.message.error]),
    [
      ['start', undefined],
      ['error', refused],
    ],
  );
});

test.serial('the handshakes that somebody begins himself are told once', async (t) => {
  const told = listen<HandshakeMessage>(t, 'handshake');
  const { server, port } = await serve(t, { handshake: false });
  const peer = nodeClientSocket(t, port, { ca: '' });
  const ours = await accepted(server);
  t.is(told.length, 0);
  const error = await t.throwsAsync(ours.handshake());
  t.deepEqual(
    told.map(({ phase, message }) => [phase, message.connection, message.error]),
    [
      ['start', ours, undefined],
      ['error', ours, error],
    ],
  );
  await closed(peer);
  t.is(told.length, 2);
});

test.serial('requests to remote keys are told', async (t) => {
  const told = listen<RequestMessage>(t, 'request');
  const reason = new Error('the vault is closed');
  let asked = 0;
  const { key } = remote(serverIdentity, {
    sign(request) {
      asked++;
      if (asked === 1) return Promise.resolve(signatureOf(request, serverIdentity.privateKey));
      return asked === 2 ? Promise.reject(reason) : new Promise(() => {});
    },
  });
  const { port } = await serve(t, { context: createContext({ key, cert: serverIdentity.cert }) });
  await nodeClient(t, port, { maxVersion: 'TLSv1.3' });
  await closed(nodeClientSocket(t, port));
  const leaving = nodeClientSocket(t, port);
  t.true(await eventually(() => asked === 3));
  leaving.destroy();
  t.true(await eventually(() => told.length === 6));
  t.deepEqual(
    told.map(({ phase }) => phase),
    ['start', 'end', 'start', 'error', 'start', 'error'],
  );
  t.like(told[0]!.message, { key, operation: 'sign', scheme: 'ecdsa_secp256r1_sha256' });
  t.is(told[0]!.message, told[1]!.message);
  t.is(told[3]!.message.error, reason);
  t.like(told[5]!.message.error, { code: 'ABORT_ERR' });
});

test.serial('who looks at what there is sees its state, and no secret', async (t) => {
  const { key } = remote(serverIdentity, { timeout: 1000 });
  const { server, port } = await serve(t, { context: createContext({ key, cert: serverIdentity.cert }) });
  const [theirs, ours] = await Promise.all([accepted(server), dial(t, port)]);
  await theirs.write('hello');
  await ours.read();
  const session = ours.getSession()!;
  const socket = new tls.TLSSocket(new PassThrough(), { ca: authority.cert });
  socket.on('error', () => {});
  socket.setSession(session);
  const shown = [ours, theirs, server, key, socket, clientContext, serverContext].map((value) =>
    inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: Infinity, maxStringLength: Infinity }),
  );
  socket.destroy();
  t.regex(shown[0]!, /^Connection {[^]*protocol: 'TLSv1.3'[^]*cipher: 'TLS_[^]*destroyed: false/);
  t.regex(shown[3]!, /^RemoteKey {[^]*pending: 0[^]*timeout: 1000/);
  const secrets = [serverIdentity.key.split('\n')[1]!, hex(session.subarray(8, 40)), 'PRIVATE'];
  for (const secret of secrets) t.false(shown.some((text) => text.includes(secret)));
});

/** As `inspect` shows bytes. */
function hex(bytes: Buffer): string {
  return bytes.toString('hex').replaceAll(/..(?!$)/g, '$& ');
}
