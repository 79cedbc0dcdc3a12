// `npm run soak`: see CONTRIBUTING.md.

import { parseArgs } from 'node:util';

import { table } from '../../examples/support/table.ts';
import { callbacks } from './callbacks.ts';
import { cancellations } from './cancellations.ts';
import { chaos } from './chaos.ts';
import { departures } from './departures.ts';
import { environments } from './environments.ts';
import { hanging } from './hanging.ts';
import type { Ledger } from './ledger.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '20' },
    handshakes: { type: 'string', default: '5000' },
    slice: { type: 'string' },
    departures: { type: 'string', default: '100' },
    threads: { type: 'string', default: '100' },
    clients: { type: 'string', default: '500' },
    requests: { type: 'string', default: '2000' },
  },
});

const SOAKS: Record<string, () => Promise<Ledger>> = {
  chaos: () => chaos(Number(options.seconds)),
  callbacks: () => callbacks(Number(options.requests)),
  cancellations: () =>
    cancellations(Number(options.handshakes), options.slice === undefined ? undefined : Number(options.slice)),
  departures: () => departures(Number(options.departures)),
  hanging: () => hanging(Number(options.clients)),
  environments: () => environments(Number(options.threads)),
};

let faults = 0;
for (const [name, soak] of Object.entries(SOAKS)) {
  if (!name.includes(options.only)) continue;
  const ledger = await watched(soak);
  console.log(`\n${table([[name, '', ''], ...ledger.rows()])}`);
  for (const fault of ledger.faults) console.log(`FAULT: ${fault}`);
  faults += ledger.faults.length;
}
console.log(faults === 0 ? '\nNothing was lost.' : `\n${faults} faults.`);
process.exitCode = faults === 0 ? 0 : 1;

/** Has what nobody caught be a fault. */
async function watched(soak: () => Promise<Ledger>): Promise<Ledger> {
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', note).on('unhandledRejection', note);
  const ledger = await soak();
  process.off('uncaughtException', note).off('unhandledRejection', note);
  for (const error of uncaught) ledger.fault(`uncaught: ${error instanceof Error ? error.stack : String(error)}`);
  return ledger;
}
