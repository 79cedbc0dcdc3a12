// Handshakes that are cancelled at random points, by either end; memory, descriptors and counters are watched.

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import * as net from 'node:net';
import * as tls from 'node:tls';

import {
  type Address,
  type Connection,
  type SignRequest,
  connect,
  createContext,
  createRemoteKey,
  createServer,
  metrics,
} from 'libssl-async';

import { median } from '../../examples/support/table.ts';
import { authority, clientIdentity, serverIdentity } from '../support/identities.ts';
import { growth, signatureOf } from '../support/remote-keys.ts';
import { descriptors, eventually, isIdle } from '../support/waiting.ts';
import { Ledger } from './ledger.ts';
import { below, oneOf } from './random.ts';

const host = '127.0.0.1';
const AT_ONCE = 64;
const TENTHS = 10;
/** How much more memory the last tenth may have than the first. */
const TOLERANCE = 1.02;

/** Cancels so many; memory is only told with `--expose-gc`. */
export async function cancellations(count: number): Promise<Ledger> {
  const ledger = new Ledger();
  const rig = await Rig.start(ledger);
  await rig.measure();
  // What is made once, and the most that is needed at once.
  await rig.run(Math.max(count / TENTHS, 20 * AT_ONCE));
  const before = metrics();
  const samples = [];
  for (let tenth = 0; tenth < TENTHS; tenth++) {
    await rig.run(count / TENTHS);
    if (!(await eventually(() => isIdle() && rig.isIdle))) ledger.fault(`not idle: ${JSON.stringify(metrics())}`);
    samples.push(await sample());
  }
  const grown = growth(before);
  await rig.stop();

  for (const [index, { memory, open }] of samples.entries()) {
    ledger.count(`after tenth ${index + 1}`, `MiB ${(memory / 2 ** 20).toFixed(1)}, descriptors ${open}`);
  }
  for (const [name, value] of Object.entries(grown)) ledger.count('metrics', `${name}: ${value}`);
  ledger.count('signers', `aborted ${rig.aborted}`);
  const [first, last] = [samples[0]!, samples.at(-1)!];
  if (last.open > first.open) ledger.fault(`${last.open} descriptors in place of ${first.open}`);
  if (globalThis.gc && last.memory > first.memory * TOLERANCE) ledger.fault('memory grows');
  if (grown.pauses !== grown.resumes || grown.pauses !== grown.callbacks)
    ledger.fault('pauses, resumes and callbacks differ');
  if (grown.leaked > 0) ledger.fault(`${grown.leaked} leaked`);
  if (ledger.pending().length > 0) ledger.fault(`pending: ${ledger.pending().join(', ')}`);
  return ledger;
}

async function sample(): Promise<{ memory: number; open: number }> {
  for (let pass = 0; pass < 3; pass++) {
    globalThis.gc?.();
    await delay(20);
  }
  return { memory: process.memoryUsage.rss(), open: descriptors() };
}

