import { X509Certificate } from 'node:crypto';

import type { Connection } from './connection.ts';
import type { NativeChoice, NativeEvent } from './native.d.ts';
import { NOTHING } from './questions.ts';

/** A peer whose handshake waits for somebody to accept it. */
export interface UnverifiedPeer {
  /**
   * Its chain, its own certificate first: up to the root that is trusted, or as far as OpenSSL could complete it. The second
   * one, if there is one, has issued the first.
   */
  readonly certificates: readonly X509Certificate[];
  /** Node's code for why OpenSSL does not accept it; `undefined` if it does. */
  readonly authorizationError: string | undefined;
  /** Aborted when the answer is not wanted any more: the peer has gone, or the handshake's time is over. */
  readonly signal: AbortSignal;
}

/**
 * Accepts a peer by returning, now or by a promise, and refuses it by throwing or rejecting; the handshake waits for it.
 *
 * Asked beside OpenSSL, not in its place: of peers that OpenSSL accepts, and of those that `rejectUnauthorized: false` puts up
 * with. Nobody asks of a session that is resumed, nor of a client without a certificate. The name of a server is checked
 * afterwards.
 */
export type VerifyPeer = (peer: UnverifiedPeer, connection: Connection) => void | PromiseLike<void>;

/** Asks whether a peer is accepted. */
export async function verify(
  event: NativeEvent,
  signal: AbortSignal,
  verifyPeer: VerifyPeer | undefined,
  connection: Connection,
): Promise<NativeChoice> {
  const certificates = event.certificates!.map((der) => new X509Certificate(der));
  await verifyPeer?.({ certificates, authorizationError: event.verifyError, signal }, connection);
  return NOTHING;
}
