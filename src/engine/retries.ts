// The retries of one task: the streak of failures, whether `retryIf` or the restart limit forbids a
// retry, and how long it waits. policy/restart.ts has decided before that the restart policy and
// `maxRetries` allow one. User code (`retryIf`) is called here, so this part of the decision is not
// pure.

import { ignore } from '../kernel/deferred.ts';
import { RetryError } from '../model/error.ts';
import type { Failure } from '../model/failure.ts';
import { field } from '../model/foreign.ts';
import type { FailedBecause } from '../model/outcome.ts';
import type { TaskSettings } from '../model/settings.ts';
import { delayMs } from '../policy/backoff.ts';
import { RestartWindow } from '../policy/restart-limit.ts';
import type { Runtime } from './runtime.ts';

interface Refusal {
  readonly because: FailedBecause;
  readonly retryIfError?: unknown;
}

export type RetryVerdict = { readonly afterMs: number } | { readonly refused: Refusal };

export class Retries {
  /** Failed attempts in a row. Each was followed by a retry. */
  streak = 0;
  /** When the streak began. */
  #sinceMs = 0;
  readonly #runtime: Runtime;
  readonly #settings: TaskSettings;
  #previousDelayMs: number;
  #window: RestartWindow | undefined;

  constructor(runtime: Runtime, settings: TaskSettings) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#previousDelayMs = settings.backoff.firstMs;
  }

  /** Since the first failure of the streak. */
  get failingMs(): number | undefined {
    return this.streak === 0 ? undefined : this.#runtime.clock.now() - this.#sinceMs;
  }

  /** After a success or a stable attempt. The restart limit keeps its counts. */
  endStreak(): void {
    this.streak = 0;
    this.#previousDelayMs = this.#settings.backoff.firstMs;
  }

  /** Forgets all failures, the restart limit's counts included. */
  forget(): void {
    this.endStreak();
    this.#window = undefined;
  }

  /**
   * A failure that the restart policy would retry. It counts to the streak if the retry is allowed.
   */
  failed(failure: Failure): RetryVerdict {
    const refused = this.#refusal(failure);
    if (refused !== undefined) return { refused };
    const afterMs = this.#delayMs(failure);
    if (this.streak === 0) this.#sinceMs = this.#runtime.clock.now();
    this.streak += 1;
    return { afterMs };
  }

  #refusal(failure: Failure): Refusal | undefined {
    const { restartLimit } = this.#settings;
    const refused = this.#askRetryIf(failure);
    if (refused !== undefined || restartLimit === undefined) return refused;
    this.#window ??= new RestartWindow(restartLimit);
    return this.#window.take(this.#runtime.clock.now()) ? undefined : { because: 'restartLimit' };
  }

  /**
   * The only call of the user's predicate. A throw is a refusal. So is a promise, because the
   * answer is needed at once.
   */
  #askRetryIf(failure: Failure): Refusal | undefined {
    const { retryIf } = this.#settings;
    if (retryIf === undefined) return undefined;
    const because = 'retryIf';
    try {
      const answer: unknown = retryIf(failure);
      if (!ignore(answer)) return answer ? undefined : { because };
      return {
        because,
        retryIfError: new TypeError('retryIf must return a boolean, got a promise'),
      };
    } catch (error) {
      return { because, retryIfError: error };
    }
  }

  #delayMs(failure: Failure): number {
    const error = field(failure, 'error'); // only a `thrown` failure has it
    const asked = error instanceof RetryError ? field(error, 'afterMs') : undefined;
    if (typeof asked === 'number' && asked >= 0 && asked < Infinity) return asked;
    const { backoff } = this.#settings;
    this.#previousDelayMs = delayMs(backoff, this.streak, this.#runtime.random(), this.#previousDelayMs);
    return this.#previousDelayMs;
  }
}
