// The schedules of a supervisor as rows. A schedule is the user's object: what it throws is shown
// in its row, and the other rows are shown all the same.

import type { Clock, RejectReason } from '../../index.ts';
import { brief, describe, field, ignored, oneOf } from '../../kit.ts';
import type { Troubles } from './troubles.ts';
import type { ScheduleRow, ScheduleRunRow } from './wire.ts';

/** What the dashboard uses of a schedule of slotvisor/cron. */
export interface DashboardSchedule {
  /** Its name, which the page asks for. */
  readonly name: string;
  /** The slot that its task is submitted to. */
  readonly slot: string;
  /** Its dates, as its options give them. */
  readonly when: object;
  /** What it does now. */
  readonly status: 'active' | 'paused' | 'ended';
  /** Its latest entries, oldest first. */
  readonly runs: readonly object[];
  /** Its counts. */
  readonly totals: object;
  /** The next dates. */
  next(count?: number): readonly Date[];
  /** Submits at no date until `resume`. */
  pause(): void;
  /** Ends a pause. */
  resume(): void;
  /** Submits the task now. */
  trigger(): {
    /** The id of the submission. */
    readonly id: string;
    /** What the slot decided. */
    readonly admission: string;
    /** How it ended. */
    readonly outcome: PromiseLike<unknown>;
  };
}

/** The most schedules that are shown: the first ones. */
export const MAX_SCHEDULES = 1_000;
/** How many dates are shown, and how many runs. */
const NEXT = 3;
const RUNS = 10;
/** Rows are made again no sooner than after so many times what they took: 5 % of a core. */
const REST = 20;

/** The schedules of one supervisor. */
export class Schedules {
  readonly #given: () => Iterable<DashboardSchedule>;
  readonly #clock: Clock;
  readonly #troubles: Troubles;
  #rows: readonly ScheduleRow[] = [];
  #madeMs = -Infinity;
  #costMs = 0;

  constructor(given: () => Iterable<DashboardSchedule>, clock: Clock, troubles: Troubles) {
    this.#given = given;
    this.#clock = clock;
    this.#troubles = troubles;
  }

  /** The first ones, none if the option `schedules` throws. */
  list(): readonly DashboardSchedule[] {
    const schedules: DashboardSchedule[] = [];
    try {
      const given = ignored(this.#given());
      for (const schedule of given) {
        if (schedules.length === MAX_SCHEDULES) break;
        schedules.push(schedule);
      }
    } catch (error) {
      this.#troubles.report('schedules', error);
      return [];
    }
    return schedules;
  }

  /** At most `maxAgeMs` old, or older where they take long: dates are not cheap. */
  rows(maxAgeMs: number): readonly ScheduleRow[] {
    const now = this.#clock.now();
    if (now - this.#madeMs < Math.max(maxAgeMs, REST * this.#costMs)) return this.#rows;
    this.#rows = this.list().map(scheduleRow);
    this.#madeMs = this.#clock.now();
    this.#costMs = this.#madeMs - now;
    return this.#rows;
  }
}

const STATUSES = ['active', 'paused', 'ended'] as const;

/** Never throws, and has nothing that JSON cannot hold. */
export function scheduleRow(schedule: DashboardSchedule): ScheduleRow {
  const errors: string[] = [];
  const read = <T>(get: () => T, otherwise: T): T => {
    try {
      return get();
    } catch (error) {
      errors.push(describe(error));
      return otherwise;
    }
  };
  const row = {
    name: read(() => String(schedule.name), ''),
    slot: read(() => String(schedule.slot), ''),
    when: read(() => whenText(schedule.when), ''),
    status: read(() => oneOf('status', ignored(schedule.status), STATUSES), 'active'),
    next: read(() => Array.from(ignored(schedule.next(NEXT)), Number).slice(0, NEXT), []),
    totals: read(() => totalsOf(schedule.totals), {}),
    runs: read(() => Array.from(schedule.runs).slice(-RUNS).map(runRow), []),
  };
  return errors.length === 0 ? row : { ...row, error: errors.join('; ') };
}

function totalsOf(totals: object): Record<string, number> {
  return Object.fromEntries(Object.entries(totals).filter(([, count]) => Number.isFinite(count)));
}

function whenText(when: object): string {
  const [cron, timezone, everyMs, at] = ['cron', 'timezone', 'everyMs', 'at'].map((name) => field(when, name));
  if (typeof cron === 'string') return `${brief(cron)} (${typeof timezone === 'string' ? timezone : 'local time'})`;
  if (typeof everyMs === 'number') return `every ${spanText(everyMs)}`;
  if (at instanceof Date) return `once, at ${at.toISOString()}`;
  return 'by its own calendar';
}

const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

/** The largest units that say it exactly: `1 h 30 min`. */
function spanText(ms: number): string {
  let left = ms;
  const parts: string[] = [];
  for (const [unit, name] of UNITS) {
    const count = Math.floor(left / unit);
    if (count > 0) parts.push(`${count} ${name}`);
    left -= count * unit;
  }
  if (left > 0) parts.push(`${left} ms`);
  return parts.join(' ');
}

const RUN_KINDS = ['submitted', 'missed', 'elsewhere', 'error'] as const;

function runRow(run: object): ScheduleRunRow {
  const [kind, cause, count, outcome] = ['kind', 'cause', 'count', 'outcome'].map((name) => field(run, name));
  const due = field(run, 'due');
  const end = field(outcome, 'kind');
  const reason = field(outcome, 'reason');
  return {
    kind: oneOf('kind', kind, RUN_KINDS),
    at: Number(field(run, 'at')),
    ...(due !== undefined && { due: Number(due) }),
    ...((cause === 'date' || cause === 'trigger') && { cause }),
    ...(typeof end === 'string' && { outcome: end }),
    ...(end === 'rejected' && typeof reason === 'string' && { reason: reason as RejectReason }),
    ...(typeof count === 'number' && { count }),
    ...(kind === 'error' && { text: describe(field(run, 'error')) }),
  };
}
