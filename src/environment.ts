import { native } from './binding.ts';
import type { Deferred } from './deferred.ts';
import { LibsslAsyncError } from './errors.ts';
import type { NativeEvent } from './native.d.ts';

/** What the addon tells of a connection: it can be read. */
export const READABLE = 1;
/** What the addon tells of a connection: what was written is sent, or never will be. */
export const SENT = 2;

/** Gets the news and events of one connection, server, remote key or load. */
export interface Listener {
  onNews?(news: number): void;
  onEvent?(event: NativeEvent): void;
}

/** Pairs of a connection's id and its news, written by the addon. */
const news = new Int32Array(2 * 1024);

const connections = new Map<number, Registration>();
const servers = new Map<number, Listener>();
/** Kept alive by the contexts that have them, and by those who made them. */
const keys = new Map<number, WeakRef<Listener>>();
const lostKeys = new FinalizationRegistry<number>((id) => keys.delete(id));
/** The keys of requests that have no answer, by the request's number. */
const requests = new Map<number, Listener>();

/** What is being loaded, by the number of its request. */
const loads = new Map<number, Listener>();
/** Who is told that a question needs no answer any more, by its number. */
const questions = new Map<number, () => void>();

/** The addon's part of this JavaScript environment. */
export const environment = new native.NativeEnvironment(dispatchEvents, dispatchNews, news);

/** What the environment has of a connection: it keeps it alive only while something of it is pending. */
export class Registration<T extends Listener = Listener> {
  readonly id: number;
  readonly onLost: ((id: number) => void) | undefined;
  /** The connection, while something is pending. */
  held: T | undefined;
  /** What those wait for who asked for the end of the connection. */
  closed: Deferred<Error | undefined> | undefined;
  #weak: WeakRef<T> | undefined;

  constructor(id: number, listener: T, onLost: ((id: number) => void) | undefined) {
    this.id = id;
    this.onLost = onLost;
    this.#weak = new WeakRef(listener);
  }

  /** The connection, if it is still there. */
  get listener(): T | undefined {
    return this.held ?? this.#weak?.deref();
  }

  /**
   * Lets go of it. V8 keeps what is registered for finalization until it next collects everything, even if that is taken back,
   * and with it all that a `WeakRef` there points to, which each of its short collections would have to copy.
   */
  release(): void {
    this.held = undefined;
    this.#weak = undefined;
  }
}

/** Connections that nobody closed and nobody can use any more. */
const lost = new FinalizationRegistry<Registration>(({ id, onLost, closed }) => {
  connections.delete(id);
  environment.connection(id)?.destroy();
  const message = 'A connection was garbage collected that nobody had closed; it is closed now';
  process.emitWarning(message, { type: 'LibsslAsyncWarning', code: 'LIBSSL_ASYNC_UNCLOSED' });
  closed?.resolve(new LibsslAsyncError('UNCLOSED', message));
  onLost?.(id);
});

/** Has the events of a connection told to it, until it is forgotten; `onLost` is called if it is never closed. */
export function registerConnection<T extends Listener>(
  id: number,
  connection: T,
  onLost: ((id: number) => void) | undefined,
): Registration<T> {
  const registration = new Registration(id, connection, onLost);
  connections.set(id, registration);
  lost.register(connection, registration, registration);
  return registration;
}

/** Ends what {@link registerConnection} began. */
export function forgetConnection(registration: Registration): void {
  connections.delete(registration.id);
  lost.unregister(registration);
  registration.release();
}

/** Has the events of a server told to `listener`, until it is forgotten. */
export function registerServer(id: number, listener: Listener): void {
  servers.set(id, listener);
}

/** Ends what {@link registerServer} began. */
export function forgetServer(id: number): void {
  servers.delete(id);
}

/** Has the requests to a remote key told to `listener`, for as long as that lives. */
export function registerKey(id: number, listener: Listener): void {
  keys.set(id, new WeakRef(listener));
  lostKeys.register(listener, id);
}

/** Has what becomes of a load told to `listener`, until it is forgotten. */
export function registerLoad(request: number, listener: Listener): void {
  loads.set(request, listener);
}

/** Ends what {@link registerLoad} began. */
export function forgetLoad(request: number): void {
  loads.delete(request);
}

/** Has `unask` called if the answer to a question is not wanted any more, until it is forgotten. */
export function registerQuestion(request: number, unask: () => void): void {
  questions.set(request, unask);
}

/** Ends what {@link registerQuestion} began; returns whether the answer is still wanted. */
export function forgetQuestion(request: number): boolean {
  return questions.delete(request);
}

/** Runs a function; what it throws becomes an uncaught exception of its own, and nobody else's. */
export function isolate(action: () => void): void {
  try {
    action();
  } catch (error) {
    raise(error);
  }
}

/** Makes an uncaught exception. */
function raise(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

// Pending operations keep the process alive through this timer, which never fires in practice.
const keepAlive = setInterval(() => {}, 0x7fffffff).unref();
let holds = 0;

/** Keeps the process alive until {@link release} has been called as often. */
export function hold(): void {
  if (holds++ === 0) keepAlive.ref();
}

/** Ends one {@link hold}. */
export function release(): void {
  if (--holds === 0) keepAlive.unref();
}

function dispatchNews(count: number): void {
  // A listener may cause more news at once, which the addon writes over these.
  const pairs = news.slice(0, 2 * count);
  for (let at = 0; at < pairs.length; at += 2) {
    // Not only what is pending: a reader that has emptied the socket waits for news without a read.
    try {
      connections.get(pairs[at]!)?.listener?.onNews!(pairs[at + 1]!);
    } catch (error) {
      raise(error);
    }
  }
}

/** When the events that are being told were taken, in milliseconds of `performance.now()`. */
export let takenAt = 0;

function dispatchEvents(): void {
  takenAt = performance.now();
  for (const event of environment.takeEvents()) isolate(() => dispatch(event));
}

function dispatch(event: NativeEvent): void {
  switch (event.type) {
    case 'news':
      return connections.get(event.connection!)?.listener?.onNews?.(event.news!);
    case 'sign':
    case 'decrypt': {
      const key = keys.get(event.key!)?.deref();
      if (!key) return void environment.answer(event.request!, null, 'the key is gone');
      requests.set(event.request!, key);
      return key.onEvent!(event);
    }
    case 'cancelled': {
      const key = requests.get(event.request!);
      requests.delete(event.request!);
      return key?.onEvent!(event);
    }
    case 'unasked': {
      const unask = questions.get(event.request!);
      questions.delete(event.request!);
      return unask?.();
    }
    case 'loaded':
    case 'pin':
      return loads.get(event.request!)?.onEvent!(event);
    default: {
      // A server hears of its connections first, as it makes their objects.
      const server = event.server === undefined ? undefined : servers.get(event.server);
      if (server) return server.onEvent!(event);
      const listener = event.connection === undefined ? undefined : connections.get(event.connection)?.listener;
      if (listener) return listener.onEvent!(event);
      // Nobody is left to take the connection.
      if (event.connection !== undefined) environment.connection(event.connection)?.destroy();
    }
  }
}

/** Forgets a request that has its answer. */
export function answered(request: number): void {
  requests.delete(request);
}
