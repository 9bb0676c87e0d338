// `schedule` and `schedulesOf`. Each supervisor has one timeline and one list of names, made with
// its first schedule.

import { randomUUID } from 'node:crypto';
import type { Supervisor } from '../../index.ts';
import { checkSupervisor, fromCaller, onShutdown, shared } from '../../kit.ts';
import { LiveSchedule, type ScheduleHost } from './live-schedule.ts';
import { Names } from './names.ts';
import type { ScheduleOptions } from './options.ts';
import type { Schedule } from './schedule.ts';
import { Timeline } from './timeline.ts';

interface Host extends ScheduleHost {
  scheduleCount: number;
}

const hosts = shared('schedules', () => new WeakMap<Supervisor, Host>());

/**
 * Submits `task` to the supervisor at every date, until the schedule is stopped, has no date or run
 * left, or the supervisor shuts down.
 *
 * Promised: every date that comes ends in exactly one count of `Schedule.totals`. A date is never
 * submitted before it has come, on the clock that it belongs to, and at most once: over every zone
 * transition and every `update`, and also when the wall clock is set back, by an hour in all. If
 * the calendar fails, the error is reported (`onError`, `runs`), and the calendar is asked again a
 * minute later.
 *
 * Not promised: precision to the millisecond (a blocked event loop delays runs); precision better
 * than 30 s after the wall clock was set or the machine has slept; without `claims`, dates while no
 * process ran. When the wall clock is set back by more than an hour, measured from the latest time
 * that it was seen to show, dates count from the new time, and may repeat.
 *
 * `everyMs` counts on the monotonic clock. `startAt` and `endAt` are converted to that clock when
 * they are read; setting the wall clock later moves no date. Whether the monotonic clock advances
 * while the machine sleeps depends on the platform. (With `claims` it counts on the wall clock.)
 *
 * A schedule keeps the process alive while it waits for a date. Bodies run in the async context of
 * this call. It ends as the supervisor's shutdown begins, before any body is asked to stop.
 *
 * @example
 * ```ts
 * import { Supervisor } from 'slotvisor';
 * import { schedule } from 'slotvisor/cron';
 *
 * const report = schedule(new Supervisor(), {
 *   cron: '0 6 * * 1-5',
 *   timezone: 'Europe/Vienna',
 *   task: { slot: 'report', run: (_ctx, due) => console.log(`report of ${due.toISOString()}`) },
 * });
 * console.log(report.next(3));
 * ```
 *
 * @throws OptionError for an invalid option or task, or if there is no future run; ClosedError once
 * the supervisor is shutting down. A call that throws submits nothing and keeps nothing.
 */
export function schedule<T, S = undefined>(supervisor: Supervisor, options: ScheduleOptions<T, S>): Schedule<T> {
  return fromCaller(schedule, () => makeSchedule(supervisor, options));
}

/**
 * The live schedules of a supervisor, oldest first: those that have not ended. A copy.
 *
 * @throws OptionError if it is given no supervisor.
 */
export function schedulesOf(supervisor: Supervisor): readonly Schedule[] {
  fromCaller(schedulesOf, () => checkSupervisor(supervisor));
  return hosts.get(supervisor)?.names.all ?? [];
}

function makeSchedule<T, S>(supervisor: Supervisor, options: ScheduleOptions<T, S>): Schedule<T> {
  checkSupervisor(supervisor);
  const host = hosts.get(supervisor) ?? makeHost(supervisor);
  host.scheduleCount += 1;
  const name = `schedule-${host.scheduleCount}`;
  // `schedule-1` exists in every process. As a slot name it would make processes that share leases
  // exclude each other, so the slot name has a UUID.
  return new LiveSchedule<T>(supervisor, host, { name, slot: `${name}-${randomUUID()}` }, options);
}

function makeHost(supervisor: Supervisor): Host {
  onShutdown(supervisor, () => host.timeline.close()); // refuses what is no supervisor
  const host: Host = { timeline: new Timeline(supervisor.clock), names: new Names(), scheduleCount: 0 };
  hosts.set(supervisor, host);
  return host;
}
