import { AsyncResource } from 'node:async_hooks';
import { KeyObject, X509Certificate } from 'node:crypto';
import tls from 'node:tls';

import { protocolList } from './alpn.ts';
import { native } from './binding.ts';
import { belongsToBuild } from './build.ts';
import type { Connection } from './connection.ts';
import { CONTEXT_OPTIONS, FOREIGN_OPTIONS } from './context-names.ts';
import type { ContextOptions, ProtocolVersion } from './context-options.ts';
import { invalidArgument, nativeCall } from './errors.ts';
import type { NativeContext, NativeContextOptions, NativeKeySource, NativeSource } from './native.d.ts';
import {
  type Named,
  checkNames,
  elements,
  optionalBoolean,
  optionalInteger,
  optionalPassphrase,
  optionalString,
  toBytes,
  unspoken,
} from './options.ts';
import { RemoteKey } from './remote-key.ts';
import { StoredKey } from './stored-key.ts';
import { defaultTrust } from './trust.ts';

/** A callback and its argument, as {@link Context.setAsyncCallback} was given them. */
export interface AsyncCallback {
  readonly fn: (connection: Connection, arg: never) => void;
  readonly arg: never;
}

/** What the rest of the package knows of a context. */
export interface ContextSettings {
  readonly native: NativeContext;
  /** For connections made from now on. */
  asyncCallback: AsyncCallback | undefined;
  /** Whether clients refuse servers that are not trusted. */
  readonly rejectUnauthorized: boolean;
  /** The signers that the context's keys need, which live as long as it does. */
  readonly signers: readonly RemoteKey[];
}

const VERSIONS: readonly ProtocolVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const BYTES = 'a string, a Buffer, another view or an ArrayBuffer';
const VIEW = 'a Buffer, another view or an ArrayBuffer';

let make: (settings: ContextSettings) => Context;
let settingsOf: (context: Context) => ContextSettings | undefined;

/**
 * Keys, certificates, trust and parameters of any number of connections of either side; made by {@link createContext}.
 *
 * It never changes, but for its callback, and is of use only in the JavaScript environment that made it. Corresponds to
 * `SSL_CTX`.
 */
export class Context {
  readonly #settings: ContextSettings;

  private constructor(settings: ContextSettings) {
    this.#settings = settings;
  }

