import type { PreSharedKey, PskServerCallback as OwnCallback } from '../psk.ts';
import type { TLSSocket } from './socket.ts';

/**
 * Gives a server the key of an identity, or nothing or `null` if there is none; it may return a promise. `socket` tells who asks:
 * it has no connection yet.
 */
export type PskServerCallback = (socket: TLSSocket, identity: string) => ReturnType<OwnCallback>;

/** Gives a client its key, or nothing or `null` if it has none; it may return a promise. `hint` is a server's of TLS 1.2. */
export type PskClientCallback = (
  hint: string | null,
) => PreSharedKey | null | undefined | void | PromiseLike<PreSharedKey | null | undefined | void>;
