import { median, table } from '../examples/support/table.ts';
import type { Kind } from './load.ts';
import type { ContenderName } from './protocol.ts';
import type { Sample } from './rig.ts';
import { MEMORY_TARGET, type Scenario } from './scenarios.ts';

/** The samples of a scenario, of all contenders in each round. */
export interface Result {
  readonly scenario: Scenario;
  readonly rounds: readonly ReadonlyMap<ContenderName, Sample>[];
}

/** Bytes for each idle connection, of all contenders in each round. */
export type MemoryRounds = readonly ReadonlyMap<ContenderName, number>[];

/** One contender in one scenario: medians of the rounds. */
export interface Row {
  readonly scenario: string;
  readonly contender: ContenderName;
  readonly rate: number;
  /** CPU time for each operation, of the process and of its JavaScript thread, in microseconds. */
  readonly cpu: number;
  readonly mainThread: number | undefined;
  /** `cpu` as a multiple of node:tls's in the same round: the median, the least and the most of the rounds. */
  readonly ratio: { readonly median: number; readonly least: number; readonly most: number };
  readonly target: number | undefined;
  readonly loopP99: number;
  /** `loopP99` as a multiple of its value when idle. */
  readonly loopRatio: number | undefined;
  readonly delayTarget: number | undefined;
}

export function rowsOf({ scenario, rounds }: Result): Row[] {
  return scenario.contenders.map((contender) => {
    const samples = rounds.map((round) => round.get(contender)!);
    const middle = (figure: (sample: Sample) => number): number => median(samples.map(figure));
    const ratios = rounds.map((round) => cpuOf(round.get(contender)!) / cpuOf(round.get('node:tls')!));
    const isOurs = contender === 'libssl-async';
    return {
      scenario: scenario.name,
      contender,
      rate: middle(({ operations, seconds }) => operations / seconds),
      cpu: middle(cpuOf),
      mainThread:
        samples[0]!.mainThread === undefined
          ? undefined
          : middle(({ mainThread, operations }) => mainThread! / operations),
      ratio: { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) },
      target: isOurs ? scenario.target : undefined,
      loopP99: middle(({ loop }) => loop.p99),
      loopRatio: samples[0]!.idleP99 === undefined ? undefined : middle(({ loop, idleP99 }) => loop.p99 / idleP99!),
      delayTarget: isOurs ? scenario.delayTarget : undefined,
    };
  });
}

/** A table of the CPU time, and of the event-loop delay, for people. */
export function tableOf(rows: readonly Row[], kinds: ReadonlyMap<string, Kind>): string {
  return table([
    ['', '', '/s', 'CPU µs', 'on the JS thread', '× node:tls', '', 'target', 'loop p99 ms', '× idle', 'target'],
    ...rows.map((row) => [
      row.contender === 'node:tls' ? `${row.scenario}, each ${UNITS[kinds.get(row.scenario)!]}` : '',
      row.contender,
      row.rate.toFixed(0),
      row.cpu.toFixed(1),
      row.mainThread?.toFixed(1) ?? '?',
      row.ratio.median.toFixed(2),
      row.contender === 'node:tls' ? '' : `${row.ratio.least.toFixed(2)}…${row.ratio.most.toFixed(2)}`,
      verdict(row.ratio.median, row.target),
      row.loopP99.toFixed(1),
      row.loopRatio?.toFixed(2) ?? '',
      row.loopRatio === undefined ? '' : verdict(row.loopRatio, row.delayTarget),
    ]),
  ]);
}

export interface MemoryRow {
  readonly contender: ContenderName;
  readonly bytes: number;
  readonly ratio: number;
  readonly target: number | undefined;
}

export function memoryRowsOf(rounds: MemoryRounds): MemoryRow[] {
  return [...rounds[0]!.keys()].map((contender) => ({
    contender,
    bytes: median(rounds.map((round) => round.get(contender)!)),
    ratio: median(rounds.map((round) => round.get(contender)! / round.get('node:tls')!)),
    target: contender === 'libssl-async' ? MEMORY_TARGET : undefined,
  }));
}

export function memoryTableOf(rows: readonly MemoryRow[]): string {
  return table([
    ['memory for each idle connection', 'KiB', '× node:tls', 'target'],
    ...rows.map(({ contender, bytes, ratio, target }) => [
      contender,
      (bytes / 1024).toFixed(1),
      ratio.toFixed(2),
      verdict(ratio, target),
    ]),
  ]);
}

const UNITS: Record<Kind, string> = {
  bulk: 'MB',
  handshakes: 'connection',
  idle: 'connection',
  messages: 'message',
  storm: 'connection',
};

function cpuOf({ cpu, operations }: Sample): number {
  return cpu / operations;
}

function verdict(value: number, target: number | undefined): string {
  if (target === undefined) return '';
  return `${value <= target ? 'met' : 'MISSED'} ≤ ${target}`;
}
