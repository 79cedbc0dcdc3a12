// `npm run bench`: libssl-async and node:tls in turns. The options: CONTRIBUTING.md.

import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { versions } from 'libssl-async';

import { root } from './load.ts';
import { measurePaused, pausedTableOf } from './paused.ts';
import { type ContenderName, SETTINGS } from './protocol.ts';
import { type MemoryRounds, type Result, memoryRowsOf, memoryTableOf, rowsOf, tableOf } from './report.ts';
import { Rig, type Sample, memoryOf } from './rig.ts';
import { SCENARIOS } from './scenarios.ts';
import { type SourceRounds, measureQueues, measureTokens, sourcesTableOf } from './sources.ts';
import { measureStorm, stormTableOf } from './storm.ts';
import { type WebRounds, measureWeb, webTableOf } from './web.ts';

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
const seconds = Number(options.seconds ?? (options.quick ? 0.8 : 2));
// V8 compiles what is new to it on threads of its own, which take turns with the event loop on its core.
const warmUp = options.quick ? 0.5 : 5;
const connections = options.quick ? 500 : 2000;
const wanted = (name: string): boolean => options.only.split(',').some((part) => name.includes(part));

console.log(`libssl-async ${versions.package} on OpenSSL ${versions.openssl}; \
Node ${process.versions.node} on OpenSSL ${process.versions.openssl}; ${cpus().length} × ${cpus()[0]?.model}
${SETTINGS.minVersion}, ${SETTINGS.ciphers}, ${SETTINGS.ecdhCurve}, no resumption; rounds: ${rounds}, each ${seconds} s\n`);

const results = await runScenarios();
const memory = wanted('memory') ? await measureMemory() : [];
const paused = wanted('paused') ? await measurePaused(connections) : undefined;
const storm = wanted('storm') ? await measureStorm(2.5 * connections) : undefined;
// Third-party sources need the host build, and what is not installed everywhere: only where they are asked for.
const asked = options.only.split(',');
const tokens = asked.includes('tokens') ? await measureTokens(rounds, seconds) : undefined;
const queues = asked.includes('queues') ? await measureQueues(rounds, seconds) : undefined;
// h2load is not installed everywhere.
const web = asked.includes('web') ? await measureWeb(rounds, seconds) : undefined;
publish();

async function runScenarios(): Promise<Result[]> {
  const scenarios = SCENARIOS.filter(({ name }) => wanted(name));
  if (scenarios.length === 0) return [];
  const collected = scenarios.map((scenario) => ({ scenario, rounds: [] as Map<ContenderName, Sample>[] }));
  const rig = await Rig.start();
  for (const scenario of scenarios) {
    for (const contender of scenario.contenders) await rig.sample(scenario, contender, warmUp);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { scenario, rounds: samples } of collected) {
      progress(`round ${round + 1} of ${rounds}, ${scenario.name}`);
      const sampled = new Map<ContenderName, Sample>();
      const order = round % 2 === 0 ? scenario.contenders : scenario.contenders.toReversed();
      for (const contender of order) sampled.set(contender, await rig.sample(scenario, contender, seconds));
      samples.push(sampled);
    }
  }
  await rig.stop();
  return collected;
}

async function measureMemory(): Promise<MemoryRounds> {
  const measured = [];
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}, memory`);
    const bytes = new Map<ContenderName, number>();
    for (const contender of ['node:tls', 'libssl-async'] as const) {
      bytes.set(contender, await memoryOf(contender, connections));
    }
    measured.push(bytes);
  }
  return measured;
}

function publish(): void {
  const rows = results.flatMap(rowsOf);
  const kinds = new Map(results.map(({ scenario }) => [scenario.name, scenario.kind]));
  if (rows.length > 0) console.log(`\n${tableOf(rows, kinds)}`);
  const memoryRows = memory.length > 0 ? memoryRowsOf(memory) : [];
  if (memoryRows.length > 0) console.log(`\n${memoryTableOf(memoryRows)}`);
  if (paused) console.log(`\n${pausedTableOf(paused)}`);
  if (storm) console.log(`\n${stormTableOf(storm)}`);
  if (tokens) console.log(`\n${sourcesTableOf(tokens, (name) => name.replace('token', 'memory'))}`);
  if (web) console.log(`\n${webTableOf(web)}`);
  if (queues) console.log(`\n${sourcesTableOf(queues, () => 'a queue of 1024')}`);

  const file = join(root, 'target/bench', `node-${process.versions.node}.json`);
  mkdirSync(dirname(file), { recursive: true });
  const samples = results.map((result) => ({
    scenario: result.scenario.name,
    rounds: result.rounds.map((round) => Object.fromEntries(round)),
  }));
  const about = {
    versions,
    node: process.versions.node,
    openssl: process.versions.openssl,
    settings: SETTINGS,
    seconds,
  };
  writeFileSync(
    file,
    `${JSON.stringify({ ...about, rows, memory: memoryRows, paused, storm, tokens: toObjects(tokens), queues: toObjects(queues), web: toObjects(web), samples }, null, 2)}\n`,
  );
  console.log(`\nMedians of the rounds; ratios are those within a round. The same as JSON: ${file}`);
}

function toObjects(measured: SourceRounds | WebRounds | undefined): object[] | undefined {
  return measured?.map((round) => Object.fromEntries(round));
}

function progress(text: string): void {
  console.error(text);
}
