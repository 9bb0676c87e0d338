// What a schedule did, for people and tests: a bounded list, and exact counts. It decides nothing.

import type { Admission, Outcome, Submission, TaskId } from '../../index.ts';

export interface SubmittedRun<T = unknown> {
  readonly kind: 'submitted';
  readonly cause: 'date' | 'trigger';
  /** The date it runs for, without jitter; for a `trigger` the moment of the call. */
  readonly due: Date;
  readonly at: Date;
  readonly id: TaskId;
  /** What the slot decided; `rejected` is a dropped run. */
  readonly admission: Admission;
  /** `undefined` until it has ended. */
  readonly outcome: Outcome<T> | undefined;
}

export interface MissedRun {
  readonly kind: 'missed';
  /** The latest one. */
  readonly due: Date;
  readonly at: Date;
  /** How many; 100 and more means "at least". */
  readonly count: number;
}

export interface FailedRun {
  readonly kind: 'error';
  readonly at: Date;
  readonly error: unknown;
}

export type ScheduleRun<T = unknown> = SubmittedRun<T> | MissedRun | FailedRun;

export interface ScheduleTotals {
  /** Handed to the supervisor, by a date or a `trigger`. */
  readonly submitted: number;
  /** Of these: ended `rejected`, for whatever reason. */
  readonly dropped: number;
  /** Dates that were not run: "at least", once an entry of 100 or more did. */
  readonly missed: number;
  readonly errors: number;
}

/** As it is kept: a Date can be set by whoever has it, a number cannot. */
type Kept<Run> = Run extends unknown ? { -readonly [K in keyof Run]: Run[K] extends Date ? number : Run[K] } : never;

function toRun<T>(run: Kept<ScheduleRun<T>>): ScheduleRun<T> {
  const at = new Date(run.at);
  return run.kind === 'error' ? { ...run, at } : { ...run, at, due: new Date(run.due) };
}

export class History<T> {
  readonly totals: { -readonly [K in keyof ScheduleTotals]: number } = {
    submitted: 0,
    dropped: 0,
    missed: 0,
    errors: 0,
  };
  readonly #runs: Kept<ScheduleRun<T>>[] = [];
  #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get runs(): ScheduleRun<T>[] {
    return this.#runs.map(toRun);
  }

  set size(size: number) {
    this.#size = size;
    this.#trim();
  }

  /** Returns what is to be called with its outcome. */
  submitted(
    submission: Submission<T>,
    cause: 'date' | 'trigger',
    due: number,
    at: number,
  ): (outcome: Outcome<T>) => void {
    const { id, admission } = submission;
    const run: Kept<SubmittedRun<T>> = { kind: 'submitted', cause, due, at, id, admission, outcome: undefined };
    this.totals.submitted += 1;
    this.#add(run);
    return (outcome) => {
      run.outcome = outcome;
      if (outcome.kind === 'rejected') this.totals.dropped += 1;
    };
  }

  missed(count: number, due: number, at: number): void {
    this.totals.missed += count;
    this.#add({ kind: 'missed', due, at, count });
  }

  failed(error: unknown, at: number): void {
    this.totals.errors += 1;
    this.#add({ kind: 'error', at, error });
  }

  #add(run: Kept<ScheduleRun<T>>): void {
    this.#runs.push(run);
    this.#trim();
  }

  #trim(): void {
    this.#runs.splice(0, Math.max(0, this.#runs.length - this.#size));
  }
}
