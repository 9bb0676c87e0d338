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
  /** How many dates were missed. */
  readonly count: number;
}

/** A date that another process has claimed. */
export interface ElsewhereRun {
  readonly kind: 'elsewhere';
  /** The date. */
  readonly due: Date;
  /** When the claim was refused. */
  readonly at: Date;
}

/** An error that no outcome carries: of the calendar, of `submit`, of `claims`, or of `onError`. */
export interface FailedRun {
  readonly kind: 'error';
  /** When the error was recorded. */
  readonly at: Date;
  /** What was thrown. */
  readonly error: unknown;
  /** The date that was not submitted because of it, if there is one. */
  readonly due?: Date;
}

/** An entry of `Schedule.runs`. */
export type ScheduleRun<T = unknown> = SubmittedRun<T> | MissedRun | ElsewhereRun | FailedRun;

/**
 * Exact counts since the schedule was made. Every date that has come is in one of `ran`,
 * `superseded`, `dropped`, `missed`, `elsewhere`, `errors` and `pending`. Triggers are in none of
 * them.
 */
export interface ScheduleTotals {
  /** Runs that were submitted to the supervisor, by a date or by `trigger`. */
  readonly submitted: number;
  /** Those of `submitted` that `trigger` submitted. */
  readonly triggered: number;
  /** Dates whose run owned its slot, or shared the body of an owner. */
  readonly ran: number;
  /** Dates whose run was rejected as `superseded`: a later one took its place in the slot. */
  readonly superseded: number;
  /** Dates whose run was rejected for any other reason. */
  readonly dropped: number;
  /** Dates that were too late, or found no place under `maxRuns`, or were cut off by an end. */
  readonly missed: number;
  /** Dates that another process has claimed. */
  readonly elsewhere: number;
  /** Dates that were not submitted because `submit` threw. */
  readonly errors: number;
  /**
   * Dates that have come and are in no other count yet: jitter or a pause delays them, their claim
   * is under way, they wait to be caught up, or their run waits in its slot.
   */
  readonly pending: number;
}

/** The counts that a date can end in. */
export type Box = Exclude<keyof ScheduleTotals, 'submitted' | 'triggered' | 'pending'>;

/** A run as it is stored, with numbers for dates: a caller could change a shared `Date`. */
type StoredRun<Run> = Run extends unknown
  ? { -readonly [K in keyof Run]: Run[K] extends Date | undefined ? number : Run[K] }
  : never;

function toRun<T>(run: StoredRun<ScheduleRun<T>>): ScheduleRun<T> {
  const at = new Date(run.at);
  if (run.kind !== 'error') return { ...run, at, due: new Date(run.due) };
  const { due, ...rest } = run;
  return { ...rest, at, ...(due !== undefined && { due: new Date(due) }) };
}

export class History<T> {
  readonly totals: { [K in Exclude<keyof ScheduleTotals, 'pending'>]: number } = {
    submitted: 0,
    triggered: 0,
    ran: 0,
    superseded: 0,
    dropped: 0,
    missed: 0,
    elsewhere: 0,
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
    if (cause === 'trigger') this.totals.triggered += 1;
    this.#add(run);
    return (outcome) => {
      run.outcome = outcome;
    };
  }

  missed(count: number, due: number, at: number): void {
    this.totals.missed += count;
    this.#add({ kind: 'missed', due, at, count });
  }

  elsewhere(due: number, at: number): void {
    this.totals.elsewhere += 1;
    this.#add({ kind: 'elsewhere', due, at });
  }

  /** `due`: the date that was not submitted because of the error. */
  failed(error: unknown, at: number, due?: number): void {
    if (due !== undefined) this.totals.errors += 1;
    this.#add({ kind: 'error', at, error, ...(due !== undefined && { due }) });
  }

  #add(run: StoredRun<ScheduleRun<T>>): void {
    this.#runs.push(run);
    this.#trim();
  }

  #trim(): void {
    this.#runs.splice(0, Math.max(0, this.#runs.length - this.#size));
  }
}
