import { deferred } from './deferred.ts';
import { environment, forgetLoad, hold, registerLoad, release } from './environment.ts';
import { invalidArgument, nativeCall, toError } from './errors.ts';
import type { NativeEvent } from './native.d.ts';

/** Answers a question for a PIN or passphrase, in the words of the one who needs it; `undefined` gives up. */
export type Pin = (question: string) => string | undefined | PromiseLike<string | undefined>;

/**
 * Waits for what `begin` has the addon load, and keeps the process alive meanwhile.
 *
 * What `pin` throws ends the load, which fails with it.
 */
export async function load(begin: () => number, pin?: Pin): Promise<NativeEvent> {
  const request = nativeCall(begin);
  const loaded = deferred<NativeEvent>();
  let thrown: { error: unknown } | undefined;
  const answer = async (question: string): Promise<string | null> => {
    try {
      return checkPin(await pin?.(question));
    } catch (error) {
      thrown = { error };
      return null;
    }
  };
  registerLoad(request, {
    onEvent(event) {
      if (event.type === 'loaded') loaded.resolve(event);
      else void answer(event.message!.toString()).then((secret) => environment.answerPin(request, secret));
    },
  });
  hold();
  try {
    const event = await loaded.promise;
    if (thrown) throw thrown.error;
    if (event.error) throw toError(event.error);
    return event;
  } finally {
    forgetLoad(request);
    release();
  }
}

function checkPin(pin: unknown): string | null {
  if (pin === undefined || pin === null) return null;
  if (typeof pin !== 'string') throw invalidArgument('the PIN', 'a string, or undefined', Object(pin));
  if (pin.includes('\0')) throw invalidArgument('the PIN', 'a string', undefined, 'it contains a NUL');
  return pin;
}
