import type { Connection } from './connection.ts';
import { type Context, contextOf } from './context.ts';
import { invalidArgument } from './errors.ts';
import type { NativeChoice, NativeClientHello } from './native.d.ts';
import { NOTHING } from './questions.ts';

/** What a client says first. Numbers are those of the IANA registries for TLS, in the client's order. */
export interface ClientHello {
  /** The name that it asks for; `undefined` for none. */
  readonly servername: string | undefined;
  /** The application protocols that it offers. */
  readonly ALPNProtocols: readonly string[];
  /** The id of the session that it would resume, with TLS 1.2; it may be random, or empty. */
  readonly sessionId: Buffer;
  /** Whether it asks for an OCSP response. */
  readonly wantsOCSP: boolean;
  /** Versions of TLS: 0x0304 for TLS 1.3. Empty for clients before TLS 1.3. */
  readonly versions: readonly number[];
  /** Cipher suites. */
  readonly ciphers: readonly number[];
  /** The types of its extensions. */
  readonly extensions: readonly number[];
  /** Groups for the key exchange. */
  readonly groups: readonly number[];
  /** Signature algorithms. */
  readonly signatureAlgorithms: readonly number[];
  /** Aborted when the answer is not wanted any more: the client has gone, or the handshake's time is over. */
  readonly signal: AbortSignal;
}

/** What a server chooses for a client; all by default as without. */
export interface ClientHelloAnswer {
  /** The context whose certificates, keys, trust and signature algorithms are used; all else is the server's. */
  context?: Context | undefined;
  /** One of the protocols that the client offers; `null` refuses it, with the alert `no_application_protocol`. */
  ALPNProtocol?: string | null | undefined;
  /** An OCSP response in DER, for a client that asks for one. */
  ocspResponse?: Uint8Array | undefined;
  /** The session that the client would resume, as a {@link SessionStore} has it. */
  session?: Uint8Array | undefined;
}

/** Keeps the sessions of TLS 1.2 of one or of many servers, so that clients without tickets resume them. */
export interface SessionStore {
  /** Gives the session with this id, if it is there. What it throws or rejects with fails the handshake. */
  get(id: Buffer): Uint8Array | null | undefined | PromiseLike<Uint8Array | null | undefined>;
  /**
   * Keeps a session; the handshake waits for it. What it throws or rejects with costs that session and is the process
   * warning `LIBSSL_ASYNC_SESSION_LOST`.
   */
  set(id: Buffer, session: Buffer): void | PromiseLike<void>;
}

/** Chooses what a server shows to a client; the handshake waits for it. */
export type OnClientHello = (
  hello: ClientHello,
  connection: Connection,
) => ClientHelloAnswer | undefined | void | PromiseLike<ClientHelloAnswer | undefined | void>;

/** What the user is told of a ClientHello. */
export function clientHello(hello: NativeClientHello, signal: AbortSignal): ClientHello {
  return {
    servername: hello.servername ?? undefined,
    ALPNProtocols: hello.alpnProtocols,
    sessionId: hello.sessionId,
    wantsOCSP: hello.wantsOcsp,
    versions: hello.versions,
    ciphers: hello.ciphers,
    extensions: hello.extensions,
    groups: hello.groups,
    signatureAlgorithms: hello.signatureAlgorithms,
    signal,
  };
}

/** What the addon is told of the user's answer; throws for what is none. */
export function toChoice(given: ClientHelloAnswer | undefined | void, hello: ClientHello): NativeChoice {
  if (given === undefined) return NOTHING;
  if (typeof given !== 'object' || given === null) throw invalidArgument('the answer', 'an object', given);
  const { context, ALPNProtocol, ocspResponse, session } = given;
  if (typeof ALPNProtocol === 'string' && !hello.ALPNProtocols.includes(ALPNProtocol)) {
    throw invalidArgument('ALPNProtocol', 'a protocol that the client offers', ALPNProtocol, `it is '${ALPNProtocol}'`);
  }
  return {
    ...(context !== undefined && { context: contextOf(context).native }),
    ...(typeof ALPNProtocol === 'string' && { alpnProtocol: ALPNProtocol }),
    alpnRefused: ALPNProtocol === null,
    ...(session !== undefined && { session: bytes(session, 'session') }),
    ...(ocspResponse !== undefined && { ocspResponse: bytes(ocspResponse, 'ocspResponse') }),
  };
}

function bytes(value: unknown, name: string): Buffer {
  if (!(value instanceof Uint8Array)) throw invalidArgument(name, 'a Uint8Array', value);
  return Buffer.from(value);
}
