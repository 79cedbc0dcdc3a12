import { setTimeout as delay } from 'node:timers/promises';

import { Child } from '../examples/support/child.ts';
import type { Measurement } from '../examples/support/meter.ts';
import { table } from '../examples/support/table.ts';
import { issue } from '../test/support/certificates.ts';
import { onCore } from './cores.ts';
import { Load } from './load.ts';
import type { StormHandlers } from './storm-server.ts';

/** A storm of clients against a limit of handshakes. */
export interface StormResult {
  readonly clients: number;
  /** As the clients say. */
  readonly letIn: number;
  /** As the server says. */
  readonly handshakes: number;
  readonly refused: number;
  readonly seconds: number;
  readonly idle: Measurement['loop'];
  readonly storm: Measurement['loop'];
}

const LIMIT = 500;

/** Has so many clients come at once, and compares the event loop meanwhile with the idle one just before. */
export async function measureStorm(clients: number): Promise<StormResult> {
  const server = new Child<StormHandlers>(new URL('storm-server.js', import.meta.url), { prefix: onCore(0) });
  const load = new Load();
  const { key, cert } = issue();
  const port = await server.ask('listen', { key, cert, maxHandshakes: LIMIT });
  // What a process has only once.
  await load.run({ kind: 'idle', port, cert, connections: 16, seconds: 0 });
  await server.ask('begin');
  await delay(2000);
  const { loop: idle } = await server.ask('end');
  await server.ask('begin');
  const { operations } = await load.run({ kind: 'storm', port, cert, connections: clients, seconds: 0 });
  const { loop: storm, handshakes, refused, seconds } = await server.ask('end');
  load.stop();
  await server.stop();
  return { clients, letIn: operations, handshakes, refused, seconds, idle, storm };
}

export function stormTableOf({ clients, letIn, handshakes, refused, seconds, idle, storm }: StormResult): string {
  return table([
    [
      `clients at once, ${LIMIT} handshakes may run`,
      'let in',
      'handshakes',
      'refused',
      's',
      'loop p99 ms',
      'idle',
      '× idle',
    ],
    [
      String(clients),
      String(letIn),
      String(handshakes),
      String(refused),
      seconds.toFixed(2),
      storm.p99.toFixed(1),
      idle.p99.toFixed(1),
      (storm.p99 / idle.p99).toFixed(2),
    ],
  ]);
}
