// What Linux tells of the sockets of this machine.

import { readFile } from 'node:fs/promises';
import { setImmediate as turn } from 'node:timers/promises';

/** Between which ports a socket is: its own, and its peer's. */
interface Ports {
  readonly localPort?: number | undefined;
  readonly remotePort?: number | undefined;
}

/** The timer of a socket that waits for an acknowledgement: others do not show meanwhile. */
const RETRANSMISSION = '01';
const KEEP_ALIVE = '02';

/** In how many seconds a silent peer is probed; none if it never is. */
export async function keepAliveOf(socket: Ports): Promise<number | undefined> {
  for (;;) {
    const [kind, ticks] = await timerOf(socket);
    if (kind !== RETRANSMISSION) return kind === KEEP_ALIVE ? Number.parseInt(ticks!, 16) / 100 : undefined;
    await turn();
  }
}

async function timerOf({ localPort, remotePort }: Ports): Promise<string[]> {
  for (const line of (await readFile('/proc/net/tcp', 'latin1')).split('\n').slice(1)) {
    const [, local, remote, , , timer] = line.trim().split(/\s+/);
    if (local?.endsWith(inHex(localPort!)) && remote?.endsWith(inHex(remotePort!))) return timer!.split(':');
  }
  throw new Error(`there is no socket from ${localPort} to ${remotePort}`);
}

function inHex(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}
