/**
 * `slotvisor/cron`: tasks by the clock. A schedule submits one task to a supervisor at the dates of a cron expression, at a fixed rate, or once.
 *
 * What it adds is *when*. Whether a run may overlap the one before is the slot's admission policy, as for every other submission (default
 * here: `dropIfRunning`); retries, timeouts and outcomes are the task's. Nothing is kept on disk: dates while no process ran are not known.
 *
 * All schedules of a supervisor share one timer and end with its shutdown. The optional peer `croner` works the dates of expressions out;
 * it starts nothing.
 *
 * Reading order: `options.ts` (what can be asked for), `calendar.ts` (when), `due.ts` (what becomes of dates that are due), `timeline.ts`
 * (the one timer), `live-schedule.ts` (how these make one schedule), `runner.ts` (from dates to submissions).
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
