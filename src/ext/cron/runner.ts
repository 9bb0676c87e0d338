// From dates to submissions. It knows no calendar and no timer, and it does not look at what still runs: overlap is the slot's affair.

import { AsyncResource } from 'node:async_hooks';
import { ClosedError, type Submission, type Supervisor } from '../../index.ts';
import type { History } from './history.ts';
import type { Settings } from './settings.ts';

export interface RunnerHost {
  readonly settings: Settings;
  readonly paused: boolean;
  /** Epoch ms, as all moments here. */
  now(): number;
  /** `maxRuns` were accepted. */
  exhausted(): void;
  /** The supervisor takes nothing more. */
  closed(): void;
}

export class Runner<T> {
  readonly #supervisor: Supervisor;
  readonly #host: RunnerHost;
  readonly #history: History<T>;
  /** Of the one who made the schedule: a timer's own would be that of whoever happened to set it. */
  readonly #context = new AsyncResource('slotvisor.schedule');
  readonly #live = new Set<Submission<T>>();
  #accepted = 0;
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
   * One date is submitted at once; several are caught up with. While some wait for that, one that comes goes behind them: submitted at
   * once it would run before older ones, or be replaced by one.
   */
  run(dates: readonly number[]): void {
    const [only] = dates;
    if (dates.length === 1 && only !== undefined && this.#backlog.length === 0) {
      this.#submitDate(only);
      return;
    }
    this.#backlog.push(...dates);
    const most = Math.max(this.#host.settings.keep, 1);
    const tooMany = this.#backlog.splice(0, Math.max(0, this.#backlog.length - most));
    this.missed(tooMany.length, tooMany.at(-1));
    this.catchUp();
  }

  /** One after the other: submitted together, the admission policy would drop all but the first. */
  catchUp(): void {
    while (!this.#catchingUp && !this.#host.paused) {
      const date = this.#backlog.shift();
      if (date === undefined) return;
      const submission = this.#submitDate(date);
      if (submission === undefined) continue;
      this.#catchingUp = true;
      void submission.outcome.then(() => {
        this.#catchingUp = false;
        this.catchUp();
      });
    }
  }

  /** Gives up what still waits to be caught up. */
  forgetBacklog(): void {
    const dates = this.#backlog.splice(0);
    this.missed(dates.length, dates.at(-1));
  }

  missed(count: number, last: number | undefined): void {
    if (last !== undefined) this.#history.missed(count, last, this.#host.now());
  }

  submit(due: number, cause: 'date' | 'trigger'): Submission<T> {
    const submission = this.#supervisor.submit(this.#host.settings.specFor(due)) as Submission<T>;
    const ended = this.#history.submitted(submission, cause, due, this.#host.now());
    this.#live.add(submission);
    void submission.outcome.then((outcome) => {
      this.#live.delete(submission);
      ended(outcome);
    });
    return submission;
  }

  /** Resolves when what has been submitted so far has ended. */
  async idle(): Promise<void> {
    await Promise.all(Array.from(this.#live, (submission) => submission.outcome));
  }

  /** Writes an error down and tells it to `onError`, whose own errors are written down too. */
  tell(error: unknown): void {
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
      if (this.runsLeft <= 0) this.#host.exhausted();
      return submission;
    } catch (error) {
      if (error instanceof ClosedError) {
        this.#backlog.unshift(due); // given up with the rest
        this.forgetBacklog();
        this.#host.closed();
      } else {
        this.tell(error);
      }
      return undefined;
    }
  }
}
