/**
 * `slotvisor/cron`: schedules. A schedule submits one task to a supervisor at the dates of a cron
 * expression, at a fixed rate, or once.
 *
 * This entry point decides only *when* a task is submitted. The slot's admission policy decides
 * whether a run may overlap the one before (default here: `dropIfRunning`). Retries, timeouts and
 * outcomes are those of the task. Nothing is stored: dates that came while no process ran are not
 * known, unless the processes share `claims`.
 *
 * All schedules of a supervisor share one timer. They end as its shutdown begins. `croner`
 * calculates the dates of cron expressions. It runs no timers here.
 *
 * @privateRemarks
 * Reading order: `options.ts` (the options), `expression.ts` and `calendar.ts` (the dates),
 * `due.ts` (which due dates run and which are missed), `timeline.ts` (the shared timer),
 * `live-schedule.ts` (one schedule, made from these parts), `runner.ts` and `claims.ts` (from dates
 * to submissions), `history.ts` (what became of them).
 *
 * @module slotvisor/cron
 * @document README.md
 */

export type { DateClaims } from './claims.ts';
export type { ElsewhereRun, FailedRun, MissedRun, ScheduleRun, ScheduleTotals, SubmittedRun } from './history.ts';
export { schedule, schedulesOf } from './make.ts';
export type {
  Instant,
  MissedPolicy,
  ScheduleDates,
  ScheduledBody,
  ScheduledTask,
  ScheduleIdentity,
  ScheduleOptions,
  ScheduleSettings,
  ScheduleUpdate,
} from './options.ts';
export type { Schedule, ScheduleStatus, ScheduleWhen } from './schedule.ts';
