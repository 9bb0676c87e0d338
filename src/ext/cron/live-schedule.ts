// One schedule alive: its place on the timeline and its state. Dates are the calendar's, what becomes of them is decided in due.ts,
// and submitting is the runner's.

import { ClosedError, type Submission, type Supervisor } from '../../index.ts';
import { wholeFrom } from '../../kit.ts';
import { datesAfter } from './calendar.ts';
import { type Dates, datesOf } from './dates.ts';
import { decideDue } from './due.ts';
import { History, type ScheduleRun, type ScheduleTotals } from './history.ts';
import { drawJitterMs } from './jitter.ts';
import type { ScheduleUpdate } from './options.ts';
import { Runner } from './runner.ts';
import type { Schedule, ScheduleStatus } from './schedule.ts';
import { KINDS, MOVING, type OwnSlot, readSettings, type Settings } from './settings.ts';
import type { Entry, Timeline } from './timeline.ts';

/** A calendar that failed is asked again after this long, for dates from then on. */
const RETRY_MS = 60_000;

export class LiveSchedule<T> implements Schedule<T>, Entry {
  readonly #supervisor: Supervisor;
  readonly #timeline: Timeline;
  readonly #own: OwnSlot;
  readonly #history: History<T>;
  readonly #runner: Runner<T>;
  #settings: Settings;
  #dates: Dates;
  #status: ScheduleStatus = 'active';
  /** Dates up to here have had their turn. */
  #cursor: number;
  /** The latest date that was run or missed. A date is never run twice, wherever an update makes dates count from. */
  #decided = -Infinity;
  /** The date it waits for; `undefined` after the calendar failed. */
  #due: number | undefined;
  #jitterMs = 0;

