// What a body sees of its attempt. Everything here is made on demand: a body that looks at nothing costs nothing.

import type { CancelToken } from '../kernel/cancel-token.ts';
import { ignore } from '../kernel/deferred.ts';
import { aFunction, durationMs } from '../model/check.ts';
import type { CanceledError } from '../model/error.ts';
import type { TaskId } from '../model/id.ts';
import type { TaskContext } from '../model/task.ts';
import type { Runtime } from './runtime.ts';
import type { LiveSubmission } from './submission.ts';

/** The attempt, as far as its body may reach it. */
export interface AttemptSide {
  readonly number: number;
  readonly fence: bigint;
  readonly submission: LiveSubmission;
  readonly runtime: Runtime;
  readonly token: CancelToken<CanceledError>;
  readonly canceled: boolean;
  onCancel(listener: (reason: CanceledError) => void): () => void;
  beat(): void;
}

export class BodyContext implements TaskContext<unknown> {
  state: unknown = undefined;
  readonly #attempt: AttemptSide;

  constructor(attempt: AttemptSide) {
    this.#attempt = attempt;
  }

  get id(): TaskId {
    return this.#attempt.submission.id;
  }
  get slot(): string {
    return this.#attempt.submission.slot;
  }
  get name(): string {
    return this.#attempt.submission.name;
  }
  get meta(): unknown {
    return this.#attempt.submission.meta;
  }
  get attempt(): number {
    return this.#attempt.number;
  }
  get fence(): bigint {
    return this.#attempt.fence;
  }
  get signal(): AbortSignal {
    return this.#attempt.token.signal;
  }
  get canceled(): boolean {
    return this.#attempt.canceled;
  }

  // Functions without a `this` of their own: a body may take its context apart.
  get onCancel(): TaskContext['onCancel'] {
    return (listener) => this.#attempt.onCancel(aFunction('listener', listener));
  }
  get throwIfCanceled(): TaskContext['throwIfCanceled'] {
    return () => {
      if (this.#attempt.canceled) throw this.#attempt.token.reason;
    };
  }
  get sleep(): TaskContext['sleep'] {
    return (ms) => quietly(this.#attempt.token.sleep(this.#attempt.runtime.clock, durationMs('ms', ms)));
  }
  get untilCanceled(): TaskContext['untilCanceled'] {
    return (work) => quietly(this.#attempt.token.race(work));
  }
  get heartbeat(): TaskContext['heartbeat'] {
    return () => this.#attempt.beat();
  }
}

/** A wait that nobody awaits any more ends without a word. */
function quietly<T>(wait: Promise<T>): Promise<T> {
  ignore(wait);
  return wait;
}
