// A web server over TLS, that its argument names; in a process of its own.

import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import * as nodeHttp2 from 'node:http2';
import * as nodeHttps from 'node:https';

import { answer } from '../examples/support/child.ts';
import { Meter } from '../examples/support/meter.ts';
import { type Measurement, type Pair, SETTINGS } from './protocol.ts';

export const WEB = ['node:https', 'libssl-async/https', 'node:http2', 'libssl-async/http2'] as const;
export type WebName = (typeof WEB)[number];

export type WebHandlers = {
  /** Resolves to the port. */
  listen(pair: Pair): Promise<number>;
  begin(): void;
  end(): Measurement;
};

const BODY = JSON.stringify({ message: 'Hello, World!', numbers: [1, 2, 3] });
const HEADERS = { 'Content-Type': 'application/json', 'Content-Length': BODY.length };

const SERVERS: Record<WebName, (options: Pair & typeof SETTINGS) => Server | Promise<Server>> = {
  'node:https': (options) => nodeHttps.createServer(options, respond),
  'libssl-async/https': async (options) => (await import('libssl-async/https')).createServer(options, respond),
  'node:http2': (options) => nodeHttp2.createSecureServer(options).on('stream', serve),
  'libssl-async/http2': async (options) =>
    (await import('libssl-async/http2')).createSecureServer(options).on('stream', serve),
};

function respond(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, HEADERS).end(BODY);
}

function serve(stream: nodeHttp2.ServerHttp2Stream): void {
  stream.respond({ ':status': 200, ...HEADERS });
  stream.end(BODY);
}

let meter: Meter;

answer<WebHandlers>({
  async listen(pair) {
    const server = await SERVERS[process.argv[2] as WebName]({ ...pair, ...SETTINGS });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  begin() {
    meter = Meter.start();
  },
  end: () => meter.stop(),
});
