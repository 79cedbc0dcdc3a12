// All probes, by what the table of docs/node-tls.md calls the names.

import type { Probe } from './bench.ts';
import { CONNECT_BEYOND_NODE, CONNECT_OPTIONS } from './connect-options.ts';
import { CONTEXT_OPTIONS } from './context-options.ts';
import { SERVER_EVENTS, SOCKET_EVENTS } from './events.ts';
import { SERVER_BEYOND_NODE, SERVER_OPTIONS, SERVER_PROPERTIES } from './server-options.ts';
import { SOCKET_BEYOND_NODE, SOCKET_OPTIONS } from './socket-options.ts';

export const PROBES: Readonly<Record<string, Probe>> = {
  ...named('option of TLSSocket', SOCKET_OPTIONS),
  ...named('option of connect', CONNECT_OPTIONS),
  ...named('option of createSecureContext', CONTEXT_OPTIONS),
  ...named('option of createServer', SERVER_OPTIONS),
  ...named('property of Server', SERVER_PROPERTIES),
};

/** Events: nothing can be left out. */
export const EVENTS: Readonly<Record<string, Probe>> = {
  ...named('event of Server', SERVER_EVENTS),
  ...named('event of TLSSocket', SOCKET_EVENTS),
};

/** What Node leaves out of account: what is to come of it, and the probe. */
export const BEYOND_NODE: Readonly<Record<string, [expected: unknown, probe: Probe]>> = {
  ...named('option of connect', CONNECT_BEYOND_NODE),
  ...named('option of createServer', SERVER_BEYOND_NODE),
  ...named('option of TLSSocket', SOCKET_BEYOND_NODE),
};

/** Whether a probe tells that a name is here. */
export function isProbed(name: string): boolean {
  return [PROBES, EVENTS, BEYOND_NODE].some((probes) => name in probes);
}

function named<Value>(kind: string, values: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${kind} ${name}`, value]));
}
