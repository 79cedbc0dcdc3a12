import type { ServerOptions as OwnOptions } from '../server-options.ts';
import type { ALPNCallback, SNICallback } from './hello.ts';
import type { PskServerCallback } from './psk.ts';
import type { SecureContextOptions } from './secure-context.ts';

/**
 * Options of {@link Server}: those of {@link SecureContextOptions}, node:tls's for servers, and the limits of this package's
 * own `createServer`.
 */
export interface TlsOptions
  extends
    SecureContextOptions,
    Pick<OwnOptions, 'enableTrace' | 'maxHandshakes' | 'maxWaitingHandshakes' | 'recordIO' | 'verifyPeer'> {
  /** Chooses the context for a name. Default: those of `addContext()`. */
  SNICallback?: SNICallback | undefined;
  /** Chooses the application protocol, in place of `ALPNProtocols`. */
  ALPNCallback?: ALPNCallback | undefined;
  /** Gives the pre-shared keys of clients. */
  pskCallback?: PskServerCallback | undefined;
  /** What clients of TLS 1.2 are told about the keys. */
  pskIdentityHint?: string | undefined;
  /** Milliseconds that a handshake may take. Default: 120 000. */
  handshakeTimeout?: number | undefined;
  /** Whether sockets stay writable after the peer has ended its direction. Default: `false`. */
  allowHalfOpen?: boolean | undefined;
  /** Whether sockets are paused when they are handed out. Default: `false`. */
  pauseOnConnect?: boolean | undefined;
  /** Sends small writes at once. Default: `false`, as for node:tls. */
  noDelay?: boolean | undefined;
  /** Has the system probe silent peers. Default: `false`. */
  keepAlive?: boolean | undefined;
  /** Milliseconds before the first probe. */
  keepAliveInitialDelay?: number | undefined;
  /** Bytes that wait to be read. */
  highWaterMark?: number | undefined;
}
