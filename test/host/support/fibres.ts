// Handshakes whose engine uses so much of the stack of each job: run by stacks.test.ts in a process of its own.

import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';

import { type Address, createContext, createServer, loadEngine, metrics } from 'libssl-async/host';

import { issue } from '../../support/certificates.ts';
import { eventually } from '../../support/waiting.ts';
import { METHODS } from './accelerator.ts';

/** How many are paused at once. */
const JOBS = 16;

const [path, kilobytes] = process.argv.slice(2);
const engine = await loadEngine({ path: path!, commands: [['STACK', kilobytes!]], methods: METHODS });
const { key, cert } = issue({ type: 'rsa-2048' });
const server = createServer({ context: createContext({ key, cert, groups: 'X25519', minVersion: 'TLSv1.3' }) });
server.on('connection', (connection) => connection.destroy());
const { port } = (await server.listen({ host: '127.0.0.1' })) as Address;

// Threads, which have guard pages too, are there before they are counted.
await visit();
const before = guardPages();
engine.control('HOLD', 1);
const visits = Array.from({ length: JOBS }, visit);
if (!(await eventually(() => metrics().paused === JOBS))) throw new Error(`${metrics().paused} are paused`);
console.log(JSON.stringify({ jobs: JOBS, guards: guardPages() - before }));
engine.control('HOLD', 0);
await Promise.all(visits);
await server.close();
engine.close();

function visit(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca: cert });
    socket.on('error', reject);
    socket.on('close', () => resolve());
    socket.resume();
  });
}

/** How many pages of this process may not be touched. */
function guardPages(): number {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n');
  return maps.filter((map) => {
    const [range, access] = map.split(' ');
    const [start, end] = range!.split('-').map((address) => Number.parseInt(address, 16)) as [number, number];
    return access === '---p' && end - start === 4096;
  }).length;
}
