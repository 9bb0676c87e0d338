// From dates to submissions. It uses no calendar and no timer. It does not check whether a run is
// still alive: the slot's admission policy decides about overlap.

import { AsyncResource } from 'node:async_hooks';
import { ClosedError, type Submission, type Supervisor } from '../../index.ts';
import { peekOutcome } from '../../kit.ts';
import type { History } from './history.ts';
import type { Settings } from './settings.ts';

export interface RunnerHost {
  readonly settings: Settings;
  readonly paused: boolean;
  /** The wall clock in epoch ms, as all moments in this file. */
  now(): number;
  /** Called when `maxRuns` runs were accepted. */
  onMaxRuns(): void;
  /** Called when the supervisor has refused a submission because it is shutting down. */
  onClosed(): void;
}

export class Runner<T> {
  readonly #supervisor: Supervisor;
  readonly #host: RunnerHost;
  readonly #history: History<T>;
  /**
   * The async context of the `schedule` call, in which bodies run. The shared timer may have the
   * context of another schedule.
   */
  readonly #context = new AsyncResource('slotvisor.schedule');
  readonly #live = new Set<Submission<T>>();
  /** Accepted runs by date, which count for `maxRuns`. */
  #accepted = 0;
  /** Dates that wait to be caught up, oldest first. */
  readonly #backlog: number[] = [];
  #catchingUp = false;

  constructor(supervisor: Supervisor, history: History<T>, host: RunnerHost) {
    this.#supervisor = supervisor;
    this.#history = history;
    this.#host = host;
  }

  get runsLeft(): number {
    return this.#host.settings.maxRuns - this.#accepted;
  }

  /**
   * Submits a single date at once. Several dates are caught up one after the other. While dates
   * wait to be caught up, a new one goes behind them: submitted at once, it would run before older
   * dates, or one of them would replace it.
   */
  run(dates: readonly number[]): void {
    const [only] = dates;
    if (dates.length === 1 && only !== undefined && this.#backlog.length === 0) {
      this.#submitDate(only);
      return;
    }
    this.#backlog.push(...dates);
    const maxLength = Math.max(this.#host.settings.keep, 1);
    const discarded = this.#backlog.splice(0, Math.max(0, this.#backlog.length - maxLength));
    this.missed(discarded.length, discarded.at(-1));
    this.catchUp();
  }

  /**
   * Submits the backlog, each date when the run before it has ended. Submitted together, all but
   * the first could be dropped by the admission policy.
   */
  catchUp(): void {
    while (!this.#catchingUp && !this.#host.paused) {
      const date = this.#backlog.shift();
      if (date === undefined) return;
      const submission = this.#submitDate(date);
      if (submission === undefined) continue;
      this.#catchingUp = true;
      void peekOutcome(submission).then(() => {
        this.#catchingUp = false;
        this.catchUp();
      });
    }
  }

  /** Discards the dates that wait to be caught up, and counts them as missed. */
  discardBacklog(): void {
    const dates = this.#backlog.splice(0);
    this.missed(dates.length, dates.at(-1));
  }

  /** Records `count` missed dates, the latest of which is `last`. */
  missed(count: number, last: number | undefined): void {
    if (last !== undefined) this.#history.missed(count, last, this.#host.now());
  }

  submit(due: number, cause: 'date' | 'trigger'): Submission<T> {
    const submission = this.#supervisor.submit(this.#host.settings.specFor(due)) as Submission<T>;
    const recordOutcome = this.#history.submitted(submission, cause, due, this.#host.now());
    this.#live.add(submission);
    void peekOutcome(submission).then((outcome) => {
      this.#live.delete(submission);
      recordOutcome(outcome);
    });
    return submission;
  }

  /** Resolves when all runs submitted so far have ended. */
  async idle(): Promise<void> {
    await Promise.all(Array.from(this.#live, peekOutcome));
  }

  /** Records an error and passes it to `onError`. Errors of `onError` are recorded, too. */
  reportError(error: unknown): void {
    const { onError } = this.#host.settings;
    this.#history.failed(error, this.#host.now());
    if (onError === undefined) return;
    Promise.resolve()
      .then(() => onError(error))
      .catch((thrown) => this.#history.failed(thrown, this.#host.now()));
  }

  #submitDate(due: number): Submission<T> | undefined {
    try {
      const submission = this.#context.runInAsyncScope(() => this.submit(due, 'date'));
      if (submission.admission !== 'rejected') this.#accepted += 1;
      if (this.runsLeft <= 0) this.#host.onMaxRuns();
      return submission;
    } catch (error) {
      if (error instanceof ClosedError) {
        this.#backlog.unshift(due); // discarded with the rest
        this.discardBacklog();
        this.#host.onClosed();
      } else {
        this.reportError(error);
      }
      return undefined;
    }
  }
}
