// The retries of one task: the streak of failures, who may forbid the next try, and how long it waits.

import { ignore } from '../kernel/deferred.ts';
import { field } from '../model/brand.ts';
import { RetryError } from '../model/error.ts';
import type { Failure } from '../model/failure.ts';
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
  /** Failed attempts in a row, each followed by a retry. */
  streak = 0;
  readonly #runtime: Runtime;
  readonly #settings: TaskSettings;
  #previousDelayMs: number;
  #window: RestartWindow | undefined;

  constructor(runtime: Runtime, settings: TaskSettings) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#previousDelayMs = settings.backoff.firstMs;
  }

  /** A success ends the streak. What the restart limit has counted stays. */
  succeeded(): void {
    this.streak = 0;
    this.#previousDelayMs = this.#settings.backoff.firstMs;
  }

  /** As if nothing had failed yet. */
  forget(): void {
    this.succeeded();
    this.#window = undefined;
  }

  /** One more failure that the restart policy would retry: counted when nobody forbids it. */
  failed(failure: Failure): RetryVerdict {
    const refused = this.#forbidden(failure);
    if (refused !== undefined) return { refused };
    const afterMs = this.#delayMs(failure);
    this.streak += 1;
    return { afterMs };
  }

  #forbidden(failure: Failure): Refusal | undefined {
    const { restartLimit } = this.#settings;
    const refusal = this.#askRetryIf(failure);
    if (refusal !== undefined || restartLimit === undefined) return refusal;
    this.#window ??= new RestartWindow(restartLimit);
    return this.#window.take(this.#runtime.clock.now()) ? undefined : { because: 'restartLimit' };
  }

  /** The one call of the user's predicate. A throw is a refusal, and so is a promise: nobody waits for the answer. */
  #askRetryIf(failure: Failure): Refusal | undefined {
    const { retryIf } = this.#settings;
    if (retryIf === undefined) return undefined;
    const because = 'retryIf';
    try {
      const answer: unknown = retryIf(failure);
      if (!ignore(answer)) return answer ? undefined : { because };
      return {
        because,
        retryIfError: new TypeError('retryIf must return a boolean, got a promise: it is asked in one turn'),
      };
    } catch (error) {
      return { because, retryIfError: error };
    }
  }

  #delayMs(failure: Failure): number {
    const error = field(failure, 'error'); // none but a thrown one has it
    const asked = error instanceof RetryError ? field(error, 'afterMs') : undefined;
    if (typeof asked === 'number' && asked >= 0) return asked;
    const { backoff } = this.#settings;
    this.#previousDelayMs = delayMs(backoff, this.streak, this.#runtime.random(), this.#previousDelayMs);
    return this.#previousDelayMs;
  }
}
