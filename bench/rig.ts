import { Child } from '../examples/support/child.ts';
import { issue } from '../test/support/certificates.ts';
import { onCore } from './cores.ts';
import { Load } from './load.ts';
import {
  CONTENDERS,
  type ContenderName,
  KEY_TYPES,
  type KeyType,
  type Measurement,
  type Pair,
  type ServerHandlers,
} from './protocol.ts';
import type { Scenario } from './scenarios.ts';

/** A contender in one round of a scenario. */
export interface Sample extends Measurement {
  readonly operations: number;
  /** The 99th percentile of its event-loop delay just before, when it was idle; only where it matters. */
  readonly idleP99: number | undefined;
}

/** Contenders on one core, the load on another, and as much of the time for each as for the others. */
export class Rig {
  readonly #load = new Load();
  readonly #servers = new Map<ContenderName, Child<ServerHandlers>>();
  readonly #ports = new Map<string, number>();

  static async start(): Promise<Rig> {
    const rig = new Rig();
    for (const name of CONTENDERS) {
      const server = startServer(name);
      rig.#servers.set(name, server);
      for (const key of KEY_TYPES) rig.#ports.set(`${name} ${key}`, await server.ask('listen', PAIRS[key]));
    }
    return rig;
  }

  /** Loads a contender with a scenario for some seconds. */
  async sample(scenario: Scenario, contender: ContenderName, seconds: number): Promise<Sample> {
    const { kind, key, connections, delayTarget } = scenario;
    const server = this.#servers.get(contender)!;
    const port = this.#ports.get(`${contender} ${key}`)!;
    const idle = delayTarget === undefined ? undefined : await idleFor(server, seconds);
    await server.ask('begin');
    const { operations } = await this.#load.run({ kind, port, cert: PAIRS[key].cert, connections, seconds });
    return { operations, idleP99: idle?.loop.p99, ...(await server.ask('end')) };
  }

  async stop(): Promise<void> {
    this.#load.stop();
    for (const server of this.#servers.values()) await server.stop();
  }
}

/** Bytes of memory that each of some idle connections takes in a new process. */
export async function memoryOf(contender: ContenderName, connections: number): Promise<number> {
  const server = startServer(contender);
  const load = new Load();
  const { cert } = PAIRS['P-256'];
  const port = await server.ask('listen', PAIRS['P-256']);
  // What a process has only once.
  await load.run({ kind: 'handshakes', port, cert, connections: 16, seconds: 0.5 });
  const before = await server.ask('memory');
  await load.run({ kind: 'idle', port, cert, connections, seconds: 0 });
  const after = await server.ask('memory');
  load.stop();
  await server.stop();
  return (after - before) / connections;
}

const PAIRS: Record<KeyType, Pair> = { 'P-256': pair('p-256'), 'RSA-2048': pair('rsa-2048') };

function pair(type: 'p-256' | 'rsa-2048'): Pair {
  const { key, cert } = issue({ type });
  return { key, cert };
}

function startServer(name: ContenderName): Child<ServerHandlers> {
  return new Child(new URL('server.js', import.meta.url), {
    args: [name],
    nodeArgs: ['--expose-gc'],
    prefix: onCore(0),
  });
}

async function idleFor(server: Child<ServerHandlers>, seconds: number): Promise<Measurement> {
  await server.ask('begin');
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return server.ask('end');
}
