import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Interface, createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

import { onCore } from './cores.ts';

/** What clients do: see crates/load. */
export type Kind = 'bulk' | 'handshakes' | 'idle' | 'messages' | 'storm';

export interface Order {
  readonly kind: Kind;
  readonly port: number;
  /** The server's certificate, in PEM. */
  readonly cert: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface Done {
  readonly operations: number;
  readonly seconds: number;
}

/** The root folder of the package. */
export const root = dirname(createRequire(import.meta.url).resolve('libssl-async/package.json'));

/** The process that makes the load. */
export class Load {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: Interface;

  constructor() {
    const [program, ...args] = [...onCore(1), join(root, 'target/release/load')];
    this.#process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.#process.stdout);
  }

  /** Carries out one order at a time. */
  async run({ cert, ...order }: Order): Promise<Done> {
    const certificate = [...new X509Certificate(cert).raw];
    const line = new Promise<string>((resolve, reject) => {
      const ended = (): void => reject(new Error('the clients have ended'));
      this.#lines.once('close', ended);
      this.#lines.once('line', (text) => {
        this.#lines.off('close', ended);
        resolve(text);
      });
    });
    this.#process.stdin.write(`${JSON.stringify({ ...order, certificate })}\n`);
    const answer = JSON.parse(await line) as Done & { error?: string };
    if (answer.error !== undefined) throw new Error(`${order.kind}: ${answer.error}`);
    return answer;
  }

  /** Ends the process, and with it all connections. */
  stop(): void {
    this.#process.stdin.end();
  }
}
