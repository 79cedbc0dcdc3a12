// Clients of node:https in a process of their own, which ask a server whose callbacks do what the clients' names say.

import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';

import { answer } from '../../examples/support/child.ts';

/** One request. */
export interface Plan {
  readonly servername: string;
  /** The common name of the client's certificate; none for a client without. */
  readonly client: string | undefined;
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Whether a session that the client got before is offered. */
  readonly resumes: boolean;
}

/** What came of it: what the server says of its client, or the code of an error. */
export type Outcome = { readonly said: string; readonly resumed: boolean } | { readonly code: string };

/** Where to, and with which certificates, by their names. */
export interface Target {
  readonly port: number;
  readonly ca: string;
  readonly clients: Record<string, { readonly key: string; readonly cert: string }>;
}

export type RequesterHandlers = {
  target(target: Target): void;
  request(plans: readonly Plan[]): Promise<Outcome[]>;
};

const AT_ONCE = 64;
/** As many sessions of a client are kept for later. */
const SESSIONS = 8;

let to: Target;
const sessions = new Map<string, Buffer[]>();

answer<RequesterHandlers>({
  target: (target) => void (to = target),
  request: async (plans) => {
    const outcomes: Outcome[] = [];
    const left = plans.entries();
    const inTurn = async (): Promise<void> => {
      for (const [index, plan] of left) outcomes[index] = await ask(plan);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, inTurn));
    return outcomes;
  },
});

function ask({ servername, client, maxVersion, resumes }: Plan): Promise<Outcome> {
  // Only for the same name: OpenSSL resumes them for others, too, and takes the old name for the client's.
  const whose = `${servername} ${client}`;
  const known = sessions.get(whose) ?? [];
  sessions.set(whose, known);
  const session = resumes ? known.at(Math.floor(Math.random() * known.length)) : undefined;
  return new Promise((resolve) => {
    const asked = request({
      port: to.port,
      host: '127.0.0.1',
      agent: false,
      ca: to.ca,
      checkServerIdentity: () => undefined,
      ...(client !== undefined && to.clients[client]),
      ...(session && { session }),
      servername,
      maxVersion,
    });
    asked.on('error', ({ code, message }: NodeJS.ErrnoException) => resolve({ code: code ?? message }));
    asked.on('socket', (socket: TLSSocket) =>
      socket.on('session', (given: Buffer) => {
        if (maxVersion !== 'TLSv1.2') return;
        known.push(given);
        if (known.length > SESSIONS) known.shift();
      }),
    );
    asked.on('response', (response) => {
      let said = '';
      const resumed = (response.socket as TLSSocket).isSessionReused();
      response.setEncoding('utf8');
      response.on('data', (piece: string) => (said += piece));
      response.on('end', () => resolve({ said, resumed }));
      response.on('error', ({ code, message }: NodeJS.ErrnoException) => resolve({ code: code ?? message }));
    });
    asked.end();
  });
}
