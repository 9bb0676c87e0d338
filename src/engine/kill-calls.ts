// The calls of one attempt's `kill`, from the overrun on: one at a time, and again after a failure.
// A call that returned or resolved proves that the body is dead. The attempt decides what follows.

import { callIn } from '../kernel/async-context.ts';
import { after } from '../kernel/clock.ts';
import type { Kill } from '../model/task.ts';
import { callKill } from './call-body.ts';
import type { AttemptOwner, LiveTaskContext } from './task-context.ts';

/** The pause before a `kill` that failed is called again. It doubles up to the maximum. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 30_000;

export interface KilledAttempt {
  readonly host: AttemptOwner;
  readonly context: LiveTaskContext;
  killSucceeded(): void;
  /** The body counts as alive. `isFirst`: no call of this attempt has failed before. */
  killFailed(error: unknown, isFirst: boolean): void;
}

export class KillCalls {
  /** A call is under way, or has proved the end. */
  isPending = false;
  readonly #attempt: KilledAttempt;
  readonly #kill: Kill;
  #isOver = false;
  #pauseMs = 0; // no call has failed
  #stopTimer: () => void = () => {};

  constructor(attempt: KilledAttempt, kill: Kill) {
    this.#attempt = attempt;
    this.#kill = kill;
  }

  /** Calls it at once. Must not be called while a call is pending. */
  call(): void {
    this.#stopTimer();
    this.isPending = true;
    const { host, context } = this.#attempt;
    const call = () =>
      callKill(
        this.#kill,
        context,
        () => this.#attempt.killSucceeded(),
        (error) => this.#failed(error),
      );
    callIn(host.submission.context, call, undefined);
  }

  #failed(error: unknown): void {
    if (this.#isOver) return;
    const isFirst = this.#pauseMs === 0;
    this.isPending = false;
    this.#pauseMs = isFirst ? FIRST_PAUSE_MS : Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
    this.#stopTimer = after(this.#attempt.host.runtime.clock, this.#pauseMs, () => this.call());
    this.#attempt.killFailed(error, isFirst);
  }

  /** The attempt has ended. No call follows, and a failure of the last one changes nothing. */
  stop(): void {
    this.#isOver = true;
    this.#stopTimer();
  }
}
