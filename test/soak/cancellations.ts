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
import { type Memory, TENTHS, checkMemory, sample } from './memory.ts';
import { below, oneOf } from './random.ts';
import { Slices } from './slices.ts';

const host = '127.0.0.1';
const AT_ONCE = 64;
/** Pairs after which memory is measured, at most. */
const BATCH = 1000;
/**
 * Cancels handshakes until there were `count`; memory is only told with `--expose-gc`.
 *
 * With `seconds`, stops after that time, and counts those of earlier runs of that kind.
 */
export async function cancellations(count: number, seconds?: number): Promise<Ledger> {
  const ledger = new Ledger();
  const slices = seconds === undefined ? undefined : Slices.begin();
  const wanted = count - (slices?.sum('cancelled') ?? 0);
  const rig = await Rig.start(ledger);
  await rig.measure();
  // What is made once, and the most that is needed at once.
  await rig.run(Math.max(count / TENTHS, 20 * AT_ONCE));
  await rig.settle();
  const before = metrics();
  const open = descriptors();
  const begun = performance.now();
  const elapsed = (): number => (performance.now() - begun) / 1000;
  const samples: Memory[] = [];
  rig.cancelled = 0;
  while (rig.cancelled < wanted && elapsed() < (seconds ?? Infinity)) {
    await rig.run(Math.min(BATCH, count / TENTHS));
    await rig.settle();
    samples.push(await sample());
  }
  const grown = growth(before);
  const { cancelled } = rig;
  const left = descriptors();
  await rig.stop();

  if (left > open) ledger.fault(`${left} descriptors in place of ${open}`);
  if (globalThis.gc) checkMemory(ledger, samples);
  ledger.count('cancelled', `${cancelled} handshakes in ${elapsed().toFixed(0)} s`);
  for (const [name, value] of Object.entries(grown)) ledger.count('metrics', `${name}: ${value}`);
  ledger.count('signers', `aborted ${rig.aborted}`);
  if (grown.pauses !== grown.resumes || grown.pauses !== grown.callbacks)
    ledger.fault('pauses, resumes and callbacks differ');
  if (grown.leaked > 0) ledger.fault(`${grown.leaked} leaked`);
  if (ledger.pending().length > 0) ledger.fault(`pending: ${ledger.pending().join(', ')}`);
  if (slices) {
    const { pauses, resumes, callbacks, drained, leaked } = grown;
    const counted = { pauses, resumes, callbacks, drained, leaked };
    slices.end({ seconds: elapsed(), cancelled, ...counted, faults: ledger.faults.length });
    for (const name of ['seconds', 'cancelled', 'pauses', 'resumes', 'drained', 'leaked', 'faults'] as const) {
      ledger.count('all slices', `${name}: ${slices.sum(name).toFixed(0)}`);
    }
    if (slices.crashed > 0) ledger.fault(`${slices.crashed} slices did not end`);
  }
  return ledger;
}

class Rig {
  readonly #ledger: Ledger;
  /** Milliseconds that a handshake takes which nobody cancels; at first without an end, so that none is. */
  #usual = Infinity;
  aborted = 0;
  /** Pairs whose client did not finish its handshake. */
  cancelled = 0;
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
        while (begun++ < count) if (!(await this.#one())) this.cancelled++;
      }),
    );
  }

  /** Waits until nothing is left of all that was cancelled. */
  async settle(): Promise<void> {
    const servers = [this.#server, this.#early];
    const settled = (): boolean =>
      isIdle() &&
      this.#keys.every(({ pending }) => pending === 0) &&
      servers.every(({ connections }) => connections === 0);
    if (!(await eventually(settled))) this.#ledger.fault(`not idle: ${JSON.stringify(metrics())}`);
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

  /** Whether the client has finished its handshake. */
  #one(): Promise<boolean> {
    return oneOf(
      () => this.#abort(),
      () => this.#destroy(),
      () => this.#disappear(),
    )();
  }

  /** Gives up by a signal, from the first attempt to connect on. */
  async #abort(): Promise<boolean> {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), this.#moment());
    const options = { host, port: oneOf(...this.#ports), context: this.#client, signal: controller.signal };
    const connection = await this.#ledger.settle('connect, aborted', connect(options));
    clearTimeout(timer);
    connection?.destroy();
    return connection !== undefined;
  }

  /** Destroys the connection in the midst of its handshake. */
  async #destroy(): Promise<boolean> {
    const options = { host, port: oneOf(...this.#ports), context: this.#client, handshake: false };
    const connection = await this.#ledger.settle('connect', connect(options));
    return connection !== undefined && (await this.#shakeHands('handshake, cancelled', connection));
  }

  /** A client of node:tls that goes without a word. */
  async #disappear(): Promise<boolean> {
    const socket = net.connect({ host, port: oneOf(...this.#ports) });
    const gone = once(socket, 'close').catch(() => {});
    const peer = tls.connect({ socket, secureContext: this.#secureContext }).on('error', () => {});
    let isDone = false;
    peer.once('secureConnect', () => (isDone = true));
    await delay(this.#moment());
    oneOf(
      () => socket.destroy(),
      () => socket.resetAndDestroy(),
    )();
    await gone;
    return isDone;
  }

  async #shakeHands(what: string, connection: Connection): Promise<boolean> {
    const controller = new AbortController();
    const give = oneOf(
      () => connection.destroy(),
      () => controller.abort(),
    );
    const timer = setTimeout(give, this.#moment());
    const handshake = connection.handshake({ signal: controller.signal }).then(() => true);
    const isDone = await this.#ledger.settle(what, handshake);
    clearTimeout(timer);
    connection.destroy();
    await this.#ledger.settle('closed', connection.closed);
    return isDone === true;
  }

  #moment(): number {
    return below(1.5 * this.#usual);
  }
}
