// The guarded place where the code of a task is called: its fresh state, the interceptor around it, its body, its kill. Whatever comes out
// of it (a throw, a thenable of any make, silence) is told as data, at most once, and reaches nobody else.

import { ignore, settled } from '../kernel/deferred.ts';
import type { Kill } from '../model/settings.ts';
import type { Run } from '../model/spec.ts';
import type { AttemptInfo } from '../model/task.ts';
import type { BodyContext } from './body-context.ts';
import { intercepted } from './interceptor.ts';
import type { AroundAttempt } from './runtime.ts';

export type BodyEnd = Value | Thrown;

export interface Value {
  readonly kind: 'value';
  readonly value: unknown;
}

export interface Thrown {
  readonly kind?: undefined;
  readonly error: unknown;
}

export interface Call {
  readonly body: Run;
  readonly makeState: (() => unknown) | undefined;
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
    const { makeState } = call; // called bare: user code is handed its context and nothing else
    if (makeState !== undefined) {
      call.context.state = makeState();
      ignore(call.context.state); // a promise for a state is its body's to look at
    }
    result = call.around === undefined ? begin(call) : intercepted(call.around, call.info(), async () => begin(call));
  } catch (error) {
    call.ended({ error });
    return;
  }
  const later = settled(
    result,
    (value) => call.endedLater({ kind: 'value', value }),
    (error) => call.endedLater({ error }),
  );
  if (!later) call.ended({ kind: 'value', value: result });
}

function begin(call: Call): unknown {
  call.mustBeOn();
  const { body } = call;
  return body(call.context);
}

/** `dead` is proof; `notDead` says what the kill threw, and proves nothing. */
export function callKill(kill: Kill, context: BodyContext, dead: () => void, notDead: (error: unknown) => void): void {
  let later: boolean;
  try {
    later = settled(kill(context), dead, notDead);
  } catch (error) {
    notDead(error);
    return;
  }
  if (!later) dead();
}
