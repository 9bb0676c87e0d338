// What a schedule is made with, for users. How it is read stands in settings.ts.

import type { TaskContext, TaskSpec } from '../../index.ts';

/**
 * A moment: a `Date`, epoch ms, or ISO 8601 text. Text without an offset (`2030-01-23T04:00`) is read in the schedule's zone; a time that a
 * transition skips there is moved past the gap, one that it repeats is the first.
 */
export type Instant = Date | string | number;

/**
 * What becomes of dates that could not have their turn in time: after a blocked event loop, a sleep of the machine, a wall clock that was
 * set forward, a pause. When several have come due together, `skip` runs the latest one if it is at most `toleranceMs` late, `once` runs
 * the latest one however late it is, `catchUp` the latest n (1 to 1,000), oldest first, each when the one before has ended. A date that comes
 * while others still wait for that goes behind them, and the oldest of more than n is given up; all are when the
 * schedule is stopped, has used up `maxRuns` or is shut down, or is updated to new dates. What is not run is counted as missed and told in
 * `runs`.
 */
export type MissedPolicy = 'skip' | 'once' | { readonly catchUp: number };

/** When a schedule runs: exactly one of the three. */
export type ScheduleDates =
  | {
      /**
       * 5 to 7 fields (seconds first from 6 on, years last with 7), or a nickname like `@daily`, as croner reads them; no `?`.
       * With neither `*` nor a step in seconds, minutes and hours it names times of the day: one that a zone transition skips runs at the end
       * of the gap, if that is still the same day; one that is repeated runs once. Any other is an interval and runs whenever it matches.
       */
      readonly cron: string;
      readonly everyMs?: undefined;
      readonly at?: undefined;
    }
  | {
      readonly cron?: undefined;
      /** At least 1. A fixed rate, counted on the monotonic clock from `startAt`, else from now: the length of a run moves no date. */
      readonly everyMs: number;
      readonly at?: undefined;
    }
  | {
      readonly cron?: undefined;
      readonly everyMs?: undefined;
      /** Once. At most `toleranceMs` past, it runs at once; further back it is refused. */
      readonly at: Instant;
    };

/** An option given as `undefined` is absent. */
export interface ScheduleSettings {
  /** An IANA name. Default: the zone of the process, in which Date shows local time. */
  readonly timezone?: string | undefined;
  /** No date before it. Default: now. One that is at most `toleranceMs` past counts as now. `-Infinity`: none. */
  readonly startAt?: Instant | undefined;
  /** No date from it on. Default and `Infinity`: none. */
  readonly endAt?: Instant | undefined;
  /** The schedule ends after this many of its runs were accepted. A dropped run and a `trigger` do not count. Default `Infinity`. */
  readonly maxRuns?: number | undefined;
  /**
   * Each date is put off by chance, by at most this long. It reorders nothing and is no lateness: one that is put off past the next one
   * takes that along, and whether both run is the admission policy's affair. Default 0.
   */
  readonly jitterMs?: number | undefined;
  /** Default `skip`. */
  readonly missed?: MissedPolicy | undefined;
  /** Up to this much later a date is on time. Default 60,000. The wall clock is looked at every 30 s: with less, setting it may lose dates. */
  readonly toleranceMs?: number | undefined;
  /** How many entries `runs` keeps, 0 to 10,000. Default 20. */
  readonly historySize?: number | undefined;
  /** In [0, 1); for jitter. Default: the platform's. */
  readonly random?: (() => number) | undefined;
  /** Told, on a later turn, what no outcome tells: a calendar that fails, a task that the supervisor refuses. What it throws harms nothing. */
  readonly onError?: ((error: unknown) => void | PromiseLike<void>) | undefined;
}

/** A body that is also told the date it runs for, which is not the time of day: it may be late. For a `trigger` it is the moment of the call. */
export type ScheduledBody<T = unknown, S = undefined> = (ctx: TaskContext<S>, due: Date) => T | PromiseLike<T>;

/**
 * A spec whose admission policy is `dropIfRunning` unless it says otherwise. With neither `slot` nor `name` it is called `schedule-<n>` and
 * has a slot of its own, `schedule-<n>-<uuid>`: no other slot has that name, in this process or in one that shares its leases.
 * The restart policy holds for each run: with the default a failing run is retried, and keeps the slot, until it succeeds.
 */
export type ScheduledTask<T = unknown, S = undefined> = Omit<TaskSpec<T, S>, 'run'> & {
  readonly run: ScheduledBody<T, S> | { run: ScheduledBody<T, S>; kill(ctx: TaskContext<S>): void | PromiseLike<void> };
};

export type ScheduleOptions<T = unknown, S = undefined> = ScheduleDates &
  ScheduleSettings & { readonly task: ScheduledTask<T, S> };

/** What is left out stays as it is; a new `cron`, `everyMs` or `at` takes the place of the old one. */
export type ScheduleUpdate<T = unknown, S = undefined> = (
  | ScheduleDates
  | { readonly cron?: undefined; readonly everyMs?: undefined; readonly at?: undefined }
) &
  ScheduleSettings & { readonly task?: ScheduledTask<T, S> | undefined };
