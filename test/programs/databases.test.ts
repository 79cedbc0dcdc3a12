// Clients of data bases that know only node:tls, over `libssl-async/register`, against real servers; the client's key is a promise.

// oxlint-disable-next-line no-unassigned-import -- for what it does
import 'libssl-async/register';

import { once } from 'node:events';

import test from 'ava';
import { Redis } from 'ioredis';
import { metrics } from 'libssl-async';
import { TLSSocket } from 'libssl-async/tls';
import { type Connection, type ConnectionOptions, createConnection, createPool } from 'mysql2/promise';
import { Client, Pool } from 'pg';

import { issue } from '../support/certificates.ts';
import { mariadb, needs, postgres, redis } from '../support/databases.ts';
import { authority } from '../support/identities.ts';
import { HOST } from '../support/peers.ts';
import { remote } from '../support/remote-keys.ts';
import { installed } from '../support/skipping.ts';

const ca = authority.cert;
const user = issue({ issuer: authority, client: true, names: [], subject: 'postgres' });
/** What node:tls's users give as `key`; libraries hand it on. */
const key = remote(user).key as unknown as string;
/** Anew each time, as pg hides the key of what it is given. */
const secure = (): { ca: string; cert: string; key: string } => ({ ca, cert: user.cert, key });

test('ioredis talks to a Redis server', async (t) => {
  if (!installed(t, needs)) return;
  const port = await redis(t);
  const before = metrics();
  const client = new Redis({ host: HOST, port, tls: secure(), lazyConnect: true, retryStrategy: () => null });
  t.teardown(() => client.disconnect());
  await client.connect();
  t.true(client.stream instanceof TLSSocket);
  await client.set('key', 'value');
  t.is(await client.get('key'), 'value');
  const large = 'x'.repeat(1_000_000);
  await client.set('large', large);
  t.is(await client.get('large'), large);
  const counts = await Promise.all(Array.from({ length: 1000 }, () => client.incr('count')));
  t.is(counts.at(-1), 1000);

  const subscriber = client.duplicate();
  t.teardown(() => subscriber.disconnect());
  await subscriber.subscribe('news');
  const heard = once(subscriber, 'message');
  await client.publish('news', 'hello');
  t.deepEqual(await heard, ['news', 'hello']);

  const stranger = new Redis({ host: HOST, port, tls: { ca }, lazyConnect: true, retryStrategy: () => null });
  stranger.on('error', () => {});
  t.teardown(() => stranger.disconnect());
  await t.throwsAsync(stranger.connect().then(() => stranger.ping()));
  t.true(metrics().handshakes - before.handshakes >= 2);
  await client.quit();
});

test('pg talks to a PostgreSQL server, which upgrades the connection', async (t) => {
  if (!installed(t, needs)) return;
  const port = await postgres(t);
  const options = { host: HOST, port, user: 'postgres', database: 'postgres' };
  const client = new Client({ ...options, ssl: secure() });
  await client.connect();
  t.teardown(() => client.end());
  const { rows } = await client.query('SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
  t.deepEqual(rows, [{ ssl: true, version: 'TLSv1.3' }]);
  t.true((client as unknown as { connection: { stream: unknown } }).connection.stream instanceof TLSSocket);
  const large = await client.query("SELECT repeat('x', 1000000) AS text");
  t.is((large.rows[0] as { text: string }).text.length, 1_000_000);

  const pool = new Pool({ ...options, ssl: secure(), max: 10 });
  const before = metrics();
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, number) => {
      const answer = await pool.query<{ sum: number }>('SELECT $1::int + 1 AS sum', [number]);
      return answer.rows[0]!.sum;
    }),
  );
  t.deepEqual(
    answers,
    Array.from({ length: 50 }, (_, number) => number + 1),
  );
  t.true(metrics().handshakes - before.handshakes >= 1);
  await pool.end();

  const stranger = new Client({ ...options, ssl: { ca } });
  await t.throwsAsync(stranger.connect());
  const distrustful = new Client({ ...options, ssl: { ...secure(), ca: issue().cert } });
  await t.throwsAsync(distrustful.connect(), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
});

test('mysql2 talks to a MariaDB server, which upgrades the connection', async (t) => {
  if (!installed(t, needs)) return;
  const port = await mariadb(t);
  const options: ConnectionOptions = { host: HOST, port, user: 'tester' };
  const connect = async (ssl: ConnectionOptions['ssl']): Promise<Connection> => {
    const connection = await createConnection({ ...options, ssl: ssl! });
    t.teardown(() => connection.destroy());
    return connection;
  };
  const client = await connect(secure());
  const [status] = await client.query("SHOW STATUS LIKE 'Ssl_version'");
  t.deepEqual(status as unknown, [{ Variable_name: 'Ssl_version', Value: 'TLSv1.3' }]);
  const [large] = await client.query("SELECT REPEAT('x', 1000000) AS text");
  t.is((large as { text: string }[])[0]!.text.length, 1_000_000);

  const pool = createPool({ ...options, ssl: secure(), connectionLimit: 10 });
  const before = metrics();
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, number) => {
      const [rows] = await pool.query('SELECT ? + 1 AS sum', [number]);
      return (rows as { sum: number }[])[0]!.sum;
    }),
  );
  t.deepEqual(
    answers,
    Array.from({ length: 50 }, (_, number) => number + 1),
  );
  t.true(metrics().handshakes - before.handshakes >= 1);
  await pool.end();

  await t.throwsAsync(connect({ ca }), { code: 'ER_ACCESS_DENIED_ERROR' });
  await t.throwsAsync(connect({ ...secure(), ca: issue().cert }), { code: 'HANDSHAKE_SSL_ERROR' });
});
