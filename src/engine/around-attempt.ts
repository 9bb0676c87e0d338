// One attempt inside the user's `aroundAttempt`. It lasts until both the body and the interceptor
// have ended. If both fail, the body's failure counts.

import { ignore } from '../kernel/deferred.ts';
import type { AttemptInfo } from '../model/task.ts';
import type { AroundAttempt } from './runtime.ts';

export async function callAround(
  around: AroundAttempt,
  info: AttemptInfo,
  run: () => Promise<unknown>,
): Promise<unknown> {
  let body: Promise<unknown> | undefined;
  let open = true;
  const next = (): Promise<void> => {
    body ??= open ? run() : Promise.reject(new Error('aroundAttempt called next() after it had ended'));
    const done = body.then(() => {});
    ignore(done);
    return done;
  };
  let own: { readonly error: unknown } | undefined;
  try {
    await around(info, next);
  } catch (error) {
    own = { error };
  }
  open = false;
  if (body === undefined) throw own === undefined ? new Error('aroundAttempt ended without calling next()') : own.error;
  const value = await body;
  if (own !== undefined) throw own.error;
  return value;
}
