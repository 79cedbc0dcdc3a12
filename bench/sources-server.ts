// A server whose key operations third-party sources do, over the OpenSSL of Node; in a process of its own.

import {
  type Connection,
  type ContextOptions,
  type Engine,
  createContext,
  createServer,
  loadEngine,
  loadPrivateKey,
} from 'libssl-async/host';

import { answer } from '../examples/support/child.ts';
import { Meter } from '../examples/support/meter.ts';
import { METHODS, compiledEngine } from '../test/host/support/accelerator.ts';
import { certificateOf } from '../test/host/support/serving.ts';
import { PIN, engineOptions, makeTokens, uri } from '../test/host/support/token.ts';
import { type Measurement, type Pair, SETTINGS } from './protocol.ts';

/** A server that listens, and the only certificate that its clients trust. */
export interface Listening {
  readonly port: number;
  readonly cert: string;
}

export type SourcesHandlers = {
  /** With a key that is made in a token. */
  token(label: 'ec' | 'rsa'): Promise<Listening>;
  /** With a key in memory. */
  memory(pair: Pair): Promise<Listening>;
  /** With the test engine, whose queue has this length, from now on. */
  engine(queue: number): Promise<void>;
  begin(): void;
  end(): Measurement;
};

let meter: Meter;
let token: Promise<Engine> | undefined;

answer<SourcesHandlers>({
  async token(label) {
    token ??= loadToken();
    const key = await loadPrivateKey(uri(label), { engine: await token, pin: () => PIN });
    const { authority, cert } = certificateOf(key);
    return { port: await listen({ key, cert }), cert: authority };
  },
  async memory({ key, cert }) {
    return { port: await listen({ key, cert }), cert };
  },
  async engine(queue) {
    const path = compiledEngine(`bench-${queue}.so`);
    if (path === undefined) throw new Error('there are no headers of OpenSSL 3');
    await loadEngine({ path, id: 'async-test', commands: [['QUEUE', String(queue)]], methods: METHODS });
  },
  begin() {
    meter = Meter.start();
  },
  end: () => meter.stop(),
});

function loadToken(): Promise<Engine> {
  makeTokens();
  return loadEngine(engineOptions);
}

async function listen(options: ContextOptions): Promise<number> {
  const { minVersion } = SETTINGS;
  const server = createServer({ context: createContext({ ...options, minVersion, groups: 'X25519' }) });
  const { port } = (await server.listen({ host: '127.0.0.1' })) as { port: number };
  server.on('connection', (connection) => void echo(connection));
  return port;
}

async function echo(connection: Connection): Promise<void> {
  try {
    for await (const chunk of connection) await connection.write(chunk);
    await connection.shutdown();
  } catch {
    connection.destroy();
  }
}
