// One schedule: its state and its moment on the timeline. The calendar gives its dates, due.ts
// decides which of them run, and the runner submits them.

import { ClosedError, type Submission, type Supervisor } from '../../index.ts';
import { fromCaller, showAs, specAt, wholeFrom } from '../../kit.ts';
import { datesAfter } from './calendar.ts';
import { type Dates, datesOf } from './dates.ts';
import { decideDue } from './due.ts';
import { History, type ScheduleRun, type ScheduleTotals } from './history.ts';
import { drawJitterMs } from './jitter.ts';
import type { ScheduleUpdate } from './options.ts';
import { Runner } from './runner.ts';
import type { Schedule, ScheduleStatus } from './schedule.ts';
import { DATE_MODIFIERS, KINDS, type OwnSlot, readSettings, type Settings } from './settings.ts';
import type { Entry, Timeline } from './timeline.ts';

/** After a calendar failed, it is asked again this much later, for dates from then on. */
const RETRY_MS = 60_000;

export class LiveSchedule<T> implements Schedule<T>, Entry {
  static {
    showAs(LiveSchedule, (schedule) => schedule.#shown);
  }
  readonly #supervisor: Supervisor;
  readonly #timeline: Timeline;
  readonly #ownSlot: OwnSlot;
  readonly #history: History<T>;
  readonly #runner: Runner<T>;
  #settings: Settings;
  #dates: Dates;
  #status: ScheduleStatus = 'active';
  /** Dates up to here have been handled. The calendar is asked for dates after it. */
  #cursor: number;
  /**
   * The latest date that ran or was missed. An update that keeps the expression and the zone runs
   * no date up to here again.
   */
  #lastDecided = -Infinity;
  /** The date that it waits for; `undefined` after the calendar failed. */
  #due: number | undefined;
  /** The delay of `#due`. */
  #jitterMs = 0;

  constructor(supervisor: Supervisor, timeline: Timeline, ownSlot: OwnSlot, options: unknown) {
    const { settings, given } = readSettings(options, ownSlot, undefined);
    this.#supervisor = supervisor;
    this.#timeline = timeline;
    this.#ownSlot = ownSlot;
    this.#settings = settings;
    timeline.checkWallClock();
    this.#dates = datesOf(settings, given, timeline.moment(), undefined);
    this.#cursor = this.#dates.cursor;
    this.#history = new History(settings.historySize);
    const self = this;
    this.#runner = new Runner(supervisor, this.#history, {
      get settings() {
        return self.#settings;
      },
      get paused() {
        return self.#status === 'paused';
      },
      now: () => timeline.now('wall'),
      onMaxRuns: () => this.end(),
      onClosed: () => timeline.close(),
    });
    this.#checkTask(settings);
    timeline.add(this);
    this.#waitForNext(this.#dates.first);
  }

  /** No event marks the start of a shutdown, so `phase` is checked on access. */
  get status(): ScheduleStatus {
    if (this.#status !== 'ended' && this.#supervisor.phase !== 'open') this.#timeline.close();
    return this.#status;
  }
  get runs(): readonly ScheduleRun<T>[] {
    return this.#history.runs;
  }
  get totals(): ScheduleTotals {
    return { ...this.#history.totals };
  }

  next(count = 1): Date[] {
    const most = fromCaller(this.next, () => wholeFrom('count', count, 0, 1_000));
    const limit = Math.min(most, this.#runner.runsLeft);
    this.#timeline.checkWallClock();
    if (this.status === 'ended') return [];
    const { calendar, clock } = this.#dates;
    const from = Math.max(this.#cursor, this.#timeline.now(clock));
    return datesAfter(calendar, from, limit).map((date) => new Date(this.#timeline.wallDate(clock, date)));
  }

  previous(): Date | undefined {
    const { calendar, clock } = this.#dates;
    const date = calendar.before(this.#timeline.now(clock));
    return date === undefined ? undefined : new Date(this.#timeline.wallDate(clock, date));
  }

  pause(): void {
    if (this.status !== 'active') return;
    this.#advanceCursor(this.#timeline.now(this.#dates.clock));
    this.#status = 'paused';
    this.#timeline.clear(this);
  }

  resume(): void {
    this.#timeline.checkWallClock();
    if (this.status !== 'paused') return;
    this.#status = 'active';
    this.#waitForNext();
    this.#runner.catchUp();
  }

  trigger(): Submission<T> {
    return fromCaller(this.trigger, () => {
      this.#throwIfEnded();
      return this.#runner.submit(this.#timeline.now('wall'), 'trigger');
    });
  }

  update<S = undefined>(options: ScheduleUpdate<T, S>): void {
    fromCaller(this.update, () => this.#update(options));
  }

  #update(options: unknown): void {
    this.#throwIfEnded();
    this.#timeline.checkWallClock();
    const { settings, given } = readSettings(options, this.#ownSlot, this.#settings);
    const hasNewDates = [...KINDS, 'startAt'].some((field) => given.has(field));
    const changesDates = hasNewDates || DATE_MODIFIERS.some((field) => given.has(field));
    const old = hasNewDates ? undefined : this.#dates;
    const dates = changesDates ? datesOf(settings, given, this.#timeline.moment(), old) : this.#dates;
    if (given.has('task')) this.#checkTask(settings);
    this.#throwIfEnded(); // a getter of the options may have ended the schedule
    const before = this.#settings;
    this.#settings = settings;
    this.#history.size = settings.historySize;
    if (this.#runner.runsLeft <= 0) this.end();
    else if (hasNewDates) this.#useNewDates(dates, before, given.has('startAt'));
    else if (changesDates) this.#useChangedDates(dates);
  }

  #useNewDates(dates: Dates, before: Settings, hasStart: boolean): void {
    const { when, timezone } = this.#settings;
    const now = this.#timeline.now(dates.clock);
    const from = hasStart || when.kind === 'at' ? dates.cursor : now;
    if (dates.clock !== this.#dates.clock) this.#lastDecided = -Infinity;
    // After the wall clock was set back, dates that were already handled come up again. Skip them,
    // unless the expression or the zone has changed.
    const isSame = when.value === before.when.value && timezone === before.timezone;
    this.#cursor = Math.max(from, isSame ? this.#lastDecided : Math.min(this.#lastDecided, now));
    this.#runner.discardBacklog();
    this.#replaceDates(dates);
  }

  /**
   * A new end or zone changes only future dates. Dates that have come stay as they are: those that
   * ran do not run again, and those that wait still run.
   */
  #useChangedDates(dates: Dates): void {
    this.#advanceCursor(this.#settings.when.kind === 'at' ? dates.cursor : this.#timeline.now(dates.clock));
    this.#replaceDates(dates);
  }

  #replaceDates(dates: Dates): void {
    this.#dates = dates;
    if (this.#status === 'active') this.#waitForNext();
  }

  async stop(): Promise<void> {
    this.end();
    await this.#runner.idle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  end(): void {
    this.#runner.discardBacklog();
    this.#finish();
  }

  onSetBack(wallMs: number): void {
    if (this.#dates.clock !== 'wall') return;
    this.#cursor = Math.min(this.#cursor, wallMs);
    this.#lastDecided = Math.min(this.#lastDecided, wallMs);
    if (this.#status === 'active' && this.#due !== undefined) this.#waitForNext();
  }

  onDue(): void {
    const dates = this.#dates;
    const { calendar, clock } = dates;
    const clockMs = this.#timeline.now(clock);
    const now = clockMs - this.#jitterMs; // jitter does not count as lateness
    const first = this.#due;
    if (first === undefined) {
      this.#cursor = Math.max(this.#cursor, now - 1); // a date at exactly `now` must still run
      this.#waitForNext();
      return;
    }
    this.#cursor = Math.max(this.#cursor, now);
    const { run, missed, lastMissed, next, failure } = decideDue(calendar, first, now, this.#settings);
    this.#lastDecided = Math.max(this.#lastDecided, run.at(-1) ?? lastMissed ?? -Infinity);
    if (lastMissed !== undefined) this.#runner.missed(missed, this.#timeline.wallDate(clock, lastMissed));
    this.#runner.run(run.map((date) => this.#timeline.wallDate(clock, date)));
    // The last run may have ended the schedule. A lease store may have updated it.
    if (this.#status !== 'active' || this.#dates !== dates) return;
    if (failure !== undefined) this.#onCalendarError(failure.error);
    else if (next === undefined) this.#finish();
    else this.#waitForNext(next, clockMs - next);
  }

  /**
   * Moves the cursor up to `ms`, but not past the date that the schedule waits for. No date came in
   * between, even if another calendar has one there. Does nothing while paused: dates between the
   * cursor and `ms` may then still have to run.
   */
  #advanceCursor(ms: number): void {
    if (this.#status !== 'active' || this.#due === undefined) return;
    this.#cursor = Math.max(this.#cursor, Math.min(ms, this.#due - 1));
  }

  /**
   * Waits for `due`, or for the first date after the cursor.
   *
   * @param behindMs how long `due` is already past because jitter delayed the date before it. Its
   * own delay is then at least this long.
   */
  #waitForNext(due?: number, behindMs = 0): void {
    const dates = this.#dates;
    try {
      this.#due = due ?? dates.calendar.after(this.#cursor);
    } catch (error) {
      this.#onCalendarError(error);
      return;
    }
    if (this.#due === undefined) {
      this.#finish();
      return;
    }
    const drawnMs = drawJitterMs(this.#settings.jitterMs, this.#settings.random);
    // `random` is user code and may have changed the schedule.
    if (this.#status !== 'active' || this.#dates !== dates) return;
    this.#jitterMs = Math.max(behindMs, drawnMs);
    this.#timeline.set(this, dates.clock, this.#due + this.#jitterMs);
  }

  #onCalendarError(error: unknown): void {
    this.#due = undefined;
    this.#jitterMs = 0;
    this.#timeline.set(this, 'monotonic', this.#timeline.now('monotonic') + RETRY_MS);
    this.#runner.reportError(error);
  }

  /** Ends the schedule without discarding the dates that wait to be caught up. */
  #finish(): void {
    this.#status = 'ended';
    this.#timeline.remove(this);
  }

  #checkTask(settings: Settings): void {
    specAt('task', () => this.#supervisor.check(settings.specFor(0)));
  }

  /** What JSON and the console show of it. */
  get #shown(): object {
    const { slot, name } = this.#settings.specFor(0);
    const { status, totals } = this;
    return { slot: slot ?? name, status, next: this.#nextDate, totals };
  }

  get #nextDate(): Date | undefined {
    try {
      return this.next()[0];
    } catch {
      return undefined; // the calendar threw, which `onError` hears when it is asked for the next run
    }
  }

  #throwIfEnded(): void {
    if (this.status === 'ended') throw new ClosedError('the schedule has ended');
  }
}
