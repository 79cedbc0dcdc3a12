// Messages for those who subscribe to channels of node:diagnostics_channel; they cost nothing without.

import { type Channel, channel } from 'node:diagnostics_channel';

import type { Connection } from './connection.ts';
import type { Address } from './peer.ts';
import type { RemoteKey } from './remote-key.ts';
import type { Server } from './server.ts';

/** What the channels `libssl-async:handshake:start`, `:end` and `:error` get. */
export interface HandshakeMessage {
  /** The connection; none of a server's where the handshake has failed before anybody had it. */
  readonly connection?: Connection | undefined;
  /** The server that has accepted it, of a failure that is its `tlsClientError`. */
  readonly server?: Server | undefined;
  /** The other end of such a connection, if it is known. */
  readonly peer?: Address | undefined;
  /** Milliseconds that the handshake took, from its beginning on a worker: on the channel `end`. */
  readonly time?: number | undefined;
  /** When it ended there, in milliseconds of `performance.now()`: on the channel `end`. */
  readonly endTime?: number | undefined;
  /** Why the handshake failed: on the channel `error`. */
  readonly error?: Error | undefined;
}

/**
 * What the channels `libssl-async:request:start`, `:end` and `:error` get: a job is paused in between. It is the same object for
 * all messages of one request.
 */
export interface RequestMessage {
  /** The key that is asked. */
  readonly key: RemoteKey;
  /** `sign` or `decrypt`. */
  readonly operation: 'decrypt' | 'sign';
  /** The TLS name of the signature scheme, of `sign`. */
  readonly scheme: string | undefined;
  /** Why there was no answer: of the signer, or an `AbortError` where nobody wanted it any more. */
  error?: unknown;
}

/** Three channels of one name. */
class Phases<Message extends object> {
  readonly #start: Channel;
  readonly #end: Channel;
  readonly #error: Channel;

  constructor(name: string) {
    this.#start = channel(`${name}:start`);
    this.#end = channel(`${name}:end`);
    this.#error = channel(`${name}:error`);
  }

  /** Whether anybody listens to any of them. */
  get isWatched(): boolean {
    return this.#start.hasSubscribers || this.#end.hasSubscribers || this.#error.hasSubscribers;
  }

  start(message: Message): void {
    if (this.#start.hasSubscribers) this.#start.publish(message);
  }

  end(message: Message): void {
    if (this.#end.hasSubscribers) this.#end.publish(message);
  }

  error(message: Message): void {
    if (this.#error.hasSubscribers) this.#error.publish(message);
  }
}

export const handshakes = new Phases<HandshakeMessage>('libssl-async:handshake');
export const requests = new Phases<RequestMessage>('libssl-async:request');
