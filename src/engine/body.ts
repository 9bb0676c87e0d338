// The guarded place where the code of a task is called: its fresh state, the interceptor around it, its body, its kill. Whatever comes out
// of it (a throw, a thenable of any make, silence) is told as data, at most once, and reaches nobody else.

import { ignore, settled } from '../kernel/deferred.ts';
import type { ParsedSpec } from '../model/spec.ts';
import type { AttemptInfo } from '../model/task.ts';
import type { BodyContext } from './body-context.ts';
import { intercepted } from './interceptor.ts';
import type { AroundAttempt } from './runtime.ts';

export type BodyEnd = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

export interface Call {
  readonly spec: ParsedSpec;
  readonly context: BodyContext;
  readonly around: AroundAttempt | undefined;
  info(): AttemptInfo;
  /** Throws when the body must not begin any more: its state, or an interceptor that took its time, may come after the stop. */
  mustBeOn(): void;
  /** Within the call. */
  ended(end: BodyEnd): void;
  /** On a turn of its own. */
  endedLater(end: BodyEnd): void;
}

export function callBody(call: Call): void {
  let result: unknown;
  try {
    const { state } = call.spec; // called without its spec: a body is handed its context and nothing else
    if (state !== undefined) {
      call.context.state = state();
      ignore(call.context.state); // a promise for a state is its body's to look at
    }
    result = call.around === undefined ? begin(call) : intercepted(call.around, call.info(), async () => begin(call));
  } catch (error) {
    call.ended({ ok: false, error });
    return;
  }
  const later = settled(
    result,
    (value) => call.endedLater({ ok: true, value }),
    (error) => call.endedLater({ ok: false, error }),
  );
  if (!later) call.ended({ ok: true, value: result });
}

function begin(call: Call): unknown {
  call.mustBeOn();
  const { run } = call.spec;
  return run(call.context);
}

/** `dead` is proof; `notDead` says what the kill threw, and proves nothing. */
export function callKill(
  kill: NonNullable<ParsedSpec['kill']>,
  context: BodyContext,
  dead: () => void,
  notDead: (error: unknown) => void,
): void {
  let later: boolean;
  try {
    later = settled(kill(context), dead, notDead);
  } catch (error) {
    notDead(error);
    return;
  }
  if (!later) dead();
}
