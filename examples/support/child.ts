import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What a child process answers to, by name; each takes one argument. */
export type Handlers = Record<string, (argument: never) => unknown>;

/** How a child process is started. */
export interface ChildOptions {
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  /** A program that starts it, with its arguments. */
  readonly prefix?: readonly string[];
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A process of this Node, whose file has called {@link answer} with handlers of type `H`. */
export class Child<H extends Handlers> {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  constructor(file: URL, { args = [], nodeArgs = [], prefix = [] }: ChildOptions = {}) {
    const [program, ...rest] = [...prefix, process.execPath, ...nodeArgs, fileURLToPath(file), ...args];
    const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', 'ipc'];
    this.#process = spawn(program!, rest, { stdio, serialization: 'advanced' });
    this.#process.on('message', ({ id, value, error }: { id: number; value?: unknown; error?: Error }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(error);
      else waiting?.resolve(value);
    });
    this.#process.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${file.href} ended with ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  /** Has the handler `name` called in the process; resolves and rejects as it does. */
  ask<Name extends keyof H & string>(
    name: Name,
    ...argument: Parameters<H[Name]>
  ): Promise<Awaited<ReturnType<H[Name]>>> {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#process.send({ id, name, argument: argument[0] });
    });
  }

  /** Kills the process; what it has been asked and has not answered fails. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }
}

/** Answers the parent process with `handlers`, those of its `Child<H>`, and ends with it. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- checks that all handlers are there
export function answer<H extends Handlers>(handlers: H): void {
  const call = async (name: string, argument: unknown): Promise<object> => {
    try {
      return { value: await handlers[name]!(argument as never) };
    } catch (error) {
      return { error };
    }
  };
  process.on('message', ({ id, name, argument }: { id: number; name: string; argument: unknown }) => {
    void call(name, argument).then((outcome) => process.send!({ id, ...outcome }));
  });
  process.on('disconnect', () => process.exit());
}
