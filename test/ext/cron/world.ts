// Schedules on a virtual clock that records the delay of every timer.

import { type Clock, Supervisor } from 'slotvisor';
import { type Schedule, type ScheduledTask, type ScheduleOptions, schedule } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import { HOUR, MINUTE } from './zones.ts';

export { HOUR, MINUTE };
export const SECOND = 1_000;
export const DAY = 24 * HOUR;
export const START = Date.UTC(2020, 0, 1);

export interface World {
  readonly clock: VirtualClock;
  readonly supervisor: Supervisor;
  /** The delays of all timers that were set. */
  readonly delays: number[];
  /** A task without a body has one that records its runs. */
  make(options: Omit<Partial<ScheduleOptions>, 'task'> & { readonly task?: Partial<ScheduledTask> }): {
    schedule: Schedule;
    dues: string[];
  };
}

/**
 * Each run of a schedule is recorded in `dues`: as the time of day of its date and, where it
 * differs, that of its start.
 */
export function world(wallMs = START, clock = new VirtualClock({ wallMs })): World {
  const delays: number[] = [];
  const watched: Clock = {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimer(ms, fire) {
      delays.push(ms);
      return clock.setTimer(ms, fire);
    },
  };
  const supervisor = new Supervisor({ clock: watched });
  const timeOf = (ms: number) => new Date(ms).toISOString().slice(11, 19);
  const make: World['make'] = (options) => {
    const dues: string[] = [];
    const run = (_: unknown, due: Date) => {
      const [wanted, got] = [timeOf(due.getTime()), timeOf(clock.wallNow())];
      dues.push(wanted === got ? wanted : `${wanted} at ${got}`);
    };
    const made = schedule(supervisor, { timezone: 'UTC', ...options, task: { run, ...options.task } } as never);
    return { schedule: made as Schedule, dues };
  };
  return { clock, supervisor, delays, make };
}
