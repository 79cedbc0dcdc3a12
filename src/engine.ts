import { belongsToBuild } from './build.ts';
import { environment } from './environment.ts';
import { invalidArgument, nativeCall } from './errors.ts';
import { load } from './loading.ts';
import type { NativeEngine, NativeSetting } from './native.d.ts';
import { MOST_MILLISECONDS, checkNames, elements, optionalInteger, optionalString } from './options.ts';

/** A control command: its name, with its value if it takes one. */
export type EngineCommand = string | readonly [name: string, value: string];

/** What an engine can be the default for, named as in `openssl.cnf`; `PKEY_CRYPTO` is X25519, for instance. */
export type EngineMethod = 'CIPHERS' | 'DH' | 'DIGESTS' | 'DSA' | 'EC' | 'PKEY_ASN1' | 'PKEY_CRYPTO' | 'RAND' | 'RSA';

/** Options of {@link loadEngine}. */
export interface EngineOptions {
  /** The id of an engine that OpenSSL knows, or of one of those in the file `path`. One of the two is needed. */
  readonly id?: string | undefined;
  /** The file of the engine. Corresponds to the engine `dynamic` and its command `SO_PATH`. */
  readonly path?: string | undefined;
  /** Control commands to be sent before the engine is initialised, in this order. */
  readonly commands?: readonly EngineCommand[] | undefined;
  /** Control commands to be sent once it is. */
  readonly commandsAfter?: readonly EngineCommand[] | undefined;
  /**
   * Makes the engine the default for these, in the whole process, node:crypto and node:tls included; `'usual'` for all
   * that it can do without breaking what OpenSSL 3 does itself.
   *
   * Default: none, and so the engine serves only the keys that it loads. Corresponds to `ENGINE_set_default`.
   */
  readonly methods?: readonly EngineMethod[] | 'usual' | undefined;
  /**
   * Milliseconds between two polls of the engine by a thread of this package; 0 for none.
   *
   * Default: 1 if `commands` has `ENABLE_EXTERNAL_POLLING`, and none if not. Corresponds to the command `POLL`.
   */
  readonly poll?: number | undefined;
}

/** A control command that an engine lists. */
export interface EngineCommandInfo {
  /** What {@link Engine.control} takes. */
  readonly name: string;
  /** What it does, in the engine's words; often empty. */
  readonly description: string;
  /** What it takes: `'internal'` is what cannot be given as text. */
  readonly input: 'internal' | 'nothing' | 'number' | 'text';
}

/** What an engine has to tell. */
export interface EngineStats {
  /** Requests under way, if the engine tells; corresponds to the command `GET_NUM_REQUESTS_IN_FLIGHT`. */
  readonly inFlight: number | undefined;
  /** How often this package has polled it. */
  readonly polls: number;
}

/** An engine that is loaded and initialised; made by {@link loadEngine}. */
export class Engine {
  readonly #native: NativeEngine;

  static {
    belongsToBuild(this.prototype);
  }

  /** @internal */
  constructor(native: NativeEngine) {
    this.#native = native;
  }

  /** @internal */
  get native(): NativeEngine {
    return this.#native;
  }

  /** Corresponds to `ENGINE_get_id`. */
  get id(): string {
    return nativeCall(() => this.#native.id);
  }

  /** Corresponds to `ENGINE_get_name`. */
  get name(): string {
    return nativeCall(() => this.#native.name);
  }

  /** The control commands that it lists. */
  commands(): EngineCommandInfo[] {
    return nativeCall(() => this.#native.commands()) as EngineCommandInfo[];
  }

  /**
   * Sends a control command, whose value has to be what the engine lists for it. The engine may block.
   *
   * Throws `ERR_LIBSSL_ASYNC_ENGINE_COMMAND_UNKNOWN`, `…_VALUE` and `…_REFUSED`. Corresponds to `ENGINE_ctrl_cmd_string`.
   */
  control(name: string, value?: string | number): void {
    const text = value === undefined ? undefined : String(value);
    nativeCall(() => this.#native.control(name, text));
  }

  /** What it has to tell now. */
  stats(): EngineStats {
    const { inFlight, polls } = nativeCall(() => this.#native.stats());
    return { inFlight, polls };
  }

  /**
   * Undoes its defaults and gives it back; closing again does nothing, all else throws `ERR_LIBSSL_ASYNC_CLOSED`. OpenSSL
   * ends and unloads it when the last key that has it is gone. Corresponds to `ENGINE_finish` and `ENGINE_free`.
   */
  close(): void {
    this.#native.close();
  }
}

/**
 * Loads an engine: its file, `commands`, initialisation, `commandsAfter`, `methods`, polling.
 *
 * Engines work in the host build, `libssl-async/host`, as they use Node's OpenSSL; there, connections whose handshake an
 * engine serves pause while it computes. A process can load an engine once; what blocks meanwhile is no thread of Node's.
 *
 * Rejects with `ERR_LIBSSL_ASYNC_ENGINE_LIBCRYPTO_MISMATCH` if the engine, being bound to another libcrypto, would never
 * see a connection's job, as in the bundled build; with `ENOENT` and the like for the file, and else with
 * `ERR_LIBSSL_ASYNC_ENGINE_<WHAT>` and what OpenSSL and the engine say. Then nothing of it is left.
 */
export async function loadEngine(options: EngineOptions): Promise<Engine> {
  checkNames(options, KNOWN, HINTS);
  const id = optionalString(options.id, 'id');
  const path = optionalString(options.path, 'path');
  if (id === undefined && path === undefined) throw invalidArgument('options.path', 'given, or id', undefined);
  const poll = optionalInteger(options.poll, 'poll', 0, MOST_MILLISECONDS);
  const { methods } = options;
  if (methods !== undefined && methods !== 'usual' && !Array.isArray(methods)) {
    throw invalidArgument('options.methods', "an array of names, or 'usual'", methods);
  }
  const { engine } = await load(() =>
    environment.loadEngine({
      ...(id !== undefined && { id }),
      ...(path !== undefined && { path }),
      commands: elements(options.commands, 'commands').map(setting),
      commandsAfter: elements(options.commandsAfter, 'commandsAfter').map(setting),
      methods: methods === 'usual' ? [] : [...(methods ?? [])],
      usualMethods: methods === 'usual',
      ...(poll !== undefined && { poll }),
    }),
  );
  return new Engine(engine!);
}

/** What the addon has of an engine; throws for anything else. */
export function engineOf(engine: unknown): NativeEngine {
  if (engine instanceof Engine) return engine.native;
  throw invalidArgument('options.engine', 'an Engine, from loadEngine()', engine);
}

const KNOWN: readonly (keyof EngineOptions)[] = ['commands', 'commandsAfter', 'id', 'methods', 'path', 'poll'];
const HINTS = { defaults: 'give methods', flags: 'give methods' };

function setting({ name, value }: { name: string; value: unknown }): NativeSetting {
  if (typeof value === 'string') return { name: value };
  if (Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string')) {
    return { name: value[0] as string, value: value[1] as string };
  }
  throw invalidArgument(`options.${name}`, 'the name of a command, or [name, value]', value);
}
