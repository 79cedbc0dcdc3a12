import type { Child } from '../support/child.ts';
import type { Measurement } from '../support/meter.ts';
import { median, table } from '../support/table.ts';
import type { Counts, ServerHandlers, StormResult } from './storm.ts';

/** A server and what became of it. */
export interface Contender {
  readonly name: string;
  readonly server: Child<ServerHandlers>;
  readonly port: number;
  readonly rounds: Round[];
}

/** One storm: what the clients saw, and what the server spent. */
export interface Round extends StormResult {
  readonly spent: Measurement;
}

/** All that was measured. */
export interface Outcome {
  readonly idle: Measurement;
  readonly contenders: readonly Contender[];
  /** Of the server with the remote key. */
  readonly counts: Counts | undefined;
}

/** A table of the outcome, and what is wrong with it. */
export function report(outcome: Outcome): { text: string; mistakes: string[] } {
  const { idle, contenders, counts } = outcome;
  const every = (figure: (rounds: readonly Round[]) => string): string[] => [
    '',
    ...contenders.map(({ rounds }) => figure(rounds)),
  ];
  const delay = (name: 'p50' | 'p99' | 'max'): string[] => [
    `event-loop delay ${name}, ms`,
    idle.loop[name].toFixed(1),
    ...contenders.map(({ rounds }) => middle(rounds, ({ spent }) => spent.loop[name]).toFixed(1)),
  ];
  const statuses = Object.entries(counts?.statuses ?? {}).map(([status, count]) => `${count} ${status}`);
  const text = table([
    ['', 'idle', ...contenders.map(({ name }) => name)],
    ['handshakes', ...every((rounds) => `${total(rounds, 'right')}`)],
    ['  per second', ...every((rounds) => middle(rounds, ({ right, seconds }) => right / seconds).toFixed(0))],
    ['CPU per handshake, µs', ...every((rounds) => perHandshake(rounds, 'cpu'))],
    ['  on the JavaScript thread', ...every((rounds) => perHandshake(rounds, 'mainThread'))],
    delay('p50'),
    delay('p99'),
    delay('max'),
    ['wrong bytes, failures', ...every((rounds) => `${total(rounds, 'wrong')}, ${total(rounds, 'failed')}`)],
    remote('pauses', counts?.pauses),
    remote('callbacks', counts?.callbacks),
    remote('signatures', counts?.signatures),
    remote('asyncStatus', statuses.join(', ')),
  ]);
  return { text: `${text}\n${NOTE}`, mistakes: [...contenders.flatMap(mistakesOf), ...miscounts(outcome)] };
}

const NOTE = `Medians of the rounds. CPU is that of the server's process, the signing thread included. The delay is the time from
one tick of a timer of 10 ms to the next, so that about 10 ms is an event loop that nothing holds up.`;

function perHandshake(rounds: readonly Round[], spent: 'cpu' | 'mainThread'): string {
  const micros = middle(rounds, (round) => (round.spent[spent] ?? Number.NaN) / round.right);
  return Number.isNaN(micros) ? '?' : micros.toFixed(0);
}

function middle(rounds: readonly Round[], figure: (round: Round) => number): number {
  return median(rounds.map(figure));
}

function total(rounds: readonly Round[], what: 'right' | 'wrong' | 'failed'): number {
  return rounds.reduce((sum, round) => sum + round[what], 0);
}

function mistakesOf({ name, rounds }: Contender): string[] {
  return rounds.flatMap(({ right, wrong, failed, error }) => {
    if (failed > 0) return [`${name}: ${failed} connections failed, the first with ${error}`];
    if (wrong > 0) return [`${name}: ${wrong} connections got bytes that were not theirs`];
    return right === 0 ? [`${name}: there were no connections`] : [];
  });
}

/** Each handshake is one pause, one callback with the status `ok`, and one signature, and nothing is left at the end. */
function miscounts({ contenders, counts }: Outcome): string[] {
  if (!counts) return ['the remote key was not counted'];
  const { statuses, inFlight, paused, ...numbers } = counts;
  const expected = total(contenders.at(-1)!.rounds, 'right');
  const wrong = Object.entries({ ...numbers, ...statuses }).filter(([, count]) => count !== expected);
  return [
    ...wrong.map(([name, count]) => `${name}: ${count} in place of ${expected}`),
    ...(inFlight + paused > 0 ? [`${inFlight} handshakes are left in flight, ${paused} of them paused`] : []),
  ];
}

function remote(name: string, value: number | string | undefined): string[] {
  return [name, '', '', `${value ?? '?'}`];
}
