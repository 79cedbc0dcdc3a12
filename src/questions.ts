import { AsyncResource } from 'node:async_hooks';

import { environment, forgetQuestion, registerQuestion } from './environment.ts';
import { LibsslAsyncError, keepFailure } from './errors.ts';
import type { NativeChoice, NativeEvent } from './native.d.ts';

/** The answer of those who choose nothing, and refuse nothing. */
export const NOTHING: NativeChoice = Object.freeze({ alpnRefused: false });

/** Answers the question of a handshake with what `choose` resolves to; what it fails with fails the handshake. */
export function answer(event: NativeEvent, choose: (signal: AbortSignal) => Promise<NativeChoice>): void {
  const request = event.request!;
  const controller = new AbortController();
  const unask = (): void => controller.abort(new LibsslAsyncError('CLOSED', 'the connection is closed'));
  registerQuestion(request, AsyncResource.bind(unask, 'libssl-async.Question'));
  const settle = (choice: NativeChoice | undefined, error?: unknown): void => {
    if (!forgetQuestion(request)) return;
    if (choice) return void environment.reply(request, choice);
    keepFailure(request, error);
    environment.reply(request, null, error instanceof Error ? error.message : String(error));
  };
  choose(controller.signal).then(settle, (error: unknown) => settle(undefined, error));
}
