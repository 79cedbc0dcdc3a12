// MQTT over `libssl-async/register`: MQTT.js to aedes, where both ends' key is a promise.

// oxlint-disable-next-line no-unassigned-import -- for what it does
import 'libssl-async/register';

import { type EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';
import tls from 'node:tls';

import { Aedes } from 'aedes';
import test, { type ExecutionContext } from 'ava';

import { authority, clientIdentity, serverIdentity } from '../support/identities.ts';
import { HOST, listen } from '../support/peers.ts';
import { remote } from '../support/remote-keys.ts';

/** What is used of MQTT.js, whose own types are those of browsers. */
interface Client extends EventEmitter {
  publishAsync(topic: string, payload: Buffer | string, options: { qos: 1 }): Promise<unknown>;
  subscribeAsync(topic: string, options: { qos: 1 }): Promise<unknown>;
  end(force: boolean): unknown;
}
const mqtt = createRequire(import.meta.url)('mqtt') as {
  connect(options: object): Client;
  connectAsync(options: object): Promise<Client>;
};

interface Broker {
  readonly port: number;
  /** The common name of each client's certificate. */
  readonly names: unknown[];
}

/** A broker, which asks for certificates of clients. */
async function serve(t: ExecutionContext): Promise<Broker> {
  const broker = await Aedes.createBroker();
  const names: unknown[] = [];
  const server = tls.createServer(
    {
      key: remote(serverIdentity).key as unknown as string,
      cert: serverIdentity.cert,
      ca: authority.cert,
      requestCert: true,
    },
    (socket) => {
      names.push(socket.getPeerCertificate().subject.CN);
      broker.handle(socket);
    },
  );
  const port = await listen(t, server);
  t.teardown(() => new Promise<void>((resolve) => broker.close(resolve)));
  return { port, names };
}

function options(port: number): object {
  const key = remote(clientIdentity).key as unknown as string;
  return {
    protocol: 'mqtts',
    host: HOST,
    port,
    ca: authority.cert,
    key,
    cert: clientIdentity.cert,
    servername: 'localhost',
    reconnectPeriod: 0,
  };
}

async function join(t: ExecutionContext, port: number): Promise<Client> {
  const client = await mqtt.connectAsync(options(port));
  t.teardown(() => void client.end(true));
  return client;
}

test('MQTT.js talks to aedes', async (t) => {
  const { port, names } = await serve(t);
  const [publisher, subscriber] = await Promise.all([join(t, port), join(t, port)]);
  t.deepEqual(names, ['client', 'client']);
  await subscriber.subscribeAsync('news/#', { qos: 1 });
  const heard: [string, number][] = [];
  const all = new Promise<void>((resolve) => {
    subscriber.on('message', (topic, payload) => {
      heard.push([topic, payload.length]);
      if (heard.length === 101) resolve();
    });
  });
  await publisher.publishAsync('news/large', Buffer.alloc(1_000_000), { qos: 1 });
  await Promise.all(
    Array.from({ length: 100 }, (_, number) => publisher.publishAsync(`news/${number}`, `${number}`, { qos: 1 })),
  );
  await all;
  t.deepEqual(heard[0], ['news/large', 1_000_000]);
  t.deepEqual(new Set(heard.map(([topic]) => topic)).size, 101);
});

test('MQTT.js distrusts a broker', async (t) => {
  const { port, names } = await serve(t);
  const client = mqtt.connect({ ...options(port), ca: clientIdentity.cert });
  t.teardown(() => void client.end(true));
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  t.deepEqual(names, []);
});
