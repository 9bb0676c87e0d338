/**
 * `slotvisor/cron`: schedules. A schedule submits one task to a supervisor at the dates of a cron
 * expression, at a fixed rate, or once.
 *
 * This entry point decides only *when* a task is submitted. The slot's admission policy decides
 * whether a run may overlap the one before (default here: `dropIfRunning`). Retries, timeouts and
 * outcomes are those of the task. Nothing is stored on disk: dates that came while no process ran
 * are not known.
 *
 * All schedules of a supervisor share one timer. They end with its shutdown. The dependency
 * `croner` calculates the dates of cron expressions. It runs no timers here.
 *
 * Reading order: `options.ts` (the options), `calendar.ts` (the dates), `cron-calendar.ts` (those
 * of expressions, made from `expression.ts`, `local-dates.ts` and `zone.ts`), `due.ts` (which due
 * dates run and which are missed), `timeline.ts` (the shared timer), `live-schedule.ts` (one
 * schedule, made from these parts), `runner.ts` (from dates to submissions).
 *
 * @module
 */

export type { FailedRun, MissedRun, ScheduleRun, ScheduleTotals, SubmittedRun } from './history.ts';
export { schedule } from './make.ts';
export type {
  Instant,
  MissedPolicy,
  ScheduleDates,
  ScheduledBody,
  ScheduledTask,
  ScheduleOptions,
  ScheduleSettings,
  ScheduleUpdate,
} from './options.ts';
export type { Schedule, ScheduleStatus } from './schedule.ts';
