// One schedule: its state and its moment on the timeline. The calendar gives its dates, due.ts
// decides which of them run, and the runner submits them. Over 300 lines because an update, a pause
// and an end all act on the same few fields.

import { ClosedError, type Submission, type Supervisor } from '../../index.ts';
import { fromCaller, showAs, specAt, wholeFrom } from '../../kit.ts';
import { datesAfter } from './calendar.ts';
import { ask } from './claims.ts';
import { type Dates, datesOf } from './dates.ts';
import { type Due, decideDue, lastUpTo } from './due.ts';
import { History, type ScheduleRun, type ScheduleTotals } from './history.ts';
import { drawJitterMs } from './jitter.ts';
import type { Names } from './names.ts';
import type { ScheduleUpdate } from './options.ts';
import { Runner, type RunnerHost } from './runner.ts';
import type { Schedule, ScheduleStatus, ScheduleWhen } from './schedule.ts';
import { DATE_OPTIONS, hasNewDates, type OwnSlot, readSettings, type Settings } from './settings.ts';
import type { ClockName, Entry, Timeline } from './timeline.ts';

/** After a calendar failed, it is asked again this much later. */
const RETRY_MS = 60_000;

/** What the schedules of a supervisor share. */
export interface ScheduleHost {
  readonly timeline: Timeline;
  readonly names: Names<Schedule>;
}