  static {
    make = (settings) => new Context(settings);
    settingsOf = (context) => (#settings in context ? context.#settings : undefined);
    belongsToBuild(this.prototype);
  }

  /**
   * Has `fn(connection, arg)` called whenever a source has completed an asynchronous operation of a connection that is made
   * from this context afterwards; {@link Connection.setAsyncCallback} replaces it for one.
   *
   * It is called on the JavaScript thread, after the wake-up is stored. What it throws is an uncaught exception. Corresponds
   * to `SSL_CTX_set_async_callback` and `SSL_CTX_set_async_callback_arg`.
   */
  setAsyncCallback<T>(fn: (connection: Connection, arg: T) => void, arg: T): this {
    if (typeof fn !== 'function') throw invalidArgument('fn', 'a function', fn);
    const bound = AsyncResource.bind(fn, 'libssl-async.AsyncCallback');
    this.#settings.asyncCallback = { fn: bound, arg: arg as never };
    this.#settings.native.tellAsync();
    return this;
  }
}

/**
 * Makes a context.
 *
 * All of it is read here, keys and certificates too, and nothing later: whatever is wrong throws at once, and names the
 * option. Corresponds to `SSL_CTX_new`.
 */
export function createContext(options: ContextOptions = {}): Context {
  checkNames(options, CONTEXT_OPTIONS, FOREIGN_OPTIONS);
  const rejectUnauthorized = optionalBoolean(options.rejectUnauthorized, 'rejectUnauthorized');
  const nativeOptions = toNative(options);
  return make({
    native: nativeCall(() => new native.NativeContext(nativeOptions)),
    asyncCallback: undefined,
    signers: [options.key].flat().filter((key) => key instanceof RemoteKey),
    get rejectUnauthorized() {
      return rejectUnauthorized ?? rejectsByDefault();
    },
  });
}

/** What the rest of the package knows of a context; throws for anything else. */
export function contextOf(context: unknown): ContextSettings {
  const settings = typeof context === 'object' && context !== null ? settingsOf(context as Context) : undefined;
  if (!settings) throw invalidArgument('options.context', 'a Context, from createContext()', context);
  return settings;
}

function toNative(options: ContextOptions): NativeContextOptions {
  const passphrase = optionalPassphrase(options.passphrase, 'passphrase');
  const ciphers = optionalString(options.ciphers, 'ciphers');
  const sigalgs = optionalString(options.sigalgs, 'sigalgs');
  const alpnProtocols = protocolList(options.ALPNProtocols, 'ALPNProtocols');
  const sessionTimeout = optionalInteger(options.sessionTimeout, 'sessionTimeout', 1, 0x7fff_ffff);
  return {
    key: elements(options.key, 'key').map((element) => keySource(element, passphrase)),
    cert: elements(options.cert, 'cert').map(certificateSource),
    pfx: elements(options.pfx, 'pfx').map((element) => pfxSource(element, passphrase)),
    ...(options.ca === undefined
      ? { defaultTrust: nativeCall(defaultTrust) }
      : { ca: elements(options.ca, 'ca').map(certificateSource) }),
    crl: elements(options.crl, 'crl').map(source),
    allowPartialTrustChain: optionalBoolean(options.allowPartialTrustChain, 'allowPartialTrustChain') ?? false,
    ...(ciphers !== undefined && { ciphers }),
    defaultCiphers: tls.DEFAULT_CIPHERS,
    ...groups(options),
    ...(sigalgs !== undefined && { sigalgs }),
    ...versionRange(options),
    honorCipherOrder: optionalBoolean(options.honorCipherOrder, 'honorCipherOrder') ?? true,
    dhAuto: options.dhparam === 'auto',
    ...(options.dhparam !== undefined &&
      options.dhparam !== 'auto' && { dhparam: source({ name: 'dhparam', value: options.dhparam }) }),
    secureOptions: optionalInteger(options.secureOptions, 'secureOptions', 0, Number.MAX_SAFE_INTEGER) ?? 0,
    ...(alpnProtocols && { alpnProtocols }),
    requestCert: optionalBoolean(options.requestCert, 'requestCert') ?? false,
    rejectUnauthorized: options.rejectUnauthorized ?? true,
    ...(sessionTimeout !== undefined && { sessionTimeout }),
    ...sized(options.sessionIdContext, 'sessionIdContext', BYTES, 1, 32),
    ...ticketKeys(options),
    tickets: optionalInteger(options.tickets, 'tickets', 0, 16) ?? 2,
  };
}

function keySource({ name, value }: Named<unknown>, passphrase: string | undefined): NativeKeySource {
  if (value instanceof RemoteKey) return { name, remote: value.native };
  if (value instanceof StoredKey) return { name, stored: value.native };
  const own = isObject(value, 'pem') ? value : { pem: value };
  const expected = `${BYTES}, a KeyObject, a key of createRemoteKey() or loadPrivateKey(), or { pem, passphrase } with one of the first`;
  const secret = optionalPassphrase(own['passphrase'], `${name}.passphrase`) ?? passphrase;
  const data = own['pem'] instanceof KeyObject ? exported(own['pem'], name) : toBytes(own['pem'], name, expected);
  return { name, data, ...(secret !== undefined && { passphrase: secret }) };
}

function exported(key: KeyObject, name: string): Uint8Array {
  if (key.type !== 'private') throw invalidArgument(`options.${name}`, 'a private key', key, `it is a ${key.type} one`);
  return key.export({ type: 'pkcs8', format: 'der' });
}

function certificateSource({ name, value }: Named<unknown>): NativeSource {
  if (value instanceof X509Certificate) return { name, data: value.raw };
  return { name, data: toBytes(value, name, `${BYTES}, or an X509Certificate`) };
}

function pfxSource({ name, value }: Named<unknown>, passphrase: string | undefined): NativeSource {
  const own = isObject(value, 'buf') ? value : { buf: value };
  const secret = optionalPassphrase(own['passphrase'], `${name}.passphrase`) ?? passphrase;
  const expected = `${VIEW}, or { buf, passphrase } with one`;
  if (typeof own['buf'] === 'string') throw invalidArgument(`options.${name}`, expected, unspoken(own['buf']));
  return { name, data: toBytes(own['buf'], name, expected), ...(secret !== undefined && { passphrase: secret }) };
}

function source({ name, value }: Named<unknown>): NativeSource {
  return { name, data: toBytes(value, name, BYTES) };
}

function groups(options: ContextOptions): Pick<NativeContextOptions, 'groups' | 'groupsOption'> {
  const given = optionalString(options.groups, 'groups');
  const curves = optionalString(options.ecdhCurve, 'ecdhCurve');
  if (given !== undefined && curves !== undefined) {
    throw invalidArgument('options.groups', 'given alone', given, 'ecdhCurve is another name for it');
  }
  const list = given ?? curves ?? tls.DEFAULT_ECDH_CURVE;
  return { groupsOption: given === undefined ? 'ecdhCurve' : 'groups', ...(list !== 'auto' && { groups: list }) };
}

function versionRange(options: ContextOptions): { minVersion: ProtocolVersion; maxVersion: ProtocolVersion } {
  const minVersion = version(options.minVersion, 'minVersion') ?? tls.DEFAULT_MIN_VERSION;
  const maxVersion = version(options.maxVersion, 'maxVersion') ?? tls.DEFAULT_MAX_VERSION;
  if (VERSIONS.indexOf(minVersion) <= VERSIONS.indexOf(maxVersion)) return { minVersion, maxVersion };
  const [name, expected, value] =
    options.minVersion === undefined
      ? (['maxVersion', `at least minVersion, by default '${minVersion}'`, maxVersion] as const)
      : (['minVersion', `at most maxVersion, '${maxVersion}'`, minVersion] as const);
  throw invalidArgument(`options.${name}`, expected, value, `received '${value}'`);
}

function version(value: unknown, name: string): ProtocolVersion | undefined {
  const found = VERSIONS.find((known) => known === value);
  if (found !== undefined || value === undefined) return found;
  const error = invalidArgument(`options.${name}`, `one of ${VERSIONS.map((known) => `'${known}'`).join(', ')}`, value);
  // Node's code.
  throw typeof value === 'string' ? Object.assign(error, { code: 'ERR_TLS_INVALID_PROTOCOL_VERSION' }) : error;
}

/** An option of some bytes, from `least` to `most`. */
function ticketKeys({ ticketKeys: given }: ContextOptions): { ticketKeys?: Uint8Array } {
  if (!Array.isArray(given)) return sized(given, 'ticketKeys', VIEW, 48, 48);
  if (given.length === 0) throw invalidArgument('options.ticketKeys', 'at least one key', given, 'there is none');
  return { ticketKeys: Buffer.concat(given.map((key, at) => sizedBytes(key, `ticketKeys[${at}]`, VIEW, 48, 48))) };
}

function sized<Name extends string>(
  value: unknown,
  name: Name,
  expected: string,
  least: number,
  most: number,
): { [name in Name]?: Uint8Array } {
  if (value === undefined) return {};
  return { [name]: sizedBytes(value, name, expected, least, most) } as { [name in Name]?: Uint8Array };
}

function sizedBytes(value: unknown, name: string, expected: string, least: number, most: number): Uint8Array {
  if (typeof value === 'string' && expected === VIEW)
    throw invalidArgument(`options.${name}`, expected, unspoken(value));
  const bytes = toBytes(value, name, expected);
  if (bytes.length < least || bytes.length > most) {
    const size = least === most ? `${least} bytes` : `${least} to ${most} bytes`;
    throw invalidArgument(`options.${name}`, size, value, `it has ${bytes.length}`);
  }
  return bytes;
}

function isObject(value: unknown, property: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && property in value;
}

let warned = false;

/** Whether clients refuse servers that are not trusted, unless they say otherwise. */
export function rejectsByDefault(): boolean {
  if (process.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return true;
  if (!warned) {
    warned = true;
    process.emitWarning(
      "The environment variable NODE_TLS_REJECT_UNAUTHORIZED is '0': certificates of servers are not verified, and so TLS connections are not secure",
    );
  }
  return false;
}
