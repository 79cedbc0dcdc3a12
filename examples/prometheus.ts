// The counters of the process and of its keys in the text format of Prometheus, for an endpoint that it scrapes.

import { type Histogram, type RemoteKey, metrics } from 'libssl-async';

/** What `content-type` says of it. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const GAUGES = new Set(['inFlight', 'paused', 'waiting']);

/** All counters, with those of keys under the names that they have here. */
export function exposition(keys: Readonly<Record<string, RemoteKey>> = {}): string {
  const { pauseTime, ...numbers } = metrics();
  const families = Object.entries(numbers).map(([name, value]) => number(name, [['', value]]));
  families.push(histogram('pause_seconds', [['', pauseTime]]));

  const stats = Object.entries(keys).map(([key, remote]) => [label('key', key), remote.stats()] as const);
  if (stats.length === 0) return families.join('');
  for (const name of ['requests', 'answered', 'failed', 'cancelled', 'timedOut', 'inFlight', 'waiting'] as const) {
    const samples = stats.map(([key, its]) => [key, its[name]] as const);
    families.push(number(name, samples, 'key_'));
  }
  const times = stats.map(([key, { time }]) => [key, time] as const);
  families.push(histogram('key_seconds', times));
  return families.join('');
}

type Samples<T> = readonly (readonly [label: string, value: T])[];

function number(name: string, samples: Samples<number>, prefix = ''): string {
  const isGauge = GAUGES.has(name);
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const family = `libssl_async_${prefix}${snake}${isGauge ? '' : '_total'}`;
  const lines = samples.map(([of, value]) => `${family}${braces(of)} ${value}\n`);
  return `# TYPE ${family} ${isGauge ? 'gauge' : 'counter'}\n${lines.join('')}`;
}

/** Buckets are cumulative there, and bounds are seconds. */
function histogram(name: string, samples: Samples<Histogram>): string {
  const family = `libssl_async_${name}`;
  const lines = samples.flatMap(([of, { bounds, counts, sum }]) => {
    let count = 0;
    const buckets = counts.map((more, at) => {
      count += more;
      const bound = at < bounds.length ? bounds[at]! / 1e3 : '+Inf';
      return `${family}_bucket${braces(of, label('le', `${bound}`))} ${count}\n`;
    });
    return [...buckets, `${family}_sum${braces(of)} ${sum / 1e3}\n`, `${family}_count${braces(of)} ${count}\n`];
  });
  return `# TYPE ${family} histogram\n${lines.join('')}`;
}

function label(name: string, value: string): string {
  return `${name}="${value.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}"`;
}

function braces(...labels: string[]): string {
  const given = labels.filter((text) => text !== '');
  return given.length === 0 ? '' : `{${given.join(',')}}`;
}
