// What a body sees of its attempt. Everything here is made on demand: a body that looks at nothing costs nothing.

import type { CancelToken } from '../kernel/cancel-token.ts';
import type { Clock } from '../kernel/clock.ts';
import { ignore } from '../kernel/deferred.ts';
import { aFunction, durationMs } from '../model/check.ts';
import type { CanceledError } from '../model/error.ts';
import type { TaskId } from '../model/id.ts';
import type { TaskContext } from '../model/task.ts';
import type { LiveSubmission } from './submission.ts';

/** The attempt, as far as its body may reach it. */
export interface AttemptSide {
  readonly number: number;
  readonly token: CancelToken<CanceledError>;
  onCancel(listener: (reason: CanceledError) => void): () => void;
  beat(): void;
}

export class BodyContext implements TaskContext<unknown> {
  state: unknown = undefined;
  readonly fence: bigint;
  readonly #attempt: AttemptSide;
  readonly #submission: LiveSubmission;
  readonly #clock: Clock;

  constructor(attempt: AttemptSide, submission: LiveSubmission, clock: Clock, fence: bigint) {
    this.#attempt = attempt;
    this.#submission = submission;
    this.#clock = clock;
    this.fence = fence;
  }

  get id(): TaskId {
    return this.#submission.id;
  }
  get slot(): string {
    return this.#submission.slot;
  }
  get name(): string {
    return this.#submission.name;
  }
  get meta(): unknown {
    return this.#submission.meta;
  }
  get attempt(): number {
    return this.#attempt.number;
  }
  get signal(): AbortSignal {
    return this.#attempt.token.signal;
  }
  get canceled(): boolean {
    return this.#attempt.token.canceled;
  }

  onCancel(listener: (reason: CanceledError) => void): () => void {
    return this.#attempt.onCancel(aFunction('listener', listener));
  }

  throwIfCanceled(): void {
    const { reason } = this.#attempt.token;
    if (reason !== undefined) throw reason;
  }

  sleep(ms: number): Promise<void> {
    const wait = this.#attempt.token.sleep(this.#clock, durationMs('ms', ms));
    ignore(wait); // a sleep that nobody awaits any more ends quietly
    return wait;
  }

  untilCanceled<R>(work: PromiseLike<R>): Promise<R> {
    const wait = this.#attempt.token.race(work);
    ignore(wait);
    return wait;
  }

  heartbeat(): void {
    this.#attempt.beat();
  }
}
