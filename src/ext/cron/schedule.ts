// The public handle of a schedule.

import type { Submission } from '../../index.ts';
import type { ScheduleRun, ScheduleTotals } from './history.ts';
import type { ScheduleUpdate } from './options.ts';

/** What a schedule does now. `paused`: no date runs until `resume`. `ended` is for good. */
export type ScheduleStatus = 'active' | 'paused' | 'ended';

/** The dates of a schedule, as its options give them. */
export type ScheduleWhen =
  | {
      /** The cron expression. */
      readonly cron: string;
      /** The IANA time zone name. Absent: that of the process. */
      readonly timezone?: string;
    }
  | {
      /** The fixed rate, in ms. */
      readonly everyMs: number;
    }
  | {
      /** The only date. */
      readonly at: Date;
    };

/** The handle that `schedule` returns. Disposing it (`await using`) calls `stop`. */
export interface Schedule<T = unknown> extends AsyncDisposable {
  /** Unique among the live schedules of its supervisor. It never changes. */
  readonly name: string;
  /** The slot that its task is submitted to. */
  readonly slot: string;
  /** Its dates, as they were given last. */
  readonly when: ScheduleWhen;
  /**
   * `active`: it submits its task at its dates. `paused`: it submits at no date until `resume`.
   * `ended`: it was stopped, its supervisor has begun to shut down, or it has no date or run left.
   * An ended schedule stays ended. After its last date it still runs what it has to catch up.
   */
  readonly status: ScheduleStatus;
  /** The last `historySize` entries, oldest first. A copy: it does not change later. */
  readonly runs: readonly ScheduleRun<T>[];
  /** Exact counts since the schedule was made, independent of `historySize`. A copy. */
  readonly totals: ScheduleTotals;
  /**
   * The next dates, without jitter. While the schedule is paused: the dates that it would run.
   * Empty once it has ended, which includes the first moment of its supervisor's shutdown. Under
   * `maxRuns`: at most as many as places are free.
   *
   * @param count the most dates to return, a whole number from 0 to 1,000. Default 1.
   * @throws OptionError for a bad `count`, and whatever the calendar throws.
   */
  next(count?: number): Date[];
  /**
   * The last date before now, whether it ran or not; `undefined` if there is none. It also answers
   * once the schedule has ended.
   *
   * @throws whatever the calendar throws.
   */
  previous(): Date | undefined;
  /**
   * Submits at no date until `resume`. Runs that are already submitted continue, and so does a
   * claim that is under way.
   */
  pause(): void;
  /**
   * Ends a pause. Dates that came during it, by the clock as it is set now, are treated as the
   * option `missed` says.
   */
  resume(): void;
  /**
   * Submits the task now, also while paused, in the async context of the `schedule` call. The
   * slot's admission policy decides, as for any other submission. A trigger is no date: it counts
   * in `totals.triggered`, not for `maxRuns`, and claims nothing.
   *
   * @throws ClosedError once the schedule has ended.
   */
  trigger(): Submission<T>;
  /**
   * Changes the schedule in place. History, counts and a pause stay, and runs that are already
   * submitted continue unchanged. Options that are left out, or given with the values that they
   * have, change nothing: the same configuration can be applied again and again.
   *
   * If the dates change, or `missed` or `toleranceMs`, what has come and has not had its turn is
   * decided first, as the old `missed` says, and runs (after a pause: when it ends). New dates
   * count from now, or from a new `startAt` that is at most `toleranceMs` in the past. No moment up
   * to the last date that had its turn is a date again.
   *
   * @throws OptionError for an invalid option, or if no future run is left; nothing has changed
   * then. ClosedError once the schedule has ended.
   */
  update<S = undefined>(options: ScheduleUpdate<T, S>): void;
  /**
   * Ends the schedule at once and for good. It stops no run. Dates that have come and have not had
   * their turn are missed, those whose claim is under way included.
   *
   * Resolves when all runs that the schedule has submitted have ended. A body may call `stop` of
   * its own schedule, but must not await it: it would wait for itself.
   */
  stop(): Promise<void>;
}
