import {
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions as HttpRequestOptions,
  request as httpRequest,
} from 'node:http';
import { urlToHttpOptions } from 'node:url';

import type { ConnectionOptions } from '../tls/connect.ts';
import { Agent } from './agent.ts';

/** Options of {@link request}: node:http's and those of this package's `tls.connect`. */
export type RequestOptions = Omit<ConnectionOptions, keyof HttpRequestOptions> & HttpRequestOptions;

/** What answers are given to. */
export type ResponseListener = (response: IncomingMessage) => void;

/** The agent of requests that name none. */
export const globalAgent = new Agent({ keepAlive: true, scheduling: 'lifo', timeout: 5000 });

/** Makes a request, with the arguments of node:https's `request`, over connections of this package. */
export function request(options: RequestOptions | string | URL, listener?: ResponseListener): ClientRequest;
export function request(url: string | URL, options: RequestOptions, listener?: ResponseListener): ClientRequest;
export function request(...args: unknown[]): ClientRequest {
  const rest = [...args];
  const [first] = rest;
  const isPlace = typeof first === 'string' || first instanceof URL;
  const place = isPlace ? urlToHttpOptions(first instanceof URL ? first : new URL(first)) : {};
  if (isPlace) rest.shift();
  const given = typeof rest[0] === 'function' ? {} : ((rest.shift() as RequestOptions | undefined) ?? {});
  const listener = rest.find((argument) => typeof argument === 'function') as ResponseListener | undefined;
  const options = { ...place, ...given, _defaultAgent: globalAgent };
  return httpRequest(options as HttpRequestOptions, listener);
}

/** Makes a request without a body, and ends it. */
export function get(options: RequestOptions | string | URL, listener?: ResponseListener): ClientRequest;
export function get(url: string | URL, options: RequestOptions, listener?: ResponseListener): ClientRequest;
export function get(...args: unknown[]): ClientRequest {
  const made = request(...(args as Parameters<typeof request>));
  made.end();
  return made;
}
