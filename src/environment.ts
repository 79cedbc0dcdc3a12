import { native } from './binding.ts';
import type { NativeEvent } from './native.d.ts';

/** What the addon tells of a connection: it can be read. */
export const READABLE = 1;
/** What the addon tells of a connection: what was written is sent, or never will be. */
export const SENT = 2;

/** Gets the news and events of one connection, server or remote key. */
export interface Listener {
  onNews?(news: number): void;
  onEvent?(event: NativeEvent): void;
}

/** Pairs of a connection's id and its news, written by the addon. */
const news = new Int32Array(2 * 1024);

const connections = new Map<number, Listener>();
const servers = new Map<number, Listener>();
/** Kept alive by the contexts that have them, and by those who made them. */
const keys = new Map<number, WeakRef<Listener>>();
const lostKeys = new FinalizationRegistry<number>((id) => keys.delete(id));
/** The keys of requests that have no answer, by the request's number. */
const requests = new Map<number, Listener>();

/** The addon's part of this JavaScript environment. */
export const environment = new native.NativeEnvironment(dispatchEvents, dispatchNews, news);

/** Has the events of a connection or a server told to `listener`, until it is forgotten. */
export function register(kind: 'connection' | 'server', id: number, listener: Listener): void {
  table(kind).set(id, listener);
}

/** Ends what {@link register} began. */
export function forget(kind: 'connection' | 'server', id: number): void {
  table(kind).delete(id);
}

/** Has the requests to a remote key told to `listener`, for as long as that lives. */
export function registerKey(id: number, listener: Listener): void {
  keys.set(id, new WeakRef(listener));
  lostKeys.register(listener, id);
}

/** The listener of a connection that is registered. */
export function registered(id: number): Listener | undefined {
  return connections.get(id);
}

/** Runs a function; what it throws becomes an uncaught exception of its own, and nobody else's. */
export function isolate(action: () => void): void {
  try {
    action();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
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

function table(kind: 'connection' | 'server'): Map<number, Listener> {
  return kind === 'connection' ? connections : servers;
}

function dispatchNews(count: number): void {
  // A listener may cause more news at once, which the addon writes over these.
  const pairs = news.slice(0, 2 * count);
  for (let at = 0; at < pairs.length; at += 2) {
    const listener = connections.get(pairs[at]!);
    if (listener) isolate(() => listener.onNews!(pairs[at + 1]!));
  }
}

function dispatchEvents(): void {
  for (const event of environment.takeEvents()) isolate(() => dispatch(event));
}

function dispatch(event: NativeEvent): void {
  switch (event.type) {
    case 'news':
      return connections.get(event.connection!)?.onNews?.(event.news!);
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
    default: {
      // A server hears of its connections first, as it makes their objects.
      const server = event.server === undefined ? undefined : servers.get(event.server);
      if (server) return server.onEvent!(event);
      const listener = event.connection === undefined ? undefined : connections.get(event.connection);
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
