// The context that a body gets. Its parts are made on first use: a body that uses none of them pays
// for none.

import type { CancelToken } from '../kernel/cancel-token.ts';
import { ignore } from '../kernel/deferred.ts';
import { aFunction, durationMs } from '../model/check.ts';
import { type CanceledError, fromCaller } from '../model/error.ts';
import type { TaskId } from '../model/id.ts';
import type { TaskContext } from '../model/task.ts';
import type { Runtime } from './runtime.ts';
import type { LiveSubmission } from './submission.ts';

/** The task that an attempt belongs to. */
export interface AttemptOwner {
  readonly runtime: Runtime;
  readonly submission: LiveSubmission;
}

/** What a body sees of the task that its attempt belongs to. */
interface SeenTask {
  readonly runtime: Pick<Runtime, 'clock'>;
  readonly submission: Pick<LiveSubmission, 'id' | 'slot' | 'name' | 'meta'>;
}

/** The attempt, as far as its body can reach it. */
export interface AttemptSide {
  readonly host: SeenTask;
  readonly number: number;
  readonly fence: bigint;
  readonly token: CancelToken<CanceledError>;
  readonly canceled: boolean;
  onCancel(listener: (reason: CanceledError) => void): () => void;
  /** It was asked to stop, or has ended. */
  readonly isOver: boolean;
  /** Asks the lease store. Rejects with what it threw. `isOver` then says whether it is lost. */
  confirmLease(): Promise<unknown>;
  heartbeat(): void;
}

export class LiveTaskContext implements TaskContext<unknown> {
  state: unknown = undefined;
  readonly #attempt: AttemptSide;

  constructor(attempt: AttemptSide) {
    this.#attempt = attempt;
  }

  get id(): TaskId {
    return this.#attempt.host.submission.id;
  }
  get slot(): string {
    return this.#attempt.host.submission.slot;
  }
  get name(): string {
    return this.#attempt.host.submission.name;
  }
  get meta(): unknown {
    return this.#attempt.host.submission.meta;
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

  // Arrow functions: a body may destructure its context.
  get onCancel(): TaskContext['onCancel'] {
    const onCancel: TaskContext['onCancel'] = (listener) =>
      this.#attempt.onCancel(fromCaller(onCancel, () => aFunction('listener', listener)));
    return onCancel;
  }
  get throwIfCanceled(): TaskContext['throwIfCanceled'] {
    return () => {
      if (this.#attempt.canceled) throw this.#attempt.token.reason;
    };
  }
  get sleep(): TaskContext['sleep'] {
    const sleep: TaskContext['sleep'] = (ms) => {
      const checked = fromCaller(sleep, () => durationMs('ms', ms));
      return quietly(this.#attempt.token.sleep(this.#attempt.host.runtime.clock, checked));
    };
    return sleep;
  }
  get untilCanceled(): TaskContext['untilCanceled'] {
    return (work) => quietly(this.#attempt.token.race(work));
  }
  get ensureOwned(): TaskContext['ensureOwned'] {
    return () => quietly(this.#ensureOwned());
  }
  get heartbeat(): TaskContext['heartbeat'] {
    return () => this.#attempt.heartbeat();
  }

  /** Where the attempt is over, only the stop reason ends the wait. */
  async #ensureOwned(): Promise<void> {
    const attempt = this.#attempt;
    await attempt.token.race(attempt.isOver ? new Promise(() => {}) : attempt.confirmLease());
    if (attempt.isOver) throw attempt.token.reason ?? attemptHasEnded();
  }
}

export const attemptHasEnded = (): Error => new Error('the attempt that waited for this has ended');

/** A wait that the body dropped must not become an unhandled rejection. */
function quietly<T>(wait: Promise<T>): Promise<T> {
  ignore(wait);
  return wait;
}
