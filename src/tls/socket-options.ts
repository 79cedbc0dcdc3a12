import type { DuplexOptions } from 'node:stream';

import type { Address } from '../peer.ts';
import type { ALPNCallback, SNICallback } from './hello.ts';
import type { VerifyPeer } from '../verify-peer.ts';
import type { SecureContext, SecureContextOptions } from './secure-context.ts';

/** Options of {@link TLSSocket}'s constructor: node:tls's, but for those of {@link SecureContextOptions}. */
export interface TLSSocketOptions extends SecureContextOptions {
  /** Whether this is the server's end. Default: `false`. */
  isServer?: boolean | undefined;
  /** A context, in place of options that describe one. */
  secureContext?: SecureContext | undefined;
  /** The server whose connection it is. */
  server?: unknown;
  /** Chooses a server's context. */
  SNICallback?: SNICallback | undefined;
  /** Chooses a server's application protocol. */
  ALPNCallback?: ALPNCallback | undefined;
  /** The name that a client asks for. */
  servername?: string | undefined;
  /** The session that a client resumes. */
  session?: Buffer | undefined;
  /** Whether a client asks for an OCSP response. */
  requestOCSP?: boolean | undefined;
  /** Tells on standard error which messages are sent and received, by their kinds and sizes. Default: `false`. */
  enableTrace?: boolean | undefined;
  /** Asked whether the peer is accepted, once its chain is verified; of a client only if it is asked for a certificate. */
  verifyPeer?: VerifyPeer | undefined;
  /** Whether the stream stays writable after the peer has ended its direction. Default: `false`. */
  allowHalfOpen?: boolean | undefined;
  /** Bytes that wait to be read. */
  highWaterMark?: number | undefined;
  /** Destroys the connection. */
  signal?: AbortSignal | undefined;
}

/** How a {@link TLSSocket} is made here. */
export interface SocketSettings extends DuplexOptions {
  readonly isServer: boolean;
  /** Whether the clients of a server are asked for a certificate. */
  readonly requestCert?: boolean | undefined;
  /** The peer's end of a connection that has failed before there was one. */
  readonly peer?: Address | undefined;
}