class Rig {
  readonly #ledger: Ledger;
  /** Milliseconds that a handshake takes which nobody cancels; at first without an end, so that none is. */
  #usual = Infinity;
  aborted = 0;
  readonly #keys = [serverIdentity, clientIdentity].map((identity) =>
    createRemoteKey({
      certificate: identity.cert,
      timeout: 300,
      sign: (request) => this.#sign(request, identity),
    }),
  );
  readonly #server = createServer({ context: this.#context(0, serverIdentity) });
  /** Hands connections out before their handshake. */
  readonly #early = createServer({ context: this.#context(0, serverIdentity), handshake: false });
  readonly #client = this.#context(1, clientIdentity);
  readonly #secureContext = tls.createSecureContext({
    ca: authority.cert,
    key: clientIdentity.key,
    cert: clientIdentity.cert,
  });
  readonly #ports: number[] = [];

  private constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  static async start(ledger: Ledger): Promise<Rig> {
    const rig = new Rig(ledger);
    rig.#server.on('tlsClientError', (error) => ledger.fail('server', error));
    rig.#server.on('connection', (connection) => {
      ledger.count('server', 'ok');
      connection.destroy();
    });
    rig.#early.on('connection', (connection) => void rig.#shakeHands('server, cancelled', connection));
    for (const server of [rig.#server, rig.#early]) {
      rig.#ports.push(((await server.listen({ host })) as Address).port);
    }
    return rig;
  }

  /** Measures how long handshakes take, when as many run at once as later. */
  async measure(): Promise<void> {
    const times: number[] = [];
    const inTurn = async (): Promise<void> => {
      for (let round = 0; round < 10; round++) {
        const begun = performance.now();
        const connection = await connect({ host, port: this.#ports[0]!, context: this.#client });
        times.push(performance.now() - begun);
        connection.destroy();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, inTurn));
    this.#usual = median(times);
    this.#ledger.count('handshake', `takes ${this.#usual.toFixed(0)} ms when nobody cancels it`);
  }

  async run(count: number): Promise<void> {
    let begun = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (begun++ < count) await this.#one();
      }),
    );
  }

  get isIdle(): boolean {
    const keys = this.#keys.every(({ pending }) => pending === 0);
    return keys && this.#server.connections === 0 && this.#early.connections === 0;
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server.close({ timeout: 0 }), this.#early.close({ timeout: 0 })]);
  }

  #context(key: number, { cert }: { cert: string }): ReturnType<typeof createContext> {
    return createContext({ key: this.#keys[key]!, cert, ca: authority.cert, requestCert: true, tickets: 0 });
  }

  async #sign(request: SignRequest, identity: typeof serverIdentity): Promise<Buffer> {
    request.signal.addEventListener('abort', () => this.aborted++, { once: true });
    const latency = below(8);
    if (this.#usual < Infinity && latency === 7) await new Promise(() => {});
    if (this.#usual < Infinity && latency > 3) await delay(below(this.#usual));
    return signatureOf(request, identity.privateKey);
  }

  #one(): Promise<void> {
    return oneOf(
      () => this.#abort(),
      () => this.#destroy(),
      () => this.#disappear(),
    )();
  }

  /** Gives up by a signal, from the first attempt to connect on. */
  async #abort(): Promise<void> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), this.#moment());
    const options = { host, port: oneOf(...this.#ports), context: this.#client, signal: controller.signal };
    const connection = await this.#ledger.settle('connect, aborted', connect(options));
    clearTimeout(timer);
    connection?.destroy();
  }

  /** Destroys the connection in the midst of its handshake. */
  async #destroy(): Promise<void> {
    const options = { host, port: oneOf(...this.#ports), context: this.#client, handshake: false };
    const connection = await this.#ledger.settle('connect', connect(options));
    if (connection) await this.#shakeHands('handshake, cancelled', connection);
  }

  /** A client of node:tls that goes without a word. */
  async #disappear(): Promise<void> {
    const socket = net.connect({ host, port: oneOf(...this.#ports) });
    const gone = once(socket, 'close').catch(() => {});
    tls.connect({ socket, secureContext: this.#secureContext }).on('error', () => {});
    await delay(this.#moment());
    oneOf(
      () => socket.destroy(),
      () => socket.resetAndDestroy(),
    )();
    await gone;
  }

  async #shakeHands(what: string, connection: Connection): Promise<void> {
    const controller = new AbortController();
    const give = oneOf(
      () => connection.destroy(),
      () => controller.abort(),
    );
    const timer = setTimeout(give, this.#moment());
    await this.#ledger.settle(what, connection.handshake({ signal: controller.signal }));
    clearTimeout(timer);
    connection.destroy();
    await this.#ledger.settle('closed', connection.closed);
  }

  #moment(): number {
    return below(1.5 * this.#usual);
  }
}
