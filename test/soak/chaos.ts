// The peers, the signer, a worker thread and the listening socket die at random, under load.

import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { type Server, createContext, createRemoteKey, metrics } from 'libssl-async';

import { Child } from '../../examples/support/child.ts';
import { authority, serverIdentity } from '../support/identities.ts';
import type { ClientHandlers } from '../support/clients.ts';
import type { Driver } from '../support/drivers.ts';
import { descriptors, eventually, isIdle } from '../support/waiting.ts';
import { Ledger } from './ledger.ts';
import { below, oneOf } from './random.ts';
import type { SignerHandlers } from './signer.ts';
import { serve, visit } from './traffic.ts';

/** Clients of ours, and of node:tls in another process, at once. */
const AT_ONCE = 24;
/** Milliseconds between two deaths, at most. */
const PEACE = 150;

/** Goes on for some seconds. */
export async function chaos(seconds: number): Promise<Ledger> {
  const ledger = new Ledger();
  const run = new Chaos(ledger);
  // What a process has only once.
  await run.begin();
  await run.end();
  const before = descriptors();
  await run.begin();
  await run.goOn(seconds);
  await run.end();
  if (!(await eventually(() => isIdle() && descriptors() <= before && ledger.pending().length === 0))) {
    ledger.fault(`${descriptors()} descriptors in place of ${before}; ${JSON.stringify(metrics())}`);
    ledger.fault(`pending: ${ledger.pending().join(', ')}`);
  }
  if (metrics().leaked > 0) ledger.fault(`${metrics().leaked} leaked`);
  return ledger;
}

class Chaos {
  readonly #ledger: Ledger;
  readonly #clientContext = createContext({ ca: authority.cert });
  readonly #serverContext;
  #server!: Server;
  #port!: number;
  #signer!: Child<SignerHandlers>;
  #peers!: Child<ClientHandlers>;
  #worker!: Worker;
  #isOver = true;
  #running: Promise<unknown> = Promise.resolve();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    const key = createRemoteKey({
      certificate: serverIdentity.cert,
      timeout: 500,
      sign: ({ message }) => this.#signer.ask('sign', { message, key: serverIdentity.key }),
    });
    this.#serverContext = createContext({ key, cert: serverIdentity.cert });
  }

  async begin(): Promise<void> {
    this.#isOver = false;
    this.#signer = newSigner();
    this.#peers = newPeers();
    await Promise.all([this.#listen(), this.#startWorker()]);
    this.#running = Promise.all([
      this.#keepPeersComing(),
      ...Array.from({ length: AT_ONCE }, () => this.#keepComing()),
    ]);
  }

  async goOn(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000;
    while (performance.now() < end) {
      await delay(below(PEACE));
      await oneOf(
        () => this.#killPeers(),
        () => this.#killSigner(),
        () => this.#terminateWorker(),
        () => this.#closeServer(),
      )();
    }
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    await Promise.all([
      this.#ledger.settle('server.close()', this.#server.close({ timeout: 1000 })),
      this.#worker.terminate(),
      this.#signer.stop(),
      this.#peers.stop(),
    ]);
  }

  async #killPeers(): Promise<void> {
    this.#ledger.count('killed', 'peers');
    this.#peers.kill();
    this.#peers = newPeers();
  }

  async #killSigner(): Promise<void> {
    this.#ledger.count('killed', 'signer');
    this.#signer.kill();
    this.#signer = newSigner();
  }

  async #terminateWorker(): Promise<void> {
    this.#ledger.count('killed', 'worker thread');
    await this.#worker.terminate();
    await this.#startWorker();
  }

  async #closeServer(): Promise<void> {
    this.#ledger.count('killed', 'listening socket');
    const closing = this.#ledger.settle('server.close()', this.#server.close({ timeout: below(50) }));
    await Promise.all([closing, this.#listen()]);
  }

  async #listen(): Promise<void> {
    const { server, port } = await serve(this.#serverContext, oneOf<Driver>('loop', 'worker'), this.#ledger);
    this.#server = server;
    this.#port = port;
  }

  async #startWorker(): Promise<void> {
    this.#worker = new Worker(new URL('./chaos-worker.js', import.meta.url));
    this.#worker.on('error', (error) => this.#ledger.fault(`worker thread: ${error.stack}`));
    await once(this.#worker, 'message');
    this.#worker.on('message', (fault: string) => this.#ledger.fault(`worker thread: ${fault}`));
  }

  async #keepComing(): Promise<void> {
    while (!this.#isOver) await visit(this.#port, this.#clientContext, this.#ledger);
  }

  async #keepPeersComing(): Promise<void> {
    while (!this.#isOver) {
      const visits = { port: this.#port, ca: authority.cert, count: 2 * AT_ONCE, atOnce: AT_ONCE };
      // They may be killed meanwhile, and the server closed under them: what they see is theirs.
      const visited = await this.#peers.ask('visit', visits).catch(() => undefined);
      this.#ledger.count('clients of node:tls', visited ? 'came' : 'killed');
    }
  }
}

function newSigner(): Child<SignerHandlers> {
  return new Child(new URL('./signer.js', import.meta.url));
}

function newPeers(): Child<ClientHandlers> {
  return new Child(new URL('../support/clients.js', import.meta.url));
}
