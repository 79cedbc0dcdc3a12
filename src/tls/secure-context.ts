import type * as node from 'node:tls';

import { CONTEXT_OPTIONS } from '../context-names.ts';
import type { ContextOptions, PrivateKey, ProtocolVersion } from '../context-options.ts';
import { type Context, createContext } from '../context.ts';
import { LibsslAsyncError, invalidArgument } from '../errors.ts';

/**
 * Options of {@link createSecureContext}: those of node:tls, and those of this package's `createContext`, so that `key` may be
 * a key of `createRemoteKey()` or `loadPrivateKey()`.
 */
export type SecureContextOptions = Omit<node.SecureContextOptions, 'key' | 'ALPNCallback' | 'ticketKeys'> &
  Omit<ContextOptions, keyof node.SecureContextOptions> & {
    /** Private keys: as node:tls takes them, or a key that is elsewhere. */
    key?: node.SecureContextOptions['key'] | PrivateKey | readonly PrivateKey[] | undefined;
    /** 48 random bytes, of which the keys of session tickets are made; of several, the first makes tickets. */
    ticketKeys?: Buffer | readonly Buffer[] | undefined;
  };

/** Options of node:tls that name what this package has another way for, and that way. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  clientCertEngine: 'give a key of loadPrivateKey() as key',
  privateKeyEngine: 'give a key of loadPrivateKey() as key',
  privateKeyIdentifier: 'give a key of loadPrivateKey() as key',
};

/** Names of OpenSSL's methods, and the versions that they are. */
const METHODS: Readonly<Record<string, ProtocolVersion | undefined>> = {
  TLS_method: undefined,
  TLS_client_method: undefined,
  TLS_server_method: undefined,
  SSLv23_method: undefined,
  SSLv23_client_method: undefined,
  SSLv23_server_method: undefined,
  TLSv1_method: 'TLSv1',
  TLSv1_client_method: 'TLSv1',
  TLSv1_server_method: 'TLSv1',
  TLSv1_1_method: 'TLSv1.1',
  TLSv1_1_client_method: 'TLSv1.1',
  TLSv1_1_server_method: 'TLSv1.1',
  TLSv1_2_method: 'TLSv1.2',
  TLSv1_2_client_method: 'TLSv1.2',
  TLSv1_2_server_method: 'TLSv1.2',
};

/** Keys, certificates and parameters of connections, made by {@link createSecureContext}. Corresponds to `SSL_CTX`. */
export class SecureContext {
  /** The same, for the rest of this package: `connect({ context })` and `createServer({ context })`. */
  readonly context: Context;

  /** @internal */
  constructor(context: Context) {
    this.context = context;
  }
}

/**
 * Makes a context, as `tls.createSecureContext` does; other options are left out of account. Throws what is wrong with one.
 *
 * Corresponds to `SSL_CTX_new`.
 */
export function createSecureContext(options: SecureContextOptions = {}): SecureContext {
  return new SecureContext(createContext(contextOptions(options)));
}

/** What every connection says for itself. */
const OF_CONNECTIONS = new Set<string>(['ALPNProtocols', 'rejectUnauthorized', 'requestCert']);

/** The context of some options, which may name one or describe one; `undefined` if they do neither. */
export function clientContext(options: SecureContextOptions & { secureContext?: unknown }): Context | undefined {
  if (options.secureContext instanceof SecureContext) return options.secureContext.context;
  if (options.secureContext !== undefined && options.secureContext !== null) {
    throw invalidArgument('options.secureContext', 'a context of createSecureContext() here', options.secureContext);
  }
  const own = contextOptions(options, OF_CONNECTIONS);
  return Object.keys(own).length === 0 ? undefined : createContext(own);
}

/** The context of a server's options, which may name one or describe one. */
export function serverContext(options: SecureContextOptions & { secureContext?: unknown }): Context {
  return clientContext(options) ?? createContext({});
}

/** What of some options of node:tls is a context's. */
function contextOptions(options: object, without: ReadonlySet<string> = new Set()): ContextOptions {
  const given = options as Record<string, unknown>;
  for (const [name, instead] of Object.entries(ELSEWHERE)) {
    if (isGiven(given[name])) throw unsupported(name, instead);
  }
  const names = CONTEXT_OPTIONS.filter((name) => isGiven(given[name]) && !without.has(name));
  return { ...versions(given), ...(Object.fromEntries(names.map((name) => [name, given[name]])) as ContextOptions) };
}

/** Node takes null as nothing, too. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function versions({ secureProtocol: method }: Record<string, unknown>): ContextOptions {
  if (method === undefined || method === null) return {};
  if (typeof method !== 'string' || !Object.hasOwn(METHODS, method)) {
    const error = invalidArgument('options.secureProtocol', "the name of a method of OpenSSL's, for TLS", method);
    throw Object.assign(error, { code: 'ERR_TLS_INVALID_PROTOCOL_METHOD' });
  }
  const version = METHODS[method];
  return version === undefined ? {} : { minVersion: version, maxVersion: version };
}

/** The error of an option that node:tls has and this package has not. */
export function unsupported(option: string, why: string): Error {
  return new LibsslAsyncError('UNSUPPORTED_OPTION', `options.${option} is not supported here: ${why}`, { option });
}
