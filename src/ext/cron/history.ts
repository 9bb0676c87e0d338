// The record of what a schedule did: a bounded list of entries, and counts. No decision reads it.

import type { Admission, Outcome, Submission, TaskId } from '../../index.ts';

/** A run that was submitted. */
export interface SubmittedRun<T = unknown> {
  readonly kind: 'submitted';
  /** `date`: a date was due. `trigger`: `trigger` was called. */
  readonly cause: 'date' | 'trigger';
  /** The date of the run, without jitter. For a trigger: the moment of the call. */
  readonly due: Date;
  /** When the run was submitted. */
  readonly at: Date;
  /** The id of the submission. */
  readonly id: TaskId;
  /** What the slot decided. `rejected`: the run was dropped. */
  readonly admission: Admission;
  /** `undefined` until the run has ended. */
  readonly outcome: Outcome<T> | undefined;
}

/** Dates that did not run. */
export interface MissedRun {
  readonly kind: 'missed';
  /** The latest of the missed dates. */
  readonly due: Date;
  /** When they were found to be missed. */
  readonly at: Date;
  /** How many dates were missed. From 100 on it means "at least". */
  readonly count: number;
}

/** An error that no outcome carries: of the calendar, of `submit`, or of `onError`. */
export interface FailedRun {
  readonly kind: 'error';
  /** When the error was recorded. */
  readonly at: Date;
  /** What was thrown. */
  readonly error: unknown;
}

/** An entry of `Schedule.runs`. */
export type ScheduleRun<T = unknown> = SubmittedRun<T> | MissedRun | FailedRun;

/** Counts since the schedule was made. */
export interface ScheduleTotals {
  /** Runs that were submitted to the supervisor, by a date or by `trigger`. */
  readonly submitted: number;
  /** Submitted runs whose outcome is `rejected`, for any reason. */
  readonly dropped: number;
  /** Dates that did not run. A minimum once an entry of `runs` has counted 100 or more. */
  readonly missed: number;
  /** Errors that no outcome carries, as in the `error` entries of `runs`. */
  readonly errors: number;
}

/** A run as it is stored, with numbers for dates: a caller could change a shared `Date`. */
type StoredRun<Run> = Run extends unknown
  ? { -readonly [K in keyof Run]: Run[K] extends Date ? number : Run[K] }
  : never;

function toRun<T>(run: StoredRun<ScheduleRun<T>>): ScheduleRun<T> {
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
  readonly #runs: StoredRun<ScheduleRun<T>>[] = [];
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

  /** Returns a function to call with the outcome of the submission. */
  submitted(
    submission: Submission<T>,
    cause: 'date' | 'trigger',
    due: number,
    at: number,
  ): (outcome: Outcome<T>) => void {
    const { id, admission } = submission;
    const run: StoredRun<SubmittedRun<T>> = { kind: 'submitted', cause, due, at, id, admission, outcome: undefined };
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

  #add(run: StoredRun<ScheduleRun<T>>): void {
    this.#runs.push(run);
    this.#trim();
  }

  #trim(): void {
    this.#runs.splice(0, Math.max(0, this.#runs.length - this.#size));
  }
}
