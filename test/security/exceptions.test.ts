// Code of the user's that throws, in the middle of handshakes and of their ends: told, and nothing is left
// (CVE-2026-21637: exceptions in callbacks of node:tls ended the process, or left a descriptor open).

import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';
import { createContext, metrics } from 'libssl-async';

import { DRIVERS, type Driver } from '../support/drivers.ts';
import { serverIdentity } from '../support/identities.ts';
import { closed, dial, nodeClientSocket, serve } from '../support/peers.ts';
import { remote } from '../support/remote-keys.ts';
import { descriptors, eventually, isIdle } from '../support/waiting.ts';

type Round = () => Promise<unknown>;

const thrown = new Error('thrown by the test');
const fail = (): never => {
  throw thrown;
};

/** The next exception that nobody has caught. */
async function uncaught(): Promise<unknown> {
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  try {
    const [error] = (await once(process, 'uncaughtException')) as [unknown];
    return error;
  } finally {
    for (const listener of listeners) process.on('uncaughtException', listener);
  }
}

/** What throws, and what comes of it. */
const THROWING: Record<string, (t: ExecutionContext, recordIO: Driver) => Promise<Round>> = {
  'a signer': async (t, recordIO) => {
    const { key } = remote(serverIdentity, { sign: fail });
    const { server, port } = await serve(t, { recordIO, context: createContext({ key, cert: serverIdentity.cert }) });
    return async () => {
      const failed = once(server, 'tlsClientError') as Promise<[Error]>;
      await closed(nodeClientSocket(t, port));
      const [error] = await failed;
      t.is(error.cause, thrown);
    };
  },
  checkServerIdentity: async (t, recordIO) => {
    const { server, port } = await serve(t, { recordIO });
    server.on('connection', (connection) => void connection.read().catch(() => {}));
    return () => t.throwsAsync(dial(t, port, { recordIO, checkServerIdentity: fail }), { is: thrown });
  },
  lookup: async (t, recordIO) => {
    return () => t.throwsAsync(dial(t, 1, { recordIO, host: 'localhost', lookup: fail }), { is: thrown });
  },
  'a listener of connections': async (t, recordIO) => {
    const { server, port } = await serve(t, { recordIO });
    server.on('connection', (connection) => {
      connection.destroy();
      fail();
    });
    return async () => {
      const exception = uncaught();
      await closed(nodeClientSocket(t, port));
      t.is(await exception, thrown);
    };
  },
  'a listener of failures': async (t, recordIO) => {
    const { server, port } = await serve(t, { recordIO });
    server.on('tlsClientError', fail);
    return async () => {
      const exception = uncaught();
      await closed(nodeClientSocket(t, port, { ca: '' }));
      t.is(await exception, thrown);
    };
  },
  'an asynchronous callback': async (t, recordIO) => {
    const { key } = remote(serverIdentity);
    const context = createContext({ key, cert: serverIdentity.cert });
    context.setAsyncCallback(fail, undefined);
    const { server, port } = await serve(t, { recordIO, context });
    server.on('connection', (connection) => connection.destroy());
    return async () => {
      const exception = uncaught();
      await closed(nodeClientSocket(t, port));
      t.is(await exception, thrown);
    };
  },
};

for (const [what, prepare] of Object.entries(THROWING)) {
  for (const recordIO of DRIVERS) {
    test.serial(`${what} that throws is told, and no descriptor is left [${recordIO}]`, async (t) => {
      const round = await prepare(t, recordIO);
      // The first makes what stays.
      await round();
      t.true(await eventually(isIdle));
      const before = descriptors();
      for (let count = 0; count < 10; count++) await round();
      t.true(await eventually(() => isIdle() && descriptors() <= before), `${descriptors()} in place of ${before}`);
      t.is(metrics().leaked, 0);
    });
  }
}
