// How far a schedule has got in its dates: which have had their turn, which have come and have not,
// and what follows when the dates change or a clock is set. It sets no timer and submits nothing.

import { datesAfter } from './calendar.ts';
import type { Dates } from './dates.ts';
import { type Due, type DuePolicy, decideDue, lastUpTo } from './due.ts';
import type { ClockName, Timeline } from './timeline.ts';

/** Dates that have their turn together, on the wall clock. */
export interface Turn extends Pick<Due, 'next' | 'failure'> {
  /** Oldest first. */
  readonly run: readonly number[];
  readonly missed: number;
  /** The latest missed date. */
  readonly lastMissed: number | undefined;
}

/** Where new dates begin: at their own start, now, or where the old ones have got to. */
export type Beginning = 'start' | 'now' | 'here';

export class Progress {
  readonly #timeline: Timeline;
  #dates: Dates;
  /** Dates up to here have had their turn, or came before the schedule began. */
  #cursor: number;
  /**
   * The latest date that had its turn, on either clock. No date up to here has a turn, whatever the
   * new dates are.
   */
  readonly #decided: Record<ClockName, number> = { wall: -Infinity, monotonic: -Infinity };

  constructor(timeline: Timeline, dates: Dates) {
    this.#timeline = timeline;
    this.#dates = dates;
    this.#cursor = dates.cursor;
  }

  get dates(): Dates {
    return this.#dates;
  }
  get cursor(): number {
    return this.#cursor;
  }
  /** On the clock of the dates. */
  get now(): number {
    return this.#timeline.now(this.#dates.clock);
  }
  /** The first date that has not had its turn. Throws what the calendar throws. */
  get first(): number | undefined {
    return this.#dates.calendar.after(this.#cursor);
  }

  /** How many dates have come and have not had their turn. 0 if the calendar fails. */
  get coming(): number {
    try {
      return this.#dates.calendar.count(this.#cursor, this.now);
    } catch {
      return 0; // `onError` hears of it when the next date is asked for
    }
  }

  /** The next dates. Throws what the calendar throws. */
  upcoming(count: number): Date[] {
    const dates = datesAfter(this.#dates.calendar, Math.max(this.#cursor, this.now), count);
    return dates.map((date) => new Date(this.#wallDate(date)));
  }

  /** The last date before now. Throws what the calendar throws. */
  previous(): Date | undefined {
    const date = this.#dates.calendar.before(this.now);
    return date === undefined ? undefined : new Date(this.#wallDate(date));
  }

  /** The turn of the dates from `first` to `upTo`. `now`: lateness is measured from here. */
  turn(first: number, upTo: number, policy: DuePolicy, now = upTo): Turn {
    const due = decideDue(this.#dates.calendar, first, upTo, policy, now);
    this.#cursor = Math.max(this.#cursor, due.upTo);
    return this.#decide(due, this.#dates.clock);
  }

  /**
   * The turn of dates that came before the schedule began: those after `lastMs`, up to where
   * `begun` begins. There is none if the calendar has no such date.
   */
  turnOfAbsence(begun: Dates, lastMs: number, policy: DuePolicy): Turn | undefined {
    const { calendar, clock, cursor } = begun;
    const first = calendar.after(lastMs);
    if (first === undefined || first > cursor) return undefined;
    return this.#decide(decideDue(calendar, first, cursor, policy, this.#timeline.now(clock)), clock);
  }

  #decide({ run, missed, lastMissed, next, failure }: Due, clock: ClockName): Turn {
    const last = run.at(-1) ?? lastMissed ?? -Infinity;
    this.#decided[clock] = Math.max(this.#decided[clock], last);
    this.#decided.wall = Math.max(this.#decided.wall, this.#wallDate(last, clock));
    return {
      run: run.map((date) => this.#wallDate(date, clock)),
      missed,
      lastMissed: lastMissed && this.#wallDate(lastMissed, clock),
      next,
      failure,
    };
  }

  /** What has come and has not had its turn is missed. Undefined if there is nothing. */
  miss(): Pick<Turn, 'missed' | 'lastMissed'> | undefined {
    const missed = this.coming;
    const last = missed > 0 ? lastUpTo(this.#dates.calendar, this.now) : undefined;
    if (last === undefined) return undefined;
    this.#cursor = last;
    return { missed, lastMissed: this.#wallDate(last) };
  }

  /**
   * Whether `others` has the dates that have come and have not had their turn, and the same next
   * one. No if the clock was set back since the last turn: then `others` may have dates until then.
   *
   * @param areOthers false: at most the end is another one. The next date does not matter then.
   */
  hasSameComing(others: Dates, areOthers = true): boolean {
    const { calendar, clock } = this.#dates;
    if (others.clock !== clock || (areOthers && this.#cursor > this.now)) return false;
    try {
      const isSameCount = others.calendar.count(this.#cursor, this.now) === this.coming;
      return isSameCount && (!areOthers || others.calendar.after(this.#cursor) === calendar.after(this.#cursor));
    } catch {
      return false;
    }
  }

  replace(dates: Dates, beginning: Beginning): void {
    const { clock } = dates;
    const decided = this.#decided;
    if (clock === 'monotonic' && this.#dates.clock === 'wall')
      decided.monotonic = Math.max(decided.monotonic, decided.wall - this.#timeline.moment().shift);
    if (beginning === 'start') this.#cursor = dates.cursor;
    else if (beginning === 'now') this.#cursor = this.#timeline.now(clock);
    this.#cursor = Math.max(this.#cursor, decided[clock]);
    this.#dates = dates;
  }

  /**
   * After the calendar failed. It may fail at some moments only: if it knows what follows now, but
   * not what follows the last date, then dates before now are unknown.
   */
  skipUnknown(): void {
    const justNow = Math.max(this.#cursor, this.now - 1); // a date right now is still to come
    this.#cursor = [this.#cursor, justNow].find((ms) => this.#isKnownAfter(ms)) ?? this.#cursor;
  }

  #isKnownAfter(ms: number): boolean {
    try {
      this.#dates.calendar.after(ms);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * The wall clock was set back by more than an hour: dates after `wallMs` come again. Returns
   * whether that changes anything here.
   */
  setBack(wallMs: number): boolean {
    this.#decided.wall = Math.min(this.#decided.wall, wallMs);
    if (this.#dates.clock === 'monotonic') return false;
    this.#cursor = Math.min(this.#cursor, wallMs);
    return true;
  }

  #wallDate(date: number, clock = this.#dates.clock): number {
    return this.#timeline.wallDate(clock, date);
  }
}