  constructor(supervisor: Supervisor, timeline: Timeline, own: OwnSlot, options: unknown) {
    const { settings, given } = readSettings(options, own, undefined);
    this.#supervisor = supervisor;
    this.#timeline = timeline;
    this.#own = own;
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
      exhausted: () => this.end(),
      closed: () => timeline.close(),
    });
    supervisor.check(settings.specFor(0));
    timeline.join(this);
    this.#plan(this.#dates.first);
  }

  /** A shutdown tells nobody of its beginning; who looks finds out. */
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
    const most = Math.min(wholeFrom('count', count, 0, 1_000), this.#runner.runsLeft);
    this.#timeline.checkWallClock();
    if (this.status === 'ended') return [];
    const { calendar, clock } = this.#dates;
    const from = Math.max(this.#cursor, this.#timeline.now(clock));
    return datesAfter(calendar, from, most).map((date) => new Date(this.#timeline.wallDate(clock, date)));
  }

  previous(): Date | undefined {
    const { calendar, clock } = this.#dates;
    const date = calendar.before(this.#timeline.now(clock));
    return date === undefined ? undefined : new Date(this.#timeline.wallDate(clock, date));
  }

  pause(): void {
    if (this.status !== 'active') return;
    this.#advance(this.#timeline.now(this.#dates.clock));
    this.#status = 'paused';
    this.#timeline.take(this);
  }

  resume(): void {
    this.#timeline.checkWallClock();
    if (this.status !== 'paused') return;
    this.#status = 'active';
    this.#plan();
    this.#runner.catchUp();
  }

  trigger(): Submission<T> {
    this.#throwIfEnded();
    return this.#runner.submit(this.#timeline.now('wall'), 'trigger');
  }

  update<S = undefined>(options: ScheduleUpdate<T, S>): void {
    this.#throwIfEnded();
    this.#timeline.checkWallClock();
    const { settings, given } = readSettings(options, this.#own, this.#settings);
    const recounted = [...KINDS, 'startAt'].some((field) => given.has(field));
    const redated = recounted || MOVING.some((field) => given.has(field));
    const old = recounted ? undefined : this.#dates;
    const dates = redated ? datesOf(settings, given, this.#timeline.moment(), old) : this.#dates;
    if (given.has('task')) this.#supervisor.check(settings.specFor(0));
    this.#throwIfEnded(); // a getter of the options may have ended it
    const before = this.#settings;
    this.#settings = settings;
    this.#history.size = settings.historySize;
    if (this.#runner.runsLeft <= 0) {
      this.end();
    } else if (redated) {
      const now = this.#timeline.now(dates.clock);
      const from = given.has('startAt') || settings.when.kind === 'at' ? dates.cursor : now;
      if (recounted) {
        if (dates.clock !== this.#dates.clock) this.#decided = -Infinity;
        // A wall clock that was set back shows decided dates again. Other dates than they were need not wait until it has passed them.
        const same = settings.when.value === before.when.value && settings.timezone === before.timezone;
        this.#cursor = Math.max(from, same ? this.#decided : Math.min(this.#decided, now));
        this.#runner.forgetBacklog();
      } else {
        // An end or a zone moves dates to come. What has come already, run or waiting, is neither asked for again nor forgotten.
        this.#advance(from);
      }
      this.#dates = dates;
      if (this.#status === 'active') this.#plan();
    }
  }

  async stop(): Promise<void> {
    this.end();
    await this.#runner.idle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  end(): void {
    this.#runner.forgetBacklog();
    this.#finish();
  }

  rewind(wallMs: number): void {
    if (this.#dates.clock !== 'wall') return;
    this.#cursor = Math.min(this.#cursor, wallMs);
    this.#decided = Math.min(this.#decided, wallMs);
    if (this.#status === 'active' && this.#due !== undefined) this.#plan();
  }

  fire(): void {
    const dates = this.#dates;
    const { calendar, clock } = dates;
    const clockMs = this.#timeline.now(clock);
    const now = clockMs - this.#jitterMs; // what jitter put off is not late
    const first = this.#due;
    if (first === undefined) {
      this.#cursor = Math.max(this.#cursor, now - 1); // a date at this very moment may still come
      this.#plan();
      return;
    }
    this.#cursor = Math.max(this.#cursor, now);
    const { run, missed, lastMissed, next, failure } = decideDue(calendar, first, now, this.#settings);
    this.#decided = Math.max(this.#decided, run.at(-1) ?? lastMissed ?? -Infinity);
    if (lastMissed !== undefined) this.#runner.missed(missed, this.#timeline.wallDate(clock, lastMissed));
    this.#runner.run(run.map((date) => this.#timeline.wallDate(clock, date)));
    if (this.#status !== 'active' || this.#dates !== dates) return; // ended by its last run, or changed by a lease store
    if (failure !== undefined) this.#failed(failure.error);
    else if (next === undefined) this.#finish();
    else this.#plan(next, clockMs - next);
  }

  /** Nothing has come between the cursor and the date it waits for, whatever another calendar says. While paused that date may be old. */
  #advance(ms: number): void {
    if (this.#status !== 'active' || this.#due === undefined) return;
    this.#cursor = Math.max(this.#cursor, Math.min(ms, this.#due - 1));
  }

  /**
   * Waits for `due`, or for what the calendar says comes after the cursor. `behindMs`: jitter kept a date back until this one was past
   * too; then it is put off by as much.
   */
  #plan(due?: number, behindMs = 0): void {
    const dates = this.#dates;
    try {
      this.#due = due ?? dates.calendar.after(this.#cursor);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (this.#due === undefined) {
      this.#finish();
      return;
    }
    const drawnMs = drawJitterMs(this.#settings.jitterMs, this.#settings.random);
    if (this.#status !== 'active' || this.#dates !== dates) return; // chance is the user's, and may have changed it
    this.#jitterMs = Math.max(behindMs, drawnMs);
    this.#timeline.put(this, dates.clock, this.#due + this.#jitterMs);
  }

  #failed(error: unknown): void {
    this.#due = undefined;
    this.#jitterMs = 0;
    this.#timeline.put(this, 'steady', this.#timeline.now('steady') + RETRY_MS);
    this.#runner.tell(error);
  }

  /** No date is left; what is to be caught up still is. */
  #finish(): void {
    this.#status = 'ended';
    this.#timeline.leave(this);
  }

  #throwIfEnded(): void {
    if (this.status === 'ended') throw new ClosedError('the schedule has ended');
  }
}
