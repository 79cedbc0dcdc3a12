import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { Child } from '../examples/support/child.ts';
import type { Measurement } from '../examples/support/meter.ts';
import { median, table } from '../examples/support/table.ts';
import { issue } from '../test/support/certificates.ts';
import { onCore } from './cores.ts';
import { WEB, type WebHandlers, type WebName } from './web-server.ts';

/** A web server under requests. */
export interface WebSample extends Measurement {
  readonly requests: number;
}

/** Samples of all servers in each round, by their names. */
export type WebRounds = readonly ReadonlyMap<WebName, WebSample>[];

const CONNECTIONS = 32;
/** Requests under way at once on a connection of HTTP/2. */
const STREAMS = 10;

const run = promisify(execFile);

/** Requests over connections that are kept, made by h2load. */
export async function measureWeb(rounds: number, seconds: number): Promise<WebRounds> {
  const { key, cert } = issue();
  const servers = new Map<WebName, { server: Child<WebHandlers>; port: number }>();
  for (const name of WEB) {
    const server = new Child<WebHandlers>(new URL('web-server.js', import.meta.url), {
      args: [name],
      prefix: onCore(0),
    });
    servers.set(name, { server, port: await server.ask('listen', { key, cert }) });
  }
  for (const [name, { port }] of servers) await load(name, port, 1);
  const measured = [];
  for (let round = 0; round < rounds; round++) {
    const samples = new Map<WebName, WebSample>();
    for (const name of round % 2 === 0 ? WEB : WEB.toReversed()) {
      const { server, port } = servers.get(name)!;
      await server.ask('begin');
      const requests = await load(name, port, seconds);
      samples.set(name, { ...(await server.ask('end')), requests });
    }
    measured.push(samples);
  }
  for (const { server } of servers.values()) await server.stop();
  return measured;
}

/** Medians, and ratios within a round: of the CPU time to that of Node's own. */
export function webTableOf(rounds: WebRounds): string {
  const rows = WEB.map((name) => {
    const own = name.replace('libssl-async/', 'node:') as WebName;
    const of = (figure: (sample: WebSample) => number): number =>
      median(rounds.map((round) => figure(round.get(name)!)));
    return [
      name,
      String(rounds.reduce((sum, round) => sum + round.get(name)!.requests, 0)),
      of(cpu).toFixed(1),
      median(rounds.map((round) => cpu(round.get(name)!) / cpu(round.get(own)!))).toFixed(2),
      of(({ mainThread, requests }) => (mainThread ?? NaN) / requests).toFixed(1),
      of(({ loop }) => loop.p99).toFixed(2),
    ];
  });
  return table([['', 'requests', 'CPU each, µs', '×', 'of the JavaScript thread', 'loop p99 ms'], ...rows]);
}

function cpu({ cpu: spent, requests }: WebSample): number {
  return spent / requests;
}

async function load(name: WebName, port: number, seconds: number): Promise<number> {
  const version = name.endsWith('https') ? ['--h1'] : ['-m', `${STREAMS}`];
  const [program, ...args] = [...onCore(1), 'h2load', '-c', `${CONNECTIONS}`, '-D', `${seconds}`, ...version];
  const { stdout } = await run(program!, [...args, `https://127.0.0.1:${port}/`]);
  const [, done, failed] = /(\d+) done, \d+ succeeded, (\d+) failed/.exec(stdout) ?? [];
  if (failed !== '0') throw new Error(`${name}: ${stdout}`);
  return Number(done);
}
