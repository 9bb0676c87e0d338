// How many dates of a schedule have come, without asking the schedule where the answer is certain.
// It is uncertain only while the wall clock shows times again that it has shown already: the model
// knows the earliest and the latest answer then.

import { expect } from 'vitest';
import { atDates, cronDates, everyDates, lastDate, type ModelDates, within } from './ledger-dates.ts';

/** The settings that dates depend on. */
export interface DateSettings {
  readonly cron: string | undefined;
  readonly everyMs: number | undefined;
  readonly at: number | undefined;
  readonly timezone: string;
  readonly startAt: number;
  readonly endAt: number;
  readonly toleranceMs: number;
}

/** Both clocks, in epoch ms, and the latest time that the wall clock has shown. */
export interface Reading {
  readonly wall: number;
  readonly monotonic: number;
  readonly latest: number;
  /** The wall clock was set: the same moment of one clock is no more the same of the other. */
  readonly isSet: boolean;
}

/** From the earliest to the latest answer. */
export type Range = readonly [low: number, high: number];

/** What a schedule says: how many dates it counts, and its next date on the wall clock. */
export interface Seen {
  readonly counted: number;
  readonly next: number | undefined;
}

/** The moment after which dates count: one, unless the wall clock shows times again. */
type Begin = Range;

export class LedgerModel {
  readonly #isClaimed: boolean;
  #settings: DateSettings;
  #dates: ModelDates;
  #begin: Begin;
  /** The anchor of a fixed rate, on its clock. */
  #anchor = 0;
  /** The end of the dates, on their clock. */
  #end = Infinity;
  /** Dates of all earlier settings, and of the time before the schedule was made. */
  #before: Range = [0, 0];
  /** The dates of earlier settings, each up to the update that ended them. */
  readonly #closed: { readonly dates: ModelDates; readonly begin: number; readonly end: number }[] = [];

  constructor(settings: DateSettings, now: Reading, isClaimed: boolean) {
    this.#isClaimed = isClaimed;
    this.#settings = settings;
    this.#dates = this.#datesOf(settings, now, false);
    const start = this.#startOf(settings, now) ?? this.#nowOf(this.#dates, now);
    this.#begin = [start, start];
  }

  get clock(): ModelDates['clock'] {
    return this.#dates.clock;
  }

