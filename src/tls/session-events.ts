import type { EventEmitter } from 'node:events';

import type { SessionStore } from '../client-hello.ts';

/** The sessions of TLS 1.2 that the listeners of `newSession` and `resumeSession` keep; `undefined` without them. */
export function sessionEvents(server: EventEmitter): SessionStore | undefined {
  const [keeps, gives] = [server.listenerCount('newSession') > 0, server.listenerCount('resumeSession') > 0];
  if (!keeps && !gives) return undefined;
  return {
    get: (id) =>
      new Promise((resolve, reject) => {
        const done = (error: Error | null, session?: Buffer | null): void => (error ? reject(error) : resolve(session));
        if (!server.emit('resumeSession', id, done)) resolve(undefined);
      }),
    set: (id, session) =>
      new Promise((resolve) => {
        if (!server.emit('newSession', id, session, resolve)) resolve();
      }),
  };
}
