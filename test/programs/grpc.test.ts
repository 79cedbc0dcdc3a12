// grpc-js over `libssl-async/register`, to itself and to a peer without; a client's key may be a promise.

// oxlint-disable-next-line no-unassigned-import -- for what it does
import 'libssl-async/register';

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import grpc from '@grpc/grpc-js';
import test, { type ExecutionContext } from 'ava';
import { metrics } from 'libssl-async';
import { createSecureContext } from 'libssl-async/tls';

import { authority, clientIdentity, serverIdentity } from '../support/identities.ts';
import { definition, implementation } from '../support/grpc.ts';
import { HOST } from '../support/peers.ts';
import { start } from '../support/programs.ts';
import { remote } from '../support/remote-keys.ts';

const TestClient = grpc.makeGenericClientConstructor(definition, 'Test');
type Calls = Record<'chat' | 'count' | 'echo' | 'join', (...args: unknown[]) => unknown>;
const ca = Buffer.from(authority.cert);

/** A server that asks for certificates of clients; grpc-js takes its key as bytes only. */
async function serve(t: ExecutionContext): Promise<number> {
  const server = new grpc.Server();
  server.addService(definition, implementation);
  const pair = { private_key: Buffer.from(serverIdentity.key), cert_chain: Buffer.from(serverIdentity.cert) };
  const secure = grpc.ServerCredentials.createSsl(ca, [pair], true);
  t.teardown(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync(`${HOST}:0`, secure, (error, port) => (error ? reject(error) : resolve(port)));
  });
}

function clientOf(t: ExecutionContext, port: number, secure: grpc.ChannelCredentials): Calls {
  const client = new TestClient(`${HOST}:${port}`, secure, { 'grpc.ssl_target_name_override': 'localhost' });
  t.teardown(() => client.close());
  return client as unknown as Calls;
}

/** Of a client whose key is a promise. */
function withPromiseKey(): { secure: grpc.ChannelCredentials; signed: () => number } {
  const { key, requests } = remote(clientIdentity);
  const context = createSecureContext({ ca: authority.cert, cert: clientIdentity.cert, key });
  return { secure: grpc.credentials.createFromSecureContext(context), signed: () => requests.length };
}

function echo(client: Calls, message: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.echo(Buffer.from(message), (error: Error | null, answer?: Buffer) =>
      error ? reject(error) : resolve(String(answer)),
    );
  });
}

async function allCalls(t: ExecutionContext, client: Calls): Promise<void> {
  t.is(await echo(client, 'hello'), 'hello');
  const large = 'x'.repeat(3_000_000);
  t.is(await echo(client, large), large);
  const messages = Array.from({ length: 100 }, (_, number) => `${number}`);
  t.deepEqual(await Promise.all(messages.map((message) => echo(client, message))), messages);

  const counted = client.count(Buffer.from('1000')) as grpc.ClientReadableStream<Buffer>;
  t.is((await counted.toArray()).length, 1000);

  const joined = new Promise((resolve, reject) => {
    const call = client.join((error: Error | null, answer?: Buffer) =>
      error ? reject(error) : resolve(String(answer)),
    ) as grpc.ClientWritableStream<Buffer>;
    for (const message of messages) call.write(Buffer.from(message));
    call.end();
  });
  t.is(await joined, messages.join(''));

  const chat = client.chat() as grpc.ClientDuplexStream<Buffer, Buffer>;
  for (const message of messages) {
    chat.write(Buffer.from(message));
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const [answer] = (await once(chat, 'data')) as [Buffer];
    t.is(String(answer), message);
  }
  chat.end();
  await once(chat, 'end');
}

test.serial('grpc-js calls grpc-js, both over this package', async (t) => {
  const port = await serve(t);
  const before = metrics();
  const { secure, signed } = withPromiseKey();
  await allCalls(t, clientOf(t, port, secure));
  t.is(signed(), 1);
  t.is(metrics().handshakes - before.handshakes, 2);
});

test.serial('grpc-js over this package calls one over node:tls', async (t) => {
  const program = fileURLToPath(new URL('../support/grpc-server.js', import.meta.url));
  const child = start(t, process.execPath, [program]);
  child.stdin.end(JSON.stringify({ ca: authority.cert, key: serverIdentity.key, cert: serverIdentity.cert }));
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const { secure, signed } = withPromiseKey();
  await allCalls(t, clientOf(t, Number(port), secure));
  t.is(signed(), 1);
});

test.serial('grpc-js refuses who has no certificate, and distrusts a server', async (t) => {
  const port = await serve(t);
  const stranger = clientOf(t, port, grpc.credentials.createSsl(ca));
  await t.throwsAsync(echo(stranger, 'hello'), { code: grpc.status.UNAVAILABLE as never });
  const distrustful = clientOf(t, port, grpc.credentials.createSsl(Buffer.from(clientIdentity.cert)));
  await t.throwsAsync(echo(distrustful, 'hello'), {
    code: grpc.status.UNAVAILABLE as never,
    message: /unable to verify the first certificate/,
  });
});