export class LiveSchedule<T> implements Schedule<T>, Entry {
  static {
    showAs(LiveSchedule, (schedule) => schedule.#shown);
  }
  readonly name: string;
  readonly #supervisor: Supervisor;
  readonly #timeline: Timeline;
  readonly #names: ScheduleHost['names'];
  readonly #ownSlot: OwnSlot;
  readonly #history: History<T>;
  readonly #runner: Runner<T>;
  #settings: Settings;
  #dates: Dates;
  #status: ScheduleStatus = 'active';
  /** Dates up to here have had their turn, or came before the schedule began. */
  #cursor: number;
  /**
   * The latest date that had its turn, on either clock. No update runs a date up to here, whatever
   * the new dates are.
   */
  readonly #decided: Record<ClockName, number> = { wall: -Infinity, monotonic: -Infinity };
  /** The date that it waits for; `undefined` after the calendar failed. */
  #due: number | undefined;
  /** The delay of `#due`. */
  #jitterMs = 0;
  /** The store is asked for the last claimed date. */
  #isAsking = false;
  #stopAsking: () => void = () => {};

  constructor(supervisor: Supervisor, { timeline, names }: ScheduleHost, ownSlot: OwnSlot, options: unknown) {
    const { settings, given } = readSettings(options, ownSlot, undefined);
    this.#supervisor = supervisor;
    this.#timeline = timeline;
    this.#names = names;
    this.#ownSlot = ownSlot;
    this.#settings = settings;
    this.name = names.pick(settings.name, settings.task.isNamed ? settings.task.slot : (ownSlot.name as string));
    timeline.checkWallClock();
    this.#dates = datesOf(settings, given, timeline.moment(), undefined);
    this.#cursor = this.#dates.cursor;
    this.#history = new History(settings.historySize);
    this.#runner = new Runner(supervisor, this.#history, this.#runnerHost());
    this.#checkTask(settings);
    timeline.add(this);
    names.add(this);
    this.#waitForNext(this.#dates.first);
    this.#askForLast();
  }

  #runnerHost(): RunnerHost {
    const self = this;
    return {
      name: this.name,
      get settings() {
        return self.#settings;
      },
      get paused() {
        return self.#status === 'paused';
      },
      now: () => self.#timeline.now('wall'),
      untilMs: (due) => (self.#dates.clock === 'wall' ? due - self.#timeline.now('wall') : 0),
      onMaxRuns: () => self.end(),
      onIdle: () => self.#leaveIfIdle(),
    };
  }

  get slot(): string {
    return this.#settings.task.slot;
  }
  get when(): ScheduleWhen {
    const { when, timezone } = this.#settings;
    if (when.kind === 'everyMs') return { everyMs: when.value };
    if (when.kind === 'cron') return { cron: when.value, ...(timezone !== undefined && { timezone }) };
    return { at: new Date(this.#dates.calendar.after(-Infinity) as number) };
  }
  get status(): ScheduleStatus {
    return this.#status;
  }
  get runs(): readonly ScheduleRun<T>[] {
    return this.#history.runs;
  }
  get totals(): ScheduleTotals {
    return { ...this.#history.totals, pending: this.#runner.pending + this.#countComing() };
  }

  next(count = 1): Date[] {
    const most = fromCaller(this.next, () => wholeFrom('count', count, 0, 1_000));
    const limit = Math.min(most, Math.max(0, this.#runner.placesLeft));
    this.#timeline.checkWallClock();
    if (this.#status === 'ended') return [];
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
    if (this.#status !== 'active') return;
    this.#status = 'paused';
    this.#timeline.clear(this);
  }

  resume(): void {
    this.#timeline.checkWallClock();
    if (this.#status !== 'paused') return;
    this.#status = 'active';
    this.#waitForNext();
    this.#runner.catchUp();
  }

  trigger(): Submission<T> {
    return fromCaller(this.trigger, () => {
      this.#throwIfEnded();
      return this.#runner.trigger();
    });
  }

  update<S = undefined>(options: ScheduleUpdate<T, S>): void {
    fromCaller(this.update, () => this.#update(options));
  }

  #update(options: unknown): void {
    this.#throwIfEnded();
    this.#timeline.checkWallClock();
    const before = this.#settings;
    const { settings, given } = readSettings(options, this.#ownSlot, before);
    const areNew = hasNewDates(settings, before);
    const areChanged = areNew || DATE_OPTIONS.some((field) => settings[field] !== before[field]);
    const old = areNew ? undefined : this.#dates;
    const dates = areChanged ? datesOf(settings, given, this.#timeline.moment(), old) : this.#dates;
    if (given.has('task')) this.#checkTask(settings);
    const hasNewStart = settings.startAt !== before.startAt || settings.when.kind === 'at';
    const hasNewPolicy = settings.keep !== before.keep || settings.toleranceMs !== before.toleranceMs;
    const keepsComing = !hasNewStart && !hasNewPolicy && this.#hasSameComing(dates);
    // What has come is decided by the rules under which it came.
    if ((areChanged || hasNewPolicy) && !keepsComing) this.#decideComing();
    this.#throwIfEnded(); // a getter of the options, or the last run, may have ended the schedule
    this.#settings = settings;
    this.#history.size = settings.historySize;
    if (this.#runner.isUsedUp) this.end();
    else if (areChanged) this.#replaceDates(dates, hasNewStart, keepsComing);
    else if (hasNewPolicy) this.#waitUnlessAwaited(this.#due);
  }

  /** Whether the dates that have come and have not had their turn are dates of both calendars. */
  #hasSameComing({ calendar, clock }: Dates): boolean {
    const before = this.#dates.calendar;
    if (clock !== this.#dates.clock) return false;
    if (calendar === before) return true;
    try {
      const count = this.#countComing();
      const isSameCount = count === calendar.count(this.#cursor, this.#timeline.now(clock));
      return isSameCount && (count === 0 || calendar.after(this.#cursor) === before.after(this.#cursor));
    } catch {
      return false;
    }
  }

  /** New dates count from now, or from a new start that may be slightly past. */
  #replaceDates(dates: Dates, hasNewStart: boolean, keepsComing: boolean): void {
    const { clock } = dates;
    const decided = this.#decided;
    const isSameClock = clock === this.#dates.clock;
    const now = this.#timeline.now(clock);
    if (clock === 'monotonic' && !isSameClock)
      decided.monotonic = Math.max(decided.monotonic, decided.wall - this.#timeline.moment().shift);
    if (hasNewStart) this.#cursor = dates.cursor;
    else if (!keepsComing) this.#cursor = isSameClock ? Math.max(this.#cursor, now) : now;
    this.#cursor = Math.max(this.#cursor, decided[clock]);
    this.#dates = dates;
    this.#waitUnlessAwaited(isSameClock ? this.#due : undefined);
  }

  /** Waits for the first date after the cursor. If that is `awaited`, its jitter stays. */
  #waitUnlessAwaited(awaited: number | undefined): void {
    if (this.#status === 'active') this.#waitForNext(undefined, 0, awaited);
  }

  async stop(): Promise<void> {
    this.end();
    await this.#runner.idle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  end(): void {
    this.#missComing();
    this.#isAsking = false;
    this.#stopAsking();
    this.#runner.discardWaiting();
    this.#finish();
  }

  onSetBack(wallMs: number): void {
    this.#decided.wall = Math.min(this.#decided.wall, wallMs);
    if (this.#dates.clock !== 'wall') return;
    this.#cursor = Math.min(this.#cursor, wallMs);
    if (this.#status === 'active' && this.#due !== undefined) this.#waitForNext();
  }

  onDue(): void {
    const first = this.#due;
    if (first === undefined) {
      this.#askAgain();
      return;
    }
    const dates = this.#dates;
    const clockMs = this.#timeline.now(dates.clock);
    // Jitter does not count as lateness.
    const { next, failure } = this.#decide(first, clockMs - this.#jitterMs);
    // The last run may have ended the schedule. A lease store may have updated it.
    if (this.#status !== 'active' || this.#dates !== dates) return;
    if (failure !== undefined) this.#onCalendarError(failure.error);
    else if (next === undefined) this.#finish();
    else this.#waitForNext(next, clockMs - next);
  }

  /**
   * After the calendar failed. It may fail at some moments only: if it knows what follows now, but
   * not what follows the last date, dates count from now.
   */
  #askAgain(): void {
    const { calendar, clock } = this.#dates;
    const justNow = Math.max(this.#cursor, this.#timeline.now(clock) - 1); // a date right now still runs
    const isKnown = (ms: number): boolean => {
      try {
        calendar.after(ms);
        return true;
      } catch {
        return false;
      }
    };
    this.#cursor = [this.#cursor, justNow].find(isKnown) ?? this.#cursor;
    this.#waitForNext();
  }

  /** Decides the dates from `first` to `upTo`. */
  #decide(first: number, upTo: number): Due {
    const due = decideDue(this.#dates.calendar, first, upTo, this.#settings);
    this.#cursor = Math.max(this.#cursor, due.upTo);
    this.#carryOut(due, this.#dates.clock);
    return due;
  }

  #carryOut({ run, missed, lastMissed }: Due, clock: ClockName): void {
    const wallDate = (date: number): number => this.#timeline.wallDate(clock, date);
    const last = run.at(-1) ?? lastMissed ?? -Infinity;
    this.#decided[clock] = Math.max(this.#decided[clock], last);
    this.#decided.wall = Math.max(this.#decided.wall, wallDate(last));
    if (lastMissed !== undefined) this.#runner.missed(missed, wallDate(lastMissed));
    if (run.length > 0) this.#runner.run(run.map(wallDate));
  }

  /** Decides the dates that have come and have not had their turn, whatever delays them. */
  #decideComing(): void {
    const { calendar, clock } = this.#dates;
    const now = this.#timeline.now(clock);
    try {
      const first = calendar.after(this.#cursor);
      const failure = first !== undefined && first <= now && this.#decide(first, now).failure;
      if (failure) throw failure.error;
    } catch (error) {
      this.#runner.reportError(error);
    }
  }

  /** The dates that have come and have not had their turn are missed. */
  #missComing(): void {
    const { calendar, clock } = this.#dates;
    const count = this.#countComing();
    const last = count > 0 ? lastUpTo(calendar, this.#timeline.now(clock)) : undefined;
    if (last === undefined) return;
    this.#cursor = last;
    this.#runner.missed(count, this.#timeline.wallDate(clock, last));
  }

  /** How many dates have come and have not had their turn. 0 if the calendar fails. */
  #countComing(): number {
    if (this.#status === 'ended') return 0;
    const { calendar, clock } = this.#dates;
    try {
      return calendar.count(this.#cursor, this.#timeline.now(clock));
    } catch {
      return 0; // `onError` hears of it when the next date is asked for
    }
  }

  /**
   * With claims: dates after the last one that any process has claimed, and before this schedule
   * was made, came while no process ran. The store is asked until it answers; `onError` hears its
   * first failure.
   */
  #askForLast(): void {
    const { claims } = this.#settings;
    if (claims === undefined) return;
    const { calendar, clock } = this.#dates;
    const began = this.#cursor;
    let failures = 0;
    this.#isAsking = true;
    this.#stopAsking = ask(this.#supervisor.clock, {
      call: async () => {
        try {
          const last = await claims.last(this.name);
          return last && calendar.after(last.getTime());
        } catch (error) {
          failures += 1;
          if (this.#isAsking && failures === 1) this.#runner.reportError(error);
          throw error;
        }
      },
      patienceMs: Infinity,
      answered: (first) => {
        this.#isAsking = false;
        if (first !== undefined && first <= began)
          this.#carryOut(decideDue(calendar, first, began, this.#settings, this.#timeline.now(clock)), clock);
        this.#leaveIfIdle();
      },
      failed: () => {}, // its patience has no end
    });
  }

  /**
   * Waits for `due`, or for the first date after the cursor.
   *
   * @param behindMs how long `due` is already past because jitter delayed the date before it. Its
   * own delay is then at least this long.
   * @param awaited the date that it waits for already. If it is the next one, nothing changes.
   */
  #waitForNext(due?: number, behindMs = 0, awaited?: number): void {
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
    if (this.#due === awaited) return;
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

  /** Ends the schedule. Dates that wait to be claimed or caught up still run. */
  #finish(): void {
    if (this.#status !== 'ended') this.#names.delete(this);
    this.#status = 'ended';
    this.#timeline.clear(this);
    this.#leaveIfIdle();
  }

  /** A shutdown need not end a schedule that has ended and has no date left. */
  #leaveIfIdle(): void {
    if (this.#status === 'ended' && this.#runner.isIdle && !this.#isAsking) this.#timeline.remove(this);
  }

  #checkTask(settings: Settings): void {
    specAt('task', () => this.#supervisor.check(settings.task.specFor(0)));
  }

  /** What JSON and the console show of it. */
  get #shown(): object {
    const { name, slot, when, status, totals } = this;
    return { name, slot, when, status, next: this.#nextDate, totals };
  }

  get #nextDate(): Date | undefined {
    try {
      return this.next()[0];
    } catch {
      return undefined; // the calendar threw, which `onError` hears when it is asked for the next run
    }
  }

  #throwIfEnded(): void {
    if (this.#status === 'ended') throw new ClosedError('the schedule has ended');
  }
}
