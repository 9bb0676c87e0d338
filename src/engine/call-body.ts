// The guarded place where a task's code is called: its `state`, the interceptor, its body, its
// `kill`. Probes are around it. Whatever the code throws, returns or never settles is reported
// once, as data, to the attempt alone.

import { ignore, settled } from '../kernel/deferred.ts';
import type { AttemptInfo, Kill } from '../model/task.ts';
import { callAround } from './around-attempt.ts';
import type { Watches } from './probes.ts';
import type { AroundAttempt } from './runtime.ts';
import type { AttemptOwner, AttemptSide, LiveTaskContext } from './task-context.ts';

export type BodyEnd = Value | Thrown;

export interface Value {
  readonly kind: 'value';
  readonly value: unknown;
}

export interface Thrown {
  readonly kind?: undefined;
  readonly error: unknown;
}

export interface BodyCall extends AttemptSide {
  readonly host: AttemptOwner;
  readonly context: LiveTaskContext;
  info(): AttemptInfo;
  /** The probes that watch it. Called once, before all other code of the user. */
  openWatches(): Watches | undefined;
  /**
   * The body is called next. Throws when the attempt was stopped before: `state()` and an
   * interceptor may take their time.
   */
  bodyBegins(): void;
  /** The body has thrown, and an interceptor may still take its time. */
  bodyThrew(): void;
  /** Called within `callBody`. */
  ended(end: BodyEnd): void;
  /** Called on a turn of its own. */
  endedLater(end: BodyEnd): void;
}

export function callBody(call: BodyCall): void {
  let result: unknown;
  try {
    const watches = call.openWatches();
    result = watches === undefined ? beginAttempt(call) : beginWatched(watches, call);
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

// The next two functions make closures. V8 prepares for the closures of a function at each call of
// it, so `callBody` and `beginAttempt`, which every attempt calls, have none of these.

function beginWatched(watches: Watches, call: BodyCall): unknown {
  return watches.around(() => beginAttempt(call));
}

function beginAttempt(call: BodyCall): unknown {
  const { submission, runtime } = call.host;
  const { aroundAttempt } = runtime;
  const makeState = submission.settings.state; // called without a `this`: user code gets its context and nothing else
  if (makeState !== undefined) {
    call.context.state = makeState();
    ignore(call.context.state); // a promise as state belongs to the body
  }
  return aroundAttempt === undefined ? begin(call) : beginWrapped(aroundAttempt, call);
}

function beginWrapped(aroundAttempt: AroundAttempt, call: BodyCall): unknown {
  return callAround(aroundAttempt, call.info(), () => beginWithin(call));
}

function begin(call: BodyCall): unknown {
  call.bodyBegins();
  const body = call.host.submission.run;
  return body(call.context);
}

async function beginWithin(call: BodyCall): Promise<unknown> {
  try {
    return await begin(call);
  } catch (error) {
    call.bodyThrew();
    throw error;
  }
}

/** `dead` is proof. `notDead` gets what the kill threw, and proves nothing. */
export function callKill(
  kill: Kill,
  context: LiveTaskContext,
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
