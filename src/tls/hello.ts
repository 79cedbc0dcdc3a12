import type { ClientHello, ClientHelloAnswer } from '../client-hello.ts';
import { Context } from '../context.ts';
import { nodeError } from './errors.ts';
import { SecureContext } from './secure-context.ts';

/** What a callback of node:tls's may choose as a context. */
export type Chosen = SecureContext | Context | null | undefined;

/**
 * Chooses the context for a name; `null` or nothing for the server's own. It calls `callback`, or returns the context or a
 * promise of it; only a function that takes `callback` may return nothing and call it later.
 */
export type SNICallback = (
  servername: string,
  callback: (error: Error | null, context?: Chosen) => void,
) => void | Chosen | PromiseLike<Chosen | void>;

/**
 * Chooses one of the protocols that a client offers, or `undefined` to refuse it; it may return a promise. `servername` is
 * the name that the client asks for, empty for none.
 */
export type ALPNCallback = (offer: {
  servername: string;
  protocols: string[];
}) => string | undefined | PromiseLike<string | undefined>;

/** Who chooses for a client. */
export interface Choosers {
  readonly SNICallback?: SNICallback | undefined;
  readonly ALPNCallback?: ALPNCallback | undefined;
}

/** Asks the callbacks of node:tls's what to choose for a client. */
export async function choose(hello: ClientHello, { SNICallback, ALPNCallback }: Choosers): Promise<ClientHelloAnswer> {
  const { servername } = hello;
  const context = servername !== undefined && SNICallback ? await callSNI(SNICallback, servername) : undefined;
  const isOffered = hello.ALPNProtocols.length > 0 && ALPNCallback !== undefined;
  return {
    ...(context && { context }),
    ...(isOffered && { ALPNProtocol: await callALPN(ALPNCallback, hello) }),
  };
}

async function callSNI(callback: SNICallback, servername: string): Promise<Context | undefined> {
  const chosen = await new Promise<unknown>((resolve, reject) => {
    const returned: unknown = callback(servername, (error, context) => (error ? reject(error) : resolve(context)));
    // What takes the callback calls it, and returns nothing or a promise of nothing.
    const takesCallback = callback.length > 1;
    Promise.resolve(returned).then((context) => (takesCallback && context === undefined) || resolve(context), reject);
  });
  return contextOfChosen(chosen);
}

function contextOfChosen(chosen: unknown): Context | undefined {
  if (chosen === null || chosen === undefined) return undefined;
  if (chosen instanceof Context) return chosen;
  if (chosen instanceof SecureContext) return chosen.context;
  throw nodeError(
    'ERR_TLS_INVALID_CONTEXT',
    'Invalid SNI context: give one of createSecureContext() of libssl-async/tls',
  );
}

async function callALPN(callback: ALPNCallback, { servername, ALPNProtocols }: ClientHello): Promise<string | null> {
  const protocols = [...ALPNProtocols];
  const chosen = await callback({ servername: servername ?? '', protocols });
  if (chosen === undefined) return null;
  if (protocols.includes(chosen)) return chosen;
  throw nodeError(
    'ERR_TLS_ALPN_CALLBACK_INVALID_RESULT',
    `ALPN callback returned a value (${chosen}) that did not match any of the client's offered protocols (${protocols.join(', ')})`,
  );
}
