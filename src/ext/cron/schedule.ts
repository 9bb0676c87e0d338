// The handle of a schedule, as users see it.

import type { Submission } from '../../index.ts';
import type { ScheduleRun, ScheduleTotals } from './history.ts';
import type { ScheduleUpdate } from './options.ts';

export type ScheduleStatus = 'active' | 'paused' | 'ended';

export interface Schedule<T = unknown> extends AsyncDisposable {
  /**
   * `ended`: stopped, shut down with its supervisor (from the first moment of the shutdown), or without a date or run left; after its last
   * date what is to be caught up still is. It stays so.
   */
  readonly status: ScheduleStatus;
  /** The last `historySize` entries, oldest first; a copy, dates included, as things stand now. */
  readonly runs: readonly ScheduleRun<T>[];
  /** Counts since the start, kept apart from `runs`: exact, but `missed` means "at least" once an entry of 100 or more did. */
  readonly totals: ScheduleTotals;
  /**
   * The next dates, without jitter: up to `count` (0 to 1,000; default 1), none once it has ended, which a shutdown of the supervisor does
   * with its first moment. While paused: the ones that would come. Throws what the calendar throws.
   */
  next(count?: number): Date[];
  /** The last date before now, whether it was run or not, also of one that has ended; `undefined` when there is none. Throws as `next`. */
  previous(): Date | undefined;
  /** No date is run until `resume`. Runs that have been submitted go on. */
  pause(): void;
  /** Dates that came meanwhile, on the clock as it is set now, are treated as `missed` says. */
  resume(): void;
  /** Submits the task now, also while paused; the slot decides as for any other run. Throws ClosedError once the schedule has ended. */
  trigger(): Submission<T>;
  /**
   * Changes the schedule in place; history, counts and a pause stay. New dates count from now, or from a `startAt` that is given and at
   * most `toleranceMs` past, and repeat none that had its turn. With a new `cron`, `everyMs`, `at` or `startAt`, what still waits to be
   * caught up is given up and counted as missed. Throws OptionError, and nothing has changed, or ClosedError once the schedule has ended.
   * Runs that have been submitted go on as they were.
   */
  update<S = undefined>(options: ScheduleUpdate<T, S>): void;
  /**
   * Ends the schedule at once and for good; it stops no run. What still waits to be caught up is counted as missed. Resolves when the runs
   * that it has submitted have ended: a body may call it, but would wait for itself if it awaited it.
   */
  stop(): Promise<void>;
}
