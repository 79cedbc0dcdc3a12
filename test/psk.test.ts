// Keys that both ends have: asked for in the handshake, which waits.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as nodeTls from 'node:tls';

import test from 'ava';
import {
  type PreSharedKey,
  type PskClientCallback,
  type PskServerCallback,
  createContext,
  createServer,
  metrics,
} from 'libssl-async';
import * as tls from 'libssl-async/tls';

import { authority, serverIdentity } from './support/identities.ts';
import { HOST, accepted, dial, listen, nodeServer, serve } from './support/peers.ts';
import { eventually, isIdle } from './support/waiting.ts';

const psk = randomBytes(32);
const identity = 'sensor-1';
const CIPHERS = 'TLS_AES_128_GCM_SHA256:PSK-AES128-GCM-SHA256:ECDHE-PSK-CHACHA20-POLY1305';
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
type Version = (typeof VERSIONS)[number];

/** Contexts without certificates. */
const contexts = Object.fromEntries(
  VERSIONS.map((version) => [
    version,
    createContext({ ca: [], ciphers: CIPHERS, minVersion: version, maxVersion: version }),
  ]),
) as Record<Version, ReturnType<typeof createContext>>;

const knows: PskServerCallback = async (name) => {
  await nextTurn();
  return name === identity ? psk : undefined;
};
const has: PskClientCallback = async () => {
  await nextTurn();
  return { psk, identity };
};

