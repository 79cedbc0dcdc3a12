import type { Kind } from './load.ts';
import type { ContenderName, KeyType } from './protocol.ts';

/** A load, and what is expected of it. */
export interface Scenario {
  /** Its name in the results, and for `--only`. */
  readonly name: string;
  readonly kind: Kind;
  readonly key: KeyType;
  readonly connections: number;
  readonly contenders: readonly ContenderName[];
  /** The most that libssl-async may spend, as a multiple of node:tls: CPU of the process for each operation. */
  readonly target?: number;
  /** The most that the 99th percentile of the event-loop delay may be, as a multiple of its value when idle. */
  readonly delayTarget?: number;
}

/** The most memory that an idle connection may take, as a multiple of node:tls. */
export const MEMORY_TARGET = 0.7;

const BOTH = ['node:tls', 'libssl-async'] as const;
const STREAMS = [...BOTH, 'libssl-async/tls'] as const;
const ALL = [...STREAMS, 'libssl-async, promise key'] as const;

export const SCENARIOS: readonly Scenario[] = [
  handshakes('P-256', 1),
  handshakes('P-256', 32, { target: 0.6 }),
  handshakes('P-256', 256, { delayTarget: 1.25 }),
  handshakes('RSA-2048', 1),
  handshakes('RSA-2048', 32),
  handshakes('RSA-2048', 256),
  { name: 'bulk-1', kind: 'bulk', key: 'P-256', connections: 1, contenders: STREAMS, target: 0.6 },
  { name: 'bulk-8', kind: 'bulk', key: 'P-256', connections: 8, contenders: STREAMS, target: 0.6 },
  { name: 'messages-1', kind: 'messages', key: 'P-256', connections: 1, contenders: STREAMS, target: 0.95 },
  { name: 'messages-32', kind: 'messages', key: 'P-256', connections: 32, contenders: STREAMS, target: 0.65 },
];

function handshakes(
  key: KeyType,
  connections: number,
  targets: Pick<Scenario, 'delayTarget' | 'target'> = {},
): Scenario {
  const name = `handshakes-${key.toLowerCase()}-${connections}`;
  return { name, kind: 'handshakes', key, connections, contenders: ALL, ...targets };
}
