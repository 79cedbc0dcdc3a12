import { AsyncResource } from 'node:async_hooks';
import { KeyObject, createPublicKey } from 'node:crypto';
import { type InspectOptions, inspect } from 'node:util';

import { native } from './binding.ts';
import { belongsToBuild } from './build.ts';
import { type RequestMessage, requests } from './diagnostics.ts';
import { answered, environment, registerKey } from './environment.ts';
import { abortError, keepFailure, nativeCall } from './errors.ts';
import type { KeyStats } from './metrics.ts';
import type { NativeEvent, NativeRemoteKey } from './native.d.ts';
import { type RemoteKeyOptions, checkRemoteKeyOptions } from './remote-key-options.ts';

/** Requests that are handed to signers in one turn of the event loop: more would stall it if signers are synchronous. */
const REQUESTS_PER_TURN = 8;

const waiting: (() => void)[] = [];
let started = 0;

/** A private key that is somewhere else; made by {@link createRemoteKey}, and given to contexts as their `key`. */
export class RemoteKey {
  readonly #options: RemoteKeyOptions;
  readonly #resource = new AsyncResource('libssl-async.RemoteKey');
  readonly #native: NativeRemoteKey;
  readonly #requests = new Map<number, Request>();

  static {
    belongsToBuild(this.prototype);
  }

  /** @internal */
  constructor(options: RemoteKeyOptions) {
    checkRemoteKeyOptions(options);
    this.#options = options;
    this.#native = makeNative(options);
    registerKey(this.#native.id, this);
  }

  /** @internal */
  get native(): NativeRemoteKey {
    return this.#native;
  }

  /** What `util.inspect` and `console.log` show. */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { concurrency, timeout } = this.#options;
    return `RemoteKey ${inspect({ pending: this.pending, concurrency, timeout }, options)}`;
  }

  /** Requests that the signer has, and has not answered yet. */
  get pending(): number {
    return this.#requests.size;
  }

  /** What it was asked so far, and how that ended. */
  stats(): KeyStats {
    return this.#native.stats();
  }

  /** @internal What the environment tells. */
  onEvent(event: NativeEvent): void {
    const request = event.request!;
    if (event.type === 'cancelled') {
      const cancelled = this.#requests.get(request);
      this.#requests.delete(request);
      return cancelled?.cancel();
    }
    const pending = new Request();
    this.#requests.set(request, pending);
    inTurn(() => {
      if (!pending.isCancelled) void this.#perform(event, pending);
    });
  }

  async #perform(event: NativeEvent, pending: Request): Promise<void> {
    const request = event.request!;
    if (requests.isWatched) pending.watch({ key: this, operation: event.type as 'sign', scheme: event.scheme });
    try {
      const answer = await this.#resource.runInAsyncScope(() => this.#call(event, pending));
      if (!(answer instanceof Uint8Array)) {
        throw new TypeError(`the signer returned ${describe(answer)} in place of a Uint8Array`);
      }
      if (!this.#finish(request)) return;
      pending.tell();
      environment.answer(request, answer, null);
    } catch (error) {
      if (this.#finish(request)) {
        pending.tell(error);
        keepFailure(request, error);
        environment.answer(request, null, error instanceof Error ? error.message : String(error));
      }
    }
  }

  #call(event: NativeEvent, pending: Request): Uint8Array | PromiseLike<Uint8Array> {
    if (event.type === 'decrypt') {
      return this.#options.decryptRaw!({
        ciphertext: event.message!,
        get signal() {
          return pending.signal;
        },
      });
    }
    return this.#options.sign({
      scheme: event.scheme!,
      digest: event.digest ?? undefined,
      message: event.message!,
      get signal() {
        return pending.signal;
      },
    });
  }

  /** Whether somebody still waits for the answer. */
  #finish(request: number): boolean {
    answered(request);
    return this.#requests.delete(request);
  }
}

/** What a signer is asked for. Its signal is made when it is asked for, as most signers never do. */
class Request {
  #isCancelled = false;
  #controller: AbortController | undefined;
  #message: RequestMessage | undefined;

  /** Has those who subscribe told what becomes of it. */
  watch(message: RequestMessage): void {
    this.#message = message;
    requests.start(message);
  }

  /** It has an answer, or none for the reason of `error`. */
  tell(...error: [] | [unknown]): void {
    const message = this.#message;
    if (!message) return;
    if (error.length === 0) return requests.end(message);
    [message.error] = error;
    requests.error(message);
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isCancelled) this.#controller.abort();
    return this.#controller.signal;
  }

  cancel(): void {
    this.#isCancelled = true;
    this.#controller?.abort();
    if (this.#message) this.tell(abortError(this.signal));
  }
}

/**
 * A private key whose signer is a function of yours, for a context's `key`: in a KMS, an HSM, a worker thread.
 *
 * Each handshake that needs it pauses while the promise is pending, and nothing else waits. Throws if the options are
 * wrong. Corresponds to a key of a provider that pauses with `ASYNC_pause_job`.
 */
export function createRemoteKey(options: RemoteKeyOptions): RemoteKey {
  return new RemoteKey(options);
}

function makeNative(options: RemoteKeyOptions): NativeRemoteKey {
  const { certificate, schemes, concurrency, timeout } = options;
  return nativeCall(
    () =>
      new native.NativeRemoteKey(environment, {
        publicKey: publicHalf(options),
        publicKeyOption: certificate === undefined ? 'publicKey' : 'certificate',
        ...(schemes && { schemes: [...schemes] }),
        ieeeP1363: options.signatureFormat === 'ieee-p1363',
        ...(concurrency !== undefined && { concurrency }),
        ...(timeout !== undefined && { timeout }),
        verifySignatures: options.verifySignatures ?? false,
        decrypts: options.decryptRaw !== undefined,
      }),
  );
}

function publicHalf({ certificate, publicKey }: RemoteKeyOptions): Buffer {
  if (publicKey instanceof KeyObject) {
    const half = publicKey.type === 'private' ? createPublicKey(publicKey) : publicKey;
    return half.export({ type: 'spki', format: 'der' });
  }
  const source =
    publicKey ?? (typeof certificate === 'object' && 'raw' in certificate ? certificate.raw : certificate!);
  return typeof source === 'string'
    ? Buffer.from(source)
    : Buffer.from(source.buffer, source.byteOffset, source.length);
}

function inTurn(start: () => void): void {
  if (started === REQUESTS_PER_TURN) return void waiting.push(start);
  if (started++ === 0) setImmediate(nextTurn);
  start();
}

function nextTurn(): void {
  const starts = waiting.splice(0, REQUESTS_PER_TURN);
  started = starts.length;
  for (const start of starts) start();
  if (started > 0) setImmediate(nextTurn);
}

function describe(value: unknown): string {
  return value === null
    ? 'null'
    : typeof value === 'object'
      ? `an instance of ${value.constructor?.name ?? 'Object'}`
      : `a ${typeof value}`;
}