  /** How many dates have come. */
  come(now: Reading): Range {
    const [low, high] = this.#spanOf(now);
    // An update that changes no date that has come leaves it alone: it comes again later.
    const comeAgain = this.#closed.reduce((sum, { dates: { clock, count }, begin, end }) => {
      const from = Math.max(begin, now[clock]);
      return sum + (from < end ? count(from, end) : 0);
    }, 0);
    return [
      this.#before[0] - comeAgain + this.#dates.count(Math.min(this.#begin[1], low), low),
      this.#before[1] + this.#dates.count(this.#begin[0], high),
    ];
  }

  /** Dates that came before the schedule was made: those after `lastMs`. */
  addAbsence(lastMs: number, isCertain: boolean): void {
    const missed = this.#absent(lastMs);
    const [low, high] = this.#before;
    this.#before = [low + (isCertain ? missed : 0), high + missed];
  }

  #absent: (lastMs: number) => number = () => 0;

  /** Dates before the schedule was made are those of the settings as they are now. */
  rememberAbsence(): void {
    const [dates, [begin]] = [this.#dates, this.#begin];
    this.#absent = (lastMs) => dates.count(lastMs, begin);
  }

  /**
   * The schedule was updated.
   *
   * @param counted what the schedule counted before it: all dates that have come have had their
   * turn.
   * @param seen what the schedule says after the update.
   */
  update(settings: DateSettings, now: Reading, counted: number, seen: Seen): void {
    const old = this.#settings;
    this.#settings = settings;
    const isNew = (['cron', 'everyMs', 'at', 'startAt'] as const).some((field) => settings[field] !== old[field]);
    const hasNewRange = settings.timezone !== old.timezone || settings.endAt !== old.endAt;
    if (!isNew && !hasNewRange) return;
    const range = this.come(now);
    expect([range, counted], 'counted at an update').toEqual([range, clamp(counted, range)]);
    const isAgain = now.wall < now.latest;
    const dates = this.#datesOf(settings, now, !isNew);
    if (!isNew && !isAgain && this.#hasSameCome(dates, now)) {
      this.#dates = dates;
      return;
    }
    const [end] = this.#spanOf(now);
    this.#closed.push({ dates: this.#dates, begin: this.#begin[0], end });
    this.#before = isAgain ? [counted, counted] : range;
    this.#dates = dates;
    const isStart = settings.startAt !== old.startAt || settings.at !== undefined;
    const begin = this.#beginOf(isStart ? this.#startOf(settings, now) : undefined, now);
    this.#begin = begin[0] === begin[1] ? begin : this.#settledBegin(begin, now, counted, seen);
  }

  /** New dates begin at their start, or now, but not before the last date that had its turn. */
  #beginOf(start: number | undefined, now: Reading): Begin {
    const [from, latest] = this.#spanOf(now);
    const shift = now.wall - now.monotonic;
    let [low, high] = [start ?? from, start ?? from];
    for (const { dates, begin, end } of this.#closed) {
      const last = lastDate(dates, begin, end);
      if (dates.clock === this.clock || !now.isSet) low = Math.max(low, lastDate(dates, begin, Math.min(end, from)));
      // A date of the other clock is compared as the clocks are set now, or as they were set then.
      else if (last > -Infinity) high = Math.max(high, last + (this.clock === 'wall' ? shift : -shift), latest);
    }
    if (now.wall < now.latest) high = Math.max(high, this.clock === 'wall' ? now.latest : now.latest - shift);
    return [low, Math.max(low, high)];
  }

  /** Where the model cannot say, the schedule says where its dates begin. */
  #settledBegin([low, high]: Begin, now: Reading, counted: number, seen: Seen): Begin {
    const [from] = this.#spanOf(now);
    const come = seen.counted - counted;
    const most = this.#dates.count(Math.min(low, from), from);
    expect(come, 'dates that an update let come').toBe(
      clamp(come, [this.#dates.count(Math.min(high, from), from), most]),
    );
    this.#before = [counted + come, counted + come];
    const least = Math.max(low, from);
    if (seen.next === undefined) return [least, Math.max(least, high)];
    const next = this.clock === 'wall' ? seen.next : seen.next - (now.wall - now.monotonic);
    expect(next, 'next').toBeGreaterThan(least);
    if (next > high) expect(this.#dates.count(Math.max(least, high), next - 1), 'dates that an update skipped').toBe(0);
    return [next - 1, next - 1];
  }

  /** An update that changes no date leaves those alone that have come and had no turn yet. */
  #hasSameCome(dates: ModelDates, now: Reading): boolean {
    const [[low], [to]] = [this.#begin, this.#spanOf(now)];
    return (
      dates.count(low, to) === this.#dates.count(low, to) && lastDate(dates, low, to) === lastDate(this.#dates, low, to)
    );
  }

  #spanOf(now: Reading): Range {
    return this.clock === 'wall' ? [now.wall, now.latest] : [now.monotonic, now.monotonic];
  }

  #nowOf({ clock }: ModelDates, now: Reading): number {
    return now[clock];
  }

  /** Where dates begin that may be slightly past; undefined if they begin now. */
  #startOf({ startAt, toleranceMs, at }: DateSettings, now: Reading): number | undefined {
    if (at !== undefined) return Math.max(0, now.wall - toleranceMs - 1);
    if (startAt === -Infinity || startAt > now.wall || startAt < now.wall - toleranceMs) return undefined;
    return startAt - 1 - (now.wall - now[this.clock]);
  }

  #datesOf(settings: DateSettings, now: Reading, keepsAnchor: boolean): ModelDates {
    const { cron, everyMs, at, timezone, startAt, endAt } = settings;
    if (cron !== undefined) return within(cronDates(cron, timezone), startAt, endAt);
    if (at !== undefined) return within(atDates(at), startAt, endAt);
    const clock = this.#isClaimed ? 'wall' : 'monotonic';
    const shift = now.wall - now[clock];
    if (!keepsAnchor) this.#anchor = startAt === -Infinity ? now[clock] : startAt - shift;
    this.#end = endAt - shift;
    const every = everyDates(clock, everyMs as number, this.#anchor, startAt === -Infinity ? 1 : 0);
    return within(every, -Infinity, this.#end);
  }
}

function clamp(value: number, [low, high]: Range): number {
  return Math.min(Math.max(value, low), high);
}
