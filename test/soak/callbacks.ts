// Requests to a server whose callbacks for names, sessions and clients are promises that fail: as the names of the clients
// say, so that for each request it is known what has to come of it.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { metrics } from 'libssl-async';
import { createServer } from 'libssl-async/https';
import { type TLSSocket, createSecureContext } from 'libssl-async/tls';

import { Child } from '../../examples/support/child.ts';
import { authority, serverIdentity } from '../support/identities.ts';
import { issue } from '../support/certificates.ts';
import { growth } from '../support/remote-keys.ts';
import { descriptors, eventually, isIdle } from '../support/waiting.ts';
import { Ledger } from './ledger.ts';
import { type Memory, TENTHS, checkMemory, sample } from './memory.ts';
import { below, oneOf } from './random.ts';
import type { Outcome, Plan, RequesterHandlers } from './requester.ts';

const BATCH = 1000;
const HANDSHAKE_TIMEOUT = 5000;

/** What a callback does. */
const FATES = ['accepts', 'rejects', 'throws', 'hangs'] as const;
type Fate = (typeof FATES)[number];

/** Once in so many, for what takes the whole of the time for a handshake. */
const HANGS_ONCE_IN = 200;

/** Makes so many requests. */
export async function callbacks(count: number): Promise<Ledger> {
  const ledger = new Ledger();
  const rig = await Rig.start(ledger);
  // What is made once, and the most that is needed at once.
  await rig.run(Math.max((3 * count) / TENTHS, BATCH / 2));
  await rig.settle();
  const [before, open] = [metrics(), descriptors()];
  rig.refused = 0;
  const samples: Memory[] = [];
  let done = 0;
  for (const batch = Math.min(BATCH, count / TENTHS); done < count; done += batch) {
    await rig.run(batch);
    await rig.settle();
    samples.push(await sample());
  }
  const grown = growth(before);
  if (descriptors() > open) ledger.fault(`${descriptors()} descriptors in place of ${open}`);
  await rig.stop();
  if (globalThis.gc) checkMemory(ledger, samples);
  ledger.count('requests', String(done));
  for (const [name, value] of Object.entries(grown)) ledger.count('metrics', `${name}: ${value}`);
  if (grown.leaked > 0) ledger.fault(`${grown.leaked} leaked`);
  if (grown.failed !== rig.refused) ledger.fault(`${grown.failed} handshakes failed, ${rig.refused} requests`);
  if (grown.handshakes + grown.failed !== done)
    ledger.fault(`${grown.handshakes} handshakes and ${grown.failed} failed`);
  return ledger;
}

class Rig {
  readonly #ledger: Ledger;
  readonly #requester = new Child<RequesterHandlers>(new URL('requester.js', import.meta.url));
  readonly #sessions = new Map<string, Buffer>();
  readonly #chosen = createSecureContext({ key: serverIdentity.key, cert: serverIdentity.cert, ca: authority.cert });
  /** Requests that were refused. */
  refused = 0;
  /** Handshakes that failed as the lookup of a session has. */
  #lookupsFailed = 0;
  /** Requests that were refused although their names say otherwise. */
  #unexplained = 0;
  readonly #server = createServer(
    {
      key: serverIdentity.key,
      cert: serverIdentity.cert,
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT,
      SNICallback: async (servername: string) => {
        await follow(servername);
        return oneOf(this.#chosen, undefined);
      },
      verifyPeer: ({ certificates }) => follow(commonName(certificates[0]!.subject)),
    },
    (request, response) => {
      const socket = request.socket as unknown as TLSSocket;
      const { subject } = socket.getPeerX509Certificate() ?? {};
      response.setHeader('Connection', 'close');
      response.end(`${String(socket.servername)} ${subject === undefined ? undefined : commonName(subject)}`);
    },
  );

  static async start(ledger: Ledger): Promise<Rig> {
    const rig = new Rig(ledger);
    rig.#server.listen(0, '127.0.0.1');
    await once(rig.#server, 'listening');
    const clients = FATES.map((name) => [name, issue({ issuer: authority, client: true, names: [], subject: name })]);
    const { port } = rig.#server.address() as AddressInfo;
    await rig.#requester.ask('target', { port, ca: authority.cert, clients: Object.fromEntries(clients) });
    return rig;
  }

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
      ledger.fail('tlsClientError', error);
      if (error.code === 'AWAY') this.#lookupsFailed++;
    });
    this.#server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      void delay(below(3)).then(() => {
        if (below(10) > 0) this.#sessions.set(id.toString('hex'), session);
        done();
        // A second answer has no effect.
        if (below(10) === 0) done();
      });
    });
    this.#server.on('resumeSession', (id: Buffer, done: (error: Error | null, session?: Buffer) => void) => {
      void delay(below(3)).then(() => {
        done(below(20) === 0 ? failure('AWAY', 'the store is away') : null, this.#sessions.get(id.toString('hex')));
      });
    });
  }

  async run(count: number): Promise<void> {
    const plans = Array.from({ length: count }, plan);
    this.#lookupsFailed = 0;
    this.#unexplained = 0;
    const outcomes = await this.#requester.ask('request', plans);
    for (const [index, outcome] of outcomes.entries()) this.#check(plans[index]!, outcome);
    // Clients of TLS 1.3 have the id of a session, too, that nobody knows. Which lookup was whose is not told.
    if (this.#unexplained > this.#lookupsFailed) {
      this.#ledger.fault(`${this.#unexplained} were refused, and ${this.#lookupsFailed} lookups failed`);
    }
  }

  async settle(): Promise<void> {
    this.#sessions.clear();
    if (!(await eventually(isIdle))) this.#ledger.fault(`not idle: ${JSON.stringify(metrics())}`);
  }

  async stop(): Promise<void> {
    await this.#requester.stop();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #check({ servername, client }: Plan, outcome: Outcome): void {
    const isAccepted = fateOf(servername) === 'accepts' && (client === undefined || client === 'accepts');
    if ('code' in outcome) {
      this.refused++;
      this.#ledger.count(isAccepted ? 'refused: the lookup of a session' : 'refused', outcome.code);
      if (isAccepted) this.#unexplained++;
      return;
    }
    this.#ledger.count('answered', outcome.resumed ? 'resumed' : 'in full');
    if (!isAccepted) this.#ledger.fault(`${servername} ${client} was answered`);
    if (outcome.said !== `${servername} ${client}`) this.#ledger.fault(`${servername} ${client}: ${outcome.said}`);
  }
}

function fate(): Fate {
  if (below(HANGS_ONCE_IN) === 0) return 'hangs';
  return below(8) === 0 ? oneOf('rejects', 'throws') : 'accepts';
}

function plan(): Plan {
  return {
    servername: `${fate()}.${below(10)}.example`,
    client: below(3) === 0 ? undefined : fate(),
    maxVersion: oneOf('TLSv1.2', 'TLSv1.3'),
    resumes: below(2) === 0,
  };
}

/** Does what a name says. */
function follow(name: string): Promise<void> {
  const its = fateOf(name);
  if (its === 'throws') throw failure('BUG', `${name} is a bug`);
  if (its === 'hangs') return new Promise(() => {});
  return delay(below(4)).then(() => {
    if (its === 'rejects') throw failure('UNWANTED', `${name} is not wanted`);
  });
}

/** What the user's own code fails with. */
function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function fateOf(name: string): Fate {
  return FATES.find((one) => name.startsWith(one))!;
}

function commonName(subject: string): string {
  return /CN=(.+)/.exec(subject)![1]!;
}
