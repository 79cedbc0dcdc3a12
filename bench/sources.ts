import { setTimeout as delay } from 'node:timers/promises';

import { Child } from '../examples/support/child.ts';
import type { Measurement } from '../examples/support/meter.ts';
import { median, table } from '../examples/support/table.ts';
import { issue } from '../test/support/certificates.ts';
import { onCore } from './cores.ts';
import { Load } from './load.ts';
import type { Listening, SourcesHandlers } from './sources-server.ts';

/** A server under handshakes, and its event loop just before. */
export interface SourceSample extends Measurement {
  readonly handshakes: number;
  readonly idleP99: number;
}

/** Samples of all servers in each round, by their names. */
export type SourceRounds = readonly ReadonlyMap<string, SourceSample>[];

/** Handshakes at once with the keys of a token, and with keys in memory. */
export async function measureTokens(rounds: number, seconds: number): Promise<SourceRounds> {
  const server = start();
  const [rsa, ec] = [issue({ type: 'rsa-2048' }), issue()];
  const servers = {
    'RSA, token': await server.ask('token', 'rsa'),
    'RSA, memory': await server.ask('memory', { key: rsa.key, cert: rsa.cert }),
    'P-256, token': await server.ask('token', 'ec'),
    'P-256, memory': await server.ask('memory', { key: ec.key, cert: ec.cert }),
  };
  const all = Object.entries(servers).map(([name, listening]) => ({ name, server, listening }));
  return measure(all, 32, rounds, seconds);
}

/** 256 handshakes at once with the test engine, whose queue is short or long. */
export async function measureQueues(rounds: number, seconds: number): Promise<SourceRounds> {
  const { key, cert } = issue({ type: 'rsa-2048' });
  const all = [];
  for (const queue of [1024, 8]) {
    const server = start();
    await server.ask('engine', queue);
    all.push({ name: `a queue of ${queue}`, server, listening: await server.ask('memory', { key, cert }) });
  }
  return measure(all, 256, rounds, seconds);
}

/** Medians, and ratios within a round: of the CPU time to that of the server that is the reference. */
export function sourcesTableOf(rounds: SourceRounds, reference: (name: string) => string): string {
  const rows = [...rounds[0]!.keys()].map((name) => {
    const figure = (of: (sample: SourceSample, other: SourceSample) => number): string =>
      median(rounds.map((round) => of(round.get(name)!, round.get(reference(name))!))).toFixed(2);
    return [
      name,
      String(rounds.reduce((sum, round) => sum + round.get(name)!.handshakes, 0)),
      median(rounds.map((round) => cpu(round.get(name)!))).toFixed(0),
      figure((sample, other) => cpu(sample) / cpu(other)),
      figure(({ loop }) => loop.p99),
      figure(({ idleP99 }) => idleP99),
      figure(({ loop, idleP99 }) => loop.p99 / idleP99),
    ];
  });
  return table([['', 'handshakes', 'CPU each, µs', '×', 'loop p99 ms', 'idle', '× idle'], ...rows]);
}

function cpu({ cpu: spent, handshakes }: SourceSample): number {
  return spent / handshakes;
}

interface Entrant {
  readonly name: string;
  readonly server: Child<SourcesHandlers>;
  readonly listening: Listening;
}

async function measure(all: Entrant[], connections: number, rounds: number, seconds: number): Promise<SourceRounds> {
  const load = new Load();
  const visit = ({ listening: { port, cert } }: Entrant, time: number): Promise<{ operations: number }> =>
    load.run({ kind: 'handshakes', port, cert, connections, seconds: time });
  for (const entrant of all) await visit(entrant, 0.5);
  const measured = [];
  for (let round = 0; round < rounds; round++) {
    const samples = new Map<string, SourceSample>();
    for (const entrant of round % 2 === 0 ? all : all.toReversed()) {
      const { name, server } = entrant;
      await server.ask('begin');
      await delay(seconds * 1000);
      const { loop: idle } = await server.ask('end');
      await server.ask('begin');
      const { operations: handshakes } = await visit(entrant, seconds);
      samples.set(name, { ...(await server.ask('end')), handshakes, idleP99: idle.p99 });
    }
    measured.push(new Map(all.map(({ name }) => [name, samples.get(name)!])));
  }
  load.stop();
  for (const server of new Set(all.map((entrant) => entrant.server))) await server.stop();
  return measured;
}

function start(): Child<SourcesHandlers> {
  return new Child(new URL('sources-server.js', import.meta.url), { prefix: onCore(0) });
}
