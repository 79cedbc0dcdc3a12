// Nothing is left behind by what fails. Each batch runs alone: it counts the descriptors of the process.

import { once } from 'node:events';

import test, { type ExecutionContext } from 'ava';
import { connect, createContext, createServer, metrics } from 'libssl-async';

import { issueAuthority } from './support/certificates.ts';
import { DRIVERS, type Driver } from './support/drivers.ts';
import { clientContext, serverContext, serverIdentity } from './support/identities.ts';
import { HOST, accepted, nodeClientSocket, serve } from './support/peers.ts';
import { freePort, tcpClient, tcpServer } from './support/proxy.ts';
import { remote } from './support/remote-keys.ts';
import { descriptors, eventually, isIdle } from './support/waiting.ts';

const ROUNDS = 15;

type Batch = (t: ExecutionContext, recordIO: Driver) => Promise<() => Promise<unknown>>;

const stranger = createContext({ ca: issueAuthority({ subject: 'Another CA' }).cert });

/** What is done before the count, and what is done again and again. */
const BATCHES: Record<string, Batch> = {
  'connections that are refused': async (t, recordIO) => {
    const port = await freePort();
    return () =>
      t.throwsAsync(connect({ host: HOST, port, context: clientContext, recordIO }), { code: 'ECONNREFUSED' });
  },
  'servers that are not trusted': async (t, recordIO) => {
    const { port } = await serve(t, { recordIO });
    return () => t.throwsAsync(connect({ host: HOST, port, context: stranger, recordIO }));
  },
  'names that are not theirs': async (t, recordIO) => {
    const { server, port } = await serve(t, { recordIO });
    server.on('connection', (connection) => connection.destroy());
    const options = { host: HOST, port, context: clientContext, servername: 'elsewhere.example', recordIO };
    return () => t.throwsAsync(connect(options), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  },
  'servers that speak no TLS': async (t, recordIO) => {
    const port = await tcpServer(t, (socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    return () => t.throwsAsync(connect({ host: HOST, port, context: clientContext, recordIO }));
  },
  'servers that say nothing': async (t, recordIO) => {
    const port = await tcpServer(t, (socket) => socket.resume().on('end', () => socket.end()));
    const options = { host: HOST, port, context: clientContext, handshakeTimeout: 5, recordIO };
    return () => t.throwsAsync(connect(options), { code: 'ERR_LIBSSL_ASYNC_HANDSHAKE_TIMEOUT' });
  },
  'connections that are aborted': async (t, recordIO) => {
    const port = await tcpServer(t, (socket) => socket.resume().on('end', () => socket.end()));
    return () => {
      const controller = new AbortController();
      const connecting = connect({
        host: HOST,
        port,
        context: clientContext,
        recordIO,
        signal: controller.signal,
      });
      setImmediate(() => controller.abort());
      return t.throwsAsync(connecting, { code: 'ABORT_ERR' });
    };
  },
  'clients that speak no TLS': async (t, recordIO) => {
    const { server, port } = await serve(t, { recordIO });
    return async () => {
      const failed = once(server, 'tlsClientError');
      const peer = await tcpClient(t, port);
      peer.end('GET / HTTP/1.1\r\n\r\n');
      await failed;
      peer.destroy();
    };
  },
  'clients that go while their handshake is paused': async (t, recordIO) => {
    const { key } = remote(serverIdentity, { sign: () => new Promise(() => {}) });
    const context = createContext({ key, cert: serverIdentity.cert });
    const { server, port } = await serve(t, { recordIO, context });
    return async () => {
      const failed = once(server, 'tlsClientError');
      const peer = nodeClientSocket(t, port);
      await eventually(() => key.pending > 0);
      peer.destroy();
      await failed;
    };
  },
  'connections that are destroyed while they do everything': async (t, recordIO) => {
    const { server, port } = await serve(t, { recordIO });
    return async () => {
      const [ours, client] = await Promise.all([
        accepted(server),
        connect({ host: HOST, port, context: clientContext, recordIO }),
      ]);
      for (const connection of [ours, client]) {
        connection.read().catch(() => {});
        void connection.write(Buffer.alloc(8_000_000));
      }
      ours.destroy();
      client.destroy();
    };
  },
  'ports that are taken': async (t, recordIO) => {
    const { port } = await serve(t, { recordIO });
    return () => t.throwsAsync(createServer({ context: serverContext }).listen({ host: HOST, port }));
  },
  'servers that come and go': async (t, recordIO) => {
    const context = serverContext;
    return async () => {
      const server = createServer({ context, recordIO });
      await server.listen({ host: HOST });
      await server.close();
      t.pass();
    };
  },
};

for (const [title, prepare] of Object.entries(BATCHES)) {
  for (const recordIO of DRIVERS) {
    test.serial(`${title} leave nothing behind [${recordIO}]`, async (t) => {
      const batch = await prepare(t, recordIO);
      // The first round makes what stays: workers, the event loop's descriptor.
      await batch();
      t.true(await eventually(isIdle));
      const before = descriptors();
      for (let round = 0; round < ROUNDS; round++) await batch();
      t.true(await eventually(() => isIdle() && descriptors() <= before), `${descriptors()} in place of ${before}`);
      t.is(metrics().leaked, 0);
    });
  }
}
