import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions, type RequestOptions } from 'node:https';

import { type ConnectionOptions, connect } from '../tls/connect.ts';
import type { SecureContextOptions } from '../tls/secure-context.ts';
import type { TLSSocket } from '../tls/socket.ts';

/** Options of {@link Agent}: node:https's, and keys that are elsewhere. */
export type AgentOptions = Omit<HttpsAgentOptions, 'key'> & Pick<SecureContextOptions, 'key'>;

/** What agents keep of sessions, as node:https's. */
const CACHED_SESSIONS = 100;

/**
 * Keeps connections of this package for requests of node:http's and node:https's: `https.request({ agent })`.
 *
 * Sessions are resumed for the same host and the same options only.
 */
export class Agent extends HttpsAgent {
  /** By the agent's name for the options, the least recent first. */
  readonly #sessions = new Map<string, Buffer>();
  readonly #mostSessions: number;

  constructor(options: AgentOptions = {}) {
    super(options as HttpsAgentOptions);
    this.#mostSessions = options.maxCachedSessions ?? CACHED_SESSIONS;
  }

  /** @internal What node:http's agents connect with. */
  override createConnection(request: RequestOptions): TLSSocket {
    const name = this.getName(request);
    const options = request as ConnectionOptions;
    const check = perRequest(options);
    const session = options.session ?? (check ? undefined : this.#sessions.get(name));
    const socket = connect({ ...options, ...(session && { session }) });
    if (check) return Object.assign(socket, { [check]: true });
    socket.on('session', (fresh: Buffer) => this.#keep(name, fresh));
    socket.once('close', (failed: boolean) => failed && this.#sessions.delete(name));
    return socket;
  }

  #keep(name: string, session: Buffer): void {
    this.#sessions.delete(name);
    if (this.#mostSessions === 0) return;
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= this.#mostSessions) this.#sessions.delete(oldest!);
    this.#sessions.set(name, session);
  }
}

/** Newer versions of Node mark requests that check the server themselves, so that nobody else uses their connection. */
function perRequest(options: object): symbol | undefined {
  return Object.getOwnPropertySymbols(options).find(
    ({ description }) => description === 'kPerRequestCheckServerIdentity',
  );
}
