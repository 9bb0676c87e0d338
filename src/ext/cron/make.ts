// The way in: one timeline a supervisor, made with its first schedule and closed with its shutdown.

import { randomUUID } from 'node:crypto';
import type { Supervisor } from '../../index.ts';
import { reading, refuse } from '../../kit.ts';
import { LiveSchedule } from './live-schedule.ts';
import type { ScheduleOptions } from './options.ts';
import type { Schedule } from './schedule.ts';
import { Timeline } from './timeline.ts';

interface Host {
  readonly timeline: Timeline;
  made: number;
}

const hosts = new WeakMap<Supervisor, Host>();

/**
 * Submits `task` to the supervisor at every date, until it is stopped, its dates end, or the supervisor shuts down.
 *
 * Promised: a run never starts before its date, on the clock that its dates count on; a date is run at most once, over every zone
 * transition, and also when the wall clock is set back by up to an hour; a calendar that fails is told (`onError`, `runs`) and asked again
 * a minute later, and never spins.
 * Not promised: the millisecond (a blocked event loop delays), the half minute (after the wall clock was set or the machine has slept), and
 * dates in a time in which no process ran. A wall clock set back by more than an hour was wrong: dates count from what it says now.
 *
 * `everyMs` counts on the monotonic clock: `startAt` and `endAt` are turned into moments of it at once, and setting the wall clock later
 * moves nothing. Whether it counts the sleep of a machine is the platform's affair.
 *
 * A schedule keeps the process alive while it waits for a date. Bodies run in the async context of this call.
 * Throws OptionError for an option or a task that cannot be meant (nothing is kept), ClosedError once the supervisor is shutting down.
 */
export function schedule<T, S = undefined>(supervisor: Supervisor, options: ScheduleOptions<T, S>): Schedule<T> {
  const check = reading('supervisor', supervisor, () => supervisor?.check);
  if (typeof check !== 'function') refuse('supervisor', 'must be a Supervisor', supervisor);
  let host = hosts.get(supervisor);
  if (host === undefined) {
    const timeline = new Timeline(supervisor.clock);
    host = { timeline, made: 0 };
    hosts.set(supervisor, host);
    void supervisor.closed.then(() => timeline.close());
  }
  host.made += 1;
  const name = `schedule-${host.made}`;
  // A name that counts would be the same in every process, and keep them out of each other's slots wherever leases are shared.
  return new LiveSchedule<T>(supervisor, host.timeline, { name, slot: `${name}-${randomUUID()}` }, options);
}