for (const version of VERSIONS) {
  const context = contexts[version];

  test(`both ends have a key and no certificates, ${version}`, async (t) => {
    const names: string[] = [];
    const hints: (string | undefined)[] = [];
    const before = metrics();
    const { server, port } = await serve(t, {
      context,
      pskIdentityHint: 'the sensor’s number',
      pskCallback: (name, connection, options) => {
        names.push(name);
        return knows(name, connection, options);
      },
    });
    const taken = accepted(server);
    const client = await dial(t, port, {
      context,
      pskCallback: (hint, connection, options) => {
        hints.push(hint);
        return has(hint, connection, options);
      },
    });
    const peer = await taken;
    t.deepEqual(names, [identity]);
    t.deepEqual(hints, [version === 'TLSv1.2' ? 'the sensor’s number' : undefined]);
    t.is(client.protocol, version);
    t.true(client.authorized);
    t.is(client.peerCertificate, undefined);
    await client.write('hello');
    t.is(String(await peer.read()), 'hello');
    t.true(metrics().pauses - before.pauses >= 2);
  });

  test(`a key that the server does not know, or another, fails the handshake, ${version}`, async (t) => {
    for (const own of [
      { psk, identity: 'sensor-2' },
      { psk: randomBytes(32), identity },
    ]) {
      const { server, port } = await serve(t, { context, pskCallback: knows });
      const told = once(server, 'tlsClientError') as Promise<[Error]>;
      await t.throwsAsync(dial(t, port, { context, pskCallback: () => own }), { name: 'TlsError' });
      t.regex((await told)[0].name, /TlsError/);
    }
    t.true(await eventually(isIdle));
  });

  test(`what fails a server’s callback fails the handshake, ${version}`, async (t) => {
    const failure = new Error('the data base is down');
    const wrong: [PskServerCallback, object][] = [
      [() => Promise.reject(failure), { message: failure.message }],
      [() => 'key' as unknown as Buffer, { code: 'ERR_INVALID_ARG_TYPE' }],
      [() => Buffer.alloc(0), { code: 'ERR_INVALID_ARG_VALUE' }],
      [() => Buffer.alloc(513), { code: 'ERR_INVALID_ARG_VALUE' }],
    ];
    for (const [pskCallback, cause] of wrong) {
      const { server, port } = await serve(t, { context, pskCallback });
      const told = once(server, 'tlsClientError') as Promise<[Error]>;
      await t.throwsAsync(dial(t, port, { context, pskCallback: has }));
      const [error] = await told;
      t.is((error as NodeJS.ErrnoException).code, 'ERR_LIBSSL_ASYNC_CALLBACK_FAILED');
      t.like(error.cause, cause);
    }
  });

  test(`what fails a client’s callback fails the handshake, ${version}`, async (t) => {
    const failure = new Error('no key');
    const wrong: [PskClientCallback, object][] = [
      [() => Promise.reject(failure), { message: failure.message }],
      [() => 'key' as unknown as PreSharedKey, { code: 'ERR_INVALID_ARG_TYPE' }],
      [() => ({ psk: 1, identity }) as unknown as PreSharedKey, { code: 'ERR_INVALID_ARG_TYPE' }],
      [() => ({ psk, identity: 'x'.repeat(257) }), { code: 'ERR_INVALID_ARG_VALUE' }],
      [() => ({ psk, identity: 'a\0b' }), { code: 'ERR_INVALID_ARG_VALUE' }],
    ];
    const { port } = await serve(t, { context, pskCallback: knows });
    for (const [pskCallback, cause] of wrong) {
      const error = await t.throwsAsync(dial(t, port, { context, pskCallback }), {
        code: 'ERR_LIBSSL_ASYNC_CALLBACK_FAILED',
      });
      t.like(error.cause, cause);
      // A key is not repeated.
      t.false((error.cause as Error).message.includes(psk.toString('hex')));
    }
    t.true(await eventually(isIdle));
  });

  test(`node:tls has the same key, ${version}`, async (t) => {
    const shared = { ciphers: CIPHERS, minVersion: version, maxVersion: version };
    const { port } = await serve(t, { context, pskCallback: knows });
    const theirs = nodeTls.connect({
      port,
      host: HOST,
      ...shared,
      pskCallback: () => ({ psk, identity }),
      checkServerIdentity: () => undefined,
    });
    await once(theirs, 'secureConnect');
    theirs.destroy();

    const names: string[] = [];
    const pskCallback = (_socket: nodeTls.TLSSocket, name: string): Buffer => {
      names.push(name);
      return psk;
    };
    const nodePort = await nodeServer(t, () => {}, { ...shared, key: undefined, cert: undefined, pskCallback });
    const ours = await dial(t, nodePort, { context, pskCallback: has });
    t.true(ours.authorized);
    t.deepEqual(names, [identity]);
  });

  test(`in place of node:tls, callbacks give keys by promises, ${version}`, async (t) => {
    const shared = { ca: [], ciphers: CIPHERS, minVersion: version, maxVersion: version };
    const addresses: (string | undefined)[] = [];
    const server = tls.createServer(
      {
        ...shared,
        pskIdentityHint: 'hint',
        pskCallback: async (socket, name) => {
          addresses.push(socket.remoteAddress);
          await nextTurn();
          return name === identity ? psk : null;
        },
      },
      (socket) => socket.on('error', () => {}).end('welcome'),
    );
    const port = await listen(t, server);
    const hints: unknown[] = [];
    const client = tls.connect({
      port,
      host: HOST,
      ...shared,
      pskCallback: async (hint) => {
        hints.push(hint);
        return { psk, identity };
      },
    });
    await once(client, 'secureConnect');
    t.true(client.authorized);
    t.is(await text(client), 'welcome');
    t.deepEqual(addresses, [HOST]);
    t.deepEqual(hints, [version === 'TLSv1.2' ? 'hint' : null]);
  });
}

test('with TLS 1.3, who has no key goes on with certificates', async (t) => {
  const { key, cert } = serverIdentity;
  const context = createContext({ key, cert, ciphers: CIPHERS });
  const { port } = await serve(t, { context, pskCallback: knows });
  const own = createContext({ ca: authority.cert, ciphers: CIPHERS });
  for (const pskCallback of [() => null, () => ({ psk, identity: 'sensor-2' })]) {
    const client = await dial(t, port, { context: own, pskCallback });
    t.true(client.authorized);
    t.is(client.peerCertificate!.subject, 'CN=localhost');
  }
});

test('a key does not stand for a certificate that is not trusted', async (t) => {
  const { key, cert } = serverIdentity;
  const { port } = await serve(t, { context: createContext({ key, cert, ciphers: CIPHERS }) });
  await t.throwsAsync(dial(t, port, { context: contexts['TLSv1.3'], pskCallback: has }), {
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
});

test('wrong options are refused', async (t) => {
  const context = contexts['TLSv1.3'];
  t.throws(() => createServer({ context, pskCallback: 1 as unknown as PskServerCallback }), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
  t.throws(() => createServer({ context, pskIdentityHint: 'a\0' }), { code: 'ERR_INVALID_ARG_VALUE' });
  await t.throwsAsync(dial(t, 1, { context, pskCallback: 1 as unknown as PskClientCallback }), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
});
