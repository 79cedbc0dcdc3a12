// Clients of node:tls in a process of their own, whose event loop is not the server's.

import { setTimeout as delay } from 'node:timers/promises';
import { type SecureContext, connect, createSecureContext } from 'node:tls';

import { answer } from '../../examples/support/child.ts';

/** Whom to visit, and how often. */
export interface Visits {
  readonly port: number;
  readonly ca: string;
  readonly count: number;
  /** How many visits are under way at once. */
  readonly atOnce: number;
}

/** Whom to visit, how often, and how soon one after the other, whatever became of those before. */
export interface Arrivals extends Omit<Visits, 'atOnce'> {
  /** Milliseconds between two arrivals. */
  readonly every: number;
}

/** What became of them. */
export interface Visited {
  readonly succeeded: number;
  /** How long the handshakes of those took that succeeded, in milliseconds. */
  readonly took: readonly number[];
  /** The codes or messages of those that failed. */
  readonly failures: readonly string[];
}

export type ClientHandlers = {
  visit(visits: Visits): Promise<Visited>;
  arrive(arrivals: Arrivals): Promise<Visited>;
};

answer<ClientHandlers>({ visit, arrive });

async function visit({ port, ca, count, atOnce }: Visits): Promise<Visited> {
  const visitor = new Visitor(port, ca);
  let begun = 0;
  const inTurn = async (): Promise<void> => {
    while (begun++ < count) await visitor.shakeHands();
  };
  await Promise.all(Array.from({ length: atOnce }, inTurn));
  return visitor.visited();
}

async function arrive({ port, ca, count, every }: Arrivals): Promise<Visited> {
  const visitor = new Visitor(port, ca);
  const visits: Promise<void>[] = [];
  const begun = performance.now();
  while (visits.length < count) {
    await delay(Math.max(0, begun + visits.length * every - performance.now()));
    visits.push(visitor.shakeHands());
  }
  await Promise.all(visits);
  return visitor.visited();
}

/** Visits one server, and keeps account of it. */
class Visitor {
  readonly #port: number;
  readonly #secureContext: SecureContext;
  readonly #took: number[] = [];
  readonly #failures: string[] = [];

  constructor(port: number, ca: string) {
    this.#port = port;
    this.#secureContext = createSecureContext({ ca });
  }

  /** Connects, ends the connection, and waits until the server has done so too. */
  shakeHands(): Promise<void> {
    const begun = performance.now();
    const options = { port: this.#port, host: '127.0.0.1', secureContext: this.#secureContext };
    return new Promise((resolve) => {
      let failure: NodeJS.ErrnoException = new Error('the handshake was not done');
      const socket = connect(options, () => {
        this.#took.push(performance.now() - begun);
        socket.end();
      });
      socket.on('error', (error) => (failure = error));
      socket.on('close', () => {
        if (!socket.authorized) this.#failures.push(failure.code ?? failure.message);
        resolve();
      });
      socket.resume();
    });
  }

  visited(): Visited {
    return { succeeded: this.#took.length, took: this.#took, failures: this.#failures };
  }
}
