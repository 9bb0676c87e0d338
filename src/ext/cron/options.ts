// The public options of a schedule. settings.ts reads and checks them.

import type { TaskContext, TaskSpec } from '../../index.ts';
import type { StateOption } from '../../kit.ts';
import type { DateClaims } from './claims.ts';

/**
 * A moment: a `Date`, epoch ms, or ISO 8601 text with date and time. Text without an offset
 * (`2030-01-23T04:00`) is local time in the schedule's time zone. If a zone transition skips that
 * time, the moment is moved forward past the gap. If a transition repeats it, the first one counts.
 */
export type Instant = Date | string | number;

/**
 * What happens to dates that could not run in time: after a blocked event loop, a sleep of the
 * machine, a wall clock that was set forward, or a pause. Of the dates that became due together
 *
 * - `skip` runs the latest, if it is at most `toleranceMs` late;
 * - `once` runs the latest, however late it is;
 * - `{ catchUp: n }` (n from 1 to 1,000) runs the latest n, oldest first. Each starts when the run
 *   before it has ended.
 *
 * Dates that are caught up are submitted as `queue`, whatever the admission policy of the task:
 * they must not be dropped. A new date that comes while others wait to be caught up goes behind
 * them. If more than n wait then, the oldest are missed.
 *
 * Every other date is missed: counted in `totals.missed` and recorded in `runs`. So is every date
 * that has come and has not had its turn when the schedule is stopped, has used up `maxRuns`, or is
 * shut down.
 */
export type MissedPolicy =
  | 'skip'
  | 'once'
  | {
      /** How many of the latest dates run. A whole number from 1 to 1,000. */
      readonly catchUp: number;
    };

/** When a schedule runs: exactly one of `cron`, `everyMs` and `at`. */
export type ScheduleDates =
  | {
      /**
       * A cron expression: 5 to 7 fields (with 6, seconds come first; with 7, years come last), or
       * a nickname like `@daily`. The [README](./README.md) has the syntax, and how it differs
       * from that of Vixie cron and Quartz.
       *
       * An expression with neither `*` nor a step in its seconds, minutes and hours names times of
       * day. If a zone transition skips such a time, it runs at the end of the gap, if that is
       * still the same day. If a transition repeats it, it runs once. Any other expression is an
       * interval: it runs whenever it matches.
       */
      readonly cron: string;
      readonly everyMs?: undefined;
      readonly at?: undefined;
    }
  | {
      readonly cron?: undefined;
      /**
       * A fixed rate: one date every so many ms, at least 1. Counted on the monotonic clock, from
       * `startAt` if given, else from now. The duration of a run moves no date. With `claims` it is
       * counted on the wall clock.
       */
      readonly everyMs: number;
      readonly at?: undefined;
    }
  | {
      readonly cron?: undefined;
      readonly everyMs?: undefined;
      /**
       * One date. If it is at most `toleranceMs` in the past, it runs at once. If it is further
       * back, `schedule` and `update` throw an OptionError.
       */
      readonly at: Instant;
    };

/** What a schedule is known by. An update cannot change it. */
export interface ScheduleIdentity {
  /**
   * Unique among the live schedules of the supervisor. 1 to 1,024 UTF-16 units. Default: the task's
   * slot or name, or else `schedule-<n>`; if a live schedule has that name, `<name>#2` and so on.
   */
  readonly name?: string | undefined;
  /**
   * One run a date over all processes that share these claims. Default: none; each process runs all
   * dates.
   *
   * A date is claimed before it is submitted. If another process has claimed it, it does not run
   * here (`totals.elsewhere`). Dates that came after the last claimed one, while no process ran,
   * are treated as the option `missed` says. A claim that fails is tried again until its date is
   * `toleranceMs` late (a date that is caught up: for `toleranceMs`), and is missed then. A claim
   * that was sent is waited for; of more than 1,000, the oldest is missed.
   *
   * At most once: if a process dies after its claim, that date is lost. `trigger` claims nothing. A
   * pause does not hold back a date whose claim is under way.
   *
   * All processes must find the same dates. So these are required: `name`; the task's slot or name;
   * `timezone` with `cron`, and where an option is text without an offset; `startAt` with
   * `everyMs`, whose dates are then `startAt + k * everyMs` on the wall clock.
   *
   * `postgresClaims` of `slotvisor/postgres` and `redisClaims` of `slotvisor/redis` make claims.
   */
  readonly claims?: DateClaims | undefined;
}

