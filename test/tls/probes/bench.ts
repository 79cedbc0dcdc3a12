// What probes of node:tls's names are made of: one side is of the module that is looked into, the other of node:tls.

import { once } from 'node:events';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import * as node from 'node:tls';

import { authority, serverIdentity } from '../../support/identities.ts';
import { HOST } from '../../support/peers.ts';

export type Tls = Pick<typeof node, 'TLSSocket' | 'connect' | 'createSecureContext' | 'createServer'>;

/**
 * Tells what comes of a name, as something that can be compared: what node:tls does and what this package does have to be the
 * same. Without the name something else has to come of it, unless it is among `unchanged`.
 */
export type Probe = (bench: Bench, given: boolean) => Promise<unknown>;

export const identity = { key: serverIdentity.key, cert: serverIdentity.cert };
export const trust = { ca: authority.cert, servername: 'localhost' };
/** The options of a name that is given, and none otherwise. */
export const only = <Options extends object>(given: boolean, options: Options): Partial<Options> =>
  given ? options : {};

/** Options of a client, those that the types of Node do not name, too. */
export type ClientOptions = node.ConnectionOptions & { readonly [name: string]: unknown };

interface Sides {
  readonly server?: node.TlsOptions;
  readonly client?: ClientOptions;
}

export interface Meeting {
  readonly server: node.Server;
  readonly port: number;
  readonly client: node.TLSSocket;
  /** What came of the client's handshake. */
  readonly outcome: Promise<string>;
  /** The server's end of it. */
  readonly accepted: Promise<node.TLSSocket>;
  /** The code of a handshake that the server did not finish. */
  readonly refused: Promise<string>;
}

export class Bench implements AsyncDisposable {
  readonly #ends: (() => unknown)[] = [];

  constructor(readonly tls: Tls) {}

  /** Has something done at the end. */
  defer(end: () => unknown): void {
    this.#ends.push(end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends.toReversed()) await end();
  }

  /** A handshake with a client that is looked into. */
  meetClient(client: ClientOptions, sides: Sides = {}): Promise<Meeting> {
    return this.#meet(node, this.tls, { ...sides, client: { ...sides.client, ...client } });
  }

  /** A handshake with a server that is looked into. */
  meetServer(server: node.TlsOptions, sides: Sides = {}): Promise<Meeting> {
    return this.#meet(this.tls, node, { ...sides, server: { ...sides.server, ...server } });
  }

  async #meet(serving: Tls, connecting: Tls, { server: options, client }: Sides): Promise<Meeting> {
    const { server, port } = await this.serve(serving, { ...identity, ...options });
    const accepted = once(server, 'secureConnection').then(([socket]) => socket as node.TLSSocket);
    const refused = once(server, 'tlsClientError').then(([error]) => codeOf(error));
    const socket = this.connect(connecting, { port, ...trust, ...client });
    return { server, port, client: socket, outcome: outcomeOf(socket), accepted, refused };
  }

  /** A server that listens, and what sockets it has. */
  async serve(tls: Tls, options: node.TlsOptions = identity): Promise<{ server: node.Server; port: number }> {
    const server = tls.createServer(options);
    server.on('secureConnection', (socket) => this.keep(socket));
    return { server, port: await this.listen(server) };
  }

  async listen(server: NetServer): Promise<number> {
    server.listen(0, HOST);
    await once(server, 'listening');
    this.defer(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  /** A client, whose errors are told by what came of it. */
  connect(tls: Tls, options: ClientOptions): node.TLSSocket {
    return this.keep(tls.connect({ host: HOST, ...options }));
  }

  keep<Any extends Socket>(socket: Any): Any {
    this.defer(() => socket.destroy());
    return socket.on('error', () => {});
  }
}

/** `secure`, or the code of the error. */
export async function outcomeOf(socket: Socket): Promise<string> {
  try {
    await once(socket, 'secureConnect');
    return 'secure';
  } catch (error) {
    return codeOf(error);
  }
}

export function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

/** What came of something that may throw. */
export async function codeWhere(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return 'fine';
  } catch (error) {
    return codeOf(error);
  }
}