/** An option given as `undefined` counts as absent. */
export interface ScheduleSettings {
  /** An IANA time zone name. Default: the zone of the process, as `Date` uses it. */
  readonly timezone?: string | undefined;
  /**
   * No date comes before this moment. Default: now. If it is at most `toleranceMs` in the past, a
   * date at this very moment, or since then, is due at once. `everyMs` counts from here, however
   * long ago it is. `-Infinity` means no limit.
   */
  readonly startAt?: Instant | undefined;
  /** Every date comes before this moment. Default `Infinity`: no limit. */
  readonly endAt?: Instant | undefined;
  /**
   * How many dates run, at least 1. A date takes a place when it is submitted, and gives it back if
   * its run is rejected. The place is used up when the run owns its slot, or shares the body of an
   * owner. A date that finds no place is missed. The schedule ends when all places are used up.
   * Triggers do not count. Default `Infinity`.
   */
  readonly maxRuns?: number | undefined;
  /**
   * The longest random delay in ms, 0 or more. A new delay is drawn for each date. Default 0.
   *
   * Jitter keeps the order of dates and does not count as lateness. If a date is delayed past the
   * next one, both are due together, and the admission policy decides whether both run. A new
   * `jitterMs` counts from the next date that is not awaited yet.
   */
  readonly jitterMs?: number | undefined;
  /** What happens to dates that could not run in time. Default `skip`. */
  readonly missed?: MissedPolicy | undefined;
  /**
   * A date that runs at most this many ms late is on time. Default 60,000. The wall clock is
   * checked every 30 s: with less than that, setting the clock forward may lose dates.
   */
  readonly toleranceMs?: number | undefined;
  /** How many entries `runs` keeps, 0 to 10,000. Default 20. */
  readonly historySize?: number | undefined;
  /** The random source for jitter; returns a number in [0, 1). Default: that of the platform. */
  readonly random?: (() => number) | undefined;
  /**
   * Called with every error that no outcome carries: the calendar failed, or the supervisor refused
   * the task. It is called on a later turn of the event loop. If it throws or rejects, that error
   * is recorded in `runs` and has no other effect. Default: none; `runs` has the errors either way.
   */
  readonly onError?: ((error: unknown) => void | PromiseLike<void>) | undefined;
}

/**
 * A task body that also gets the date of its run. The date is not the current time: the run may be
 * late. In a run by `trigger` it is the moment of that call.
 */
export type ScheduledBody<T = unknown, S = undefined> = (ctx: TaskContext<S>, due: Date) => T | PromiseLike<T>;

/**
 * A task spec. Its admission policy is `dropIfRunning` by default.
 *
 * A task with neither `slot` nor `name` is named `schedule-<n>` and gets a slot of its own,
 * `schedule-<n>-<uuid>`. No other slot has that name, in this process or in another process that
 * shares its leases.
 *
 * `workerTask` and `subprocessTask` pass the date on: `ctx.due` in the thread, `SLOTVISOR_DUE` in
 * the environment of the process.
 *
 * The restart policy applies to each run. With the default, `onFailure`, a failing run is retried
 * until it succeeds, and occupies the slot until then.
 *
 * @interface
 */
export type ScheduledTask<T = unknown, S = undefined> = Omit<TaskSpec, 'run' | 'state'> &
  StateOption<S> & {
    /** The body, or a killable task whose body gets the date, too. */
    readonly run:
      | ScheduledBody<T, S>
      | {
          /** The body. */
          run: ScheduledBody<T, S>;
          /** Ends the body of this attempt, as `kill` of a `KillableTask` does. */
          kill(ctx: TaskContext<S>): void | PromiseLike<void>;
        };
  };

/** The options of `schedule`: one kind of dates, the task, settings, and what it is known by. */
export type ScheduleOptions<T = unknown, S = undefined> = ScheduleDates &
  ScheduleSettings &
  ScheduleIdentity & {
    /** What is submitted at each date. */
    readonly task: ScheduledTask<T, S>;
  };

/**
 * The options of `Schedule.update`. Options that are left out, or given with the values that they
 * have, change nothing. A new `cron`, `everyMs` or `at` replaces the old dates.
 */
export type ScheduleUpdate<T = unknown, S = undefined> = (
  | ScheduleDates
  | { readonly cron?: undefined; readonly everyMs?: undefined; readonly at?: undefined }
) &
  ScheduleSettings & {
    /** What is submitted from now on. */
    readonly task?: ScheduledTask<T, S> | undefined;
  };
