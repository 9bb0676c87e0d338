// One schedule: its state and its moment on the timeline. Its progress gives the dates that have
// their turn, and the runner submits them. Over 300 lines because a date, a pause, an update, an
// error and an end all change one state.

import { ClosedError, type Submission, type Supervisor } from '../../index.ts';
import { fromCaller, showAs, specAt, wholeFrom } from '../../kit.ts';
import { ask } from './claims.ts';
import { type Dates, datesOf } from './dates.ts';
import { History, type ScheduleRun, type ScheduleTotals } from './history.ts';
import { drawJitterMs } from './jitter.ts';
import type { Names } from './names.ts';
import type { ScheduleUpdate } from './options.ts';
import { type Beginning, Progress, type Turn } from './progress.ts';
import { Runner, type RunnerHost } from './runner.ts';
import type { Schedule, ScheduleStatus, ScheduleWhen } from './schedule.ts';
import { changesOf, type OwnSlot, readSettings, type Settings } from './settings.ts';
import type { Entry, Timeline } from './timeline.ts';

/** After a calendar failed, it is asked again this much later. */
const RETRY_MS = 60_000;

/** What the schedules of a supervisor share. */
export interface ScheduleHost {
  readonly timeline: Timeline;
  readonly names: Names<Schedule>;
}

interface Update {
  readonly settings: Settings;
  readonly dates: Dates;
  readonly beginning: Beginning | undefined;
  readonly decides: boolean;
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
  readonly #progress: Progress;
  #settings: Settings;
  #status: ScheduleStatus = 'active';
  /** The date that it waits for; `undefined` after the calendar failed. */
  #due: number | undefined;
  /** The delay of `#due`. */
  #jitterMs = 0;
  /** The store is asked for the last claimed date. */
  #isAsking = false;
  #stopAsking: () => void = () => {};

  constructor(supervisor: Supervisor, { timeline, names }: ScheduleHost, ownSlot: OwnSlot, options: unknown) {
    const { settings, given } = readSettings(options, ownSlot, () => undefined);
    this.#supervisor = supervisor;
    this.#timeline = timeline;
    this.#names = names;
    this.#ownSlot = ownSlot;
    this.#settings = settings;
    timeline.checkWallClock(); // may call the random source of another schedule, which may take a name
    this.name = names.pick(settings.name, settings.task.isNamed ? settings.task.slot : (ownSlot.name as string));
    const dates = datesOf(settings, given, timeline.moment(), undefined);
    this.#progress = new Progress(timeline, dates);
    this.#history = new History(settings.historySize);
    this.#runner = new Runner(supervisor, this.#history, this.#runnerHost());
    this.#checkTask(settings);
    timeline.add(this);
    names.add(this);
    this.#waitForNext();
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
      untilMs: (due) => (self.#progress.dates.clock === 'wall' ? due - self.#timeline.now('wall') : 0),
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
    return { at: new Date(this.#progress.dates.calendar.after(-Infinity) as number) };
  }
  get status(): ScheduleStatus {
    return this.#status;
  }
  get runs(): readonly ScheduleRun<T>[] {
    return this.#history.runs;
  }
  get totals(): ScheduleTotals {
    const coming = this.#status === 'ended' ? 0 : this.#progress.coming;
    return { ...this.#history.totals, pending: this.#runner.pending + coming };
  }

  next(count = 1): Date[] {
    const most = fromCaller(this.next, () => wholeFrom('count', count, 0, 1_000));
    const limit = Math.min(most, Math.max(0, this.#runner.placesLeft));
    this.#timeline.checkWallClock();
    return this.#status === 'ended' ? [] : this.#progress.upcoming(limit);
  }

  previous(): Date | undefined {
    return this.#progress.previous();
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
    const { settings, dates, beginning, decides } = this.#readUpdate(options);
    // What has come is decided by the rules under which it came.
    if (decides) {
      this.#decideComing();
      this.#runner.keepWaiting();
    }
    this.#throwIfEnded(); // a getter of the options, or the last run, may have ended the schedule
    this.#settings = settings;
    this.#history.size = settings.historySize;
    if (this.#runner.isUsedUp) this.end();
    else if (beginning !== undefined) this.#replaceDates(dates, beginning);
    else if (decides && this.#status === 'active') this.#waitForNext(0, this.#due);
  }

  /**
   * What an update changes. `beginning`: where new dates begin; undefined if there are none.
   * `decides`: what has come must be decided first.
   */
  #readUpdate(options: unknown): Update {
    const { settings, given } = readSettings(options, this.#ownSlot, () => this.#settings);
    const changes = changesOf(settings, this.#settings);
    const { dates: old } = this.#progress;
    const areOthers = changes.when || changes.zone || changes.start;
    const anchored = changes.when ? undefined : old;
    const now = this.#timeline.moment();
    const mayBePast = changes.start || settings.when.kind === 'at';
    const dates = areOthers || changes.end ? datesOf(settings, given, now, anchored, mayBePast) : old;
    if (given.has('task')) this.#checkTask(settings);
    // The same start may be given in other words.
    const hasNewStart = changes.start && dates.startMs !== old.startMs;
    const keepsRules = !hasNewStart && !changes.policy;
    const keepsComing = keepsRules && this.#progress.hasSameComing(dates, areOthers);
    if (dates === old) return { settings, dates, beginning: undefined, decides: changes.policy };
    if (keepsComing) return { settings, dates, beginning: 'here', decides: false };
    const beginning = hasNewStart || settings.when.kind === 'at' ? 'start' : 'now';
    return { settings, dates, beginning, decides: true };
  }

  /** If the date that it waits for is also a date of the new ones, its jitter stays. */
  #replaceDates(dates: Dates, beginning: Beginning): void {
    const awaited = dates.clock === this.#progress.dates.clock ? this.#due : undefined;
    this.#progress.replace(dates, beginning);
    if (this.#status === 'active') this.#waitForNext(0, awaited);
  }

  async stop(): Promise<void> {
    this.end();
    await this.#runner.idle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  end(): void {
    const cut = this.#status === 'ended' ? undefined : this.#progress.miss();
    if (cut !== undefined) this.#runner.missed(cut.missed, cut.lastMissed);
    this.#isAsking = false;
    this.#stopAsking();
    this.#runner.discardWaiting();
    this.#finish();
  }

  onSetBack(wallMs: number): void {
    if (this.#progress.setBack(wallMs) && this.#status === 'active' && this.#due !== undefined) this.#waitForNext();
  }

  onDue(): void {
    const first = this.#due;
    if (first === undefined) {
      this.#askAgain();
      return;
    }
    const progress = this.#progress;
    const { now, dates } = progress;
    // Jitter does not count as lateness.
    const turn = progress.turn(first, now - this.#jitterMs, this.#settings);
    const { cursor } = progress;
    this.#carryOut(turn);
    // The last run may have ended the schedule. A lease store may have updated it, or may have made
    // it notice that the wall clock was set back. It then waits for the right date already.
    if (this.#status !== 'active' || progress.dates !== dates || progress.cursor !== cursor) return;
    const { next, failure } = turn;
    if (failure !== undefined) this.#onCalendarError(failure.error);
    else if (next === undefined) this.#finish();
    else this.#waitForNext(now - next);
  }

  /** After the calendar failed. */
  #askAgain(): void {
    this.#progress.skipUnknown();
    this.#waitForNext();
  }

  #carryOut({ run, missed, lastMissed }: Turn): void {
    this.#runner.missed(missed, lastMissed);
    if (run.length > 0) this.#runner.run(run);
  }

  /** Decides the dates that have come and have not had their turn, whatever delays them. */
  #decideComing(): void {
    const progress = this.#progress;
    this.#decide(() => {
      const { now, first } = progress;
      if (first === undefined || first > now) return undefined;
      // Jitter does not count as lateness.
      const lateFrom = this.#status === 'active' ? now - this.#jitterMs : now;
      return progress.turn(first, now, this.#settings, lateFrom);
    });
  }

  /** For a turn that no timer gave. */
  #decide(take: () => Turn | undefined): void {
    try {
      const turn = take();
      if (turn === undefined) return;
      this.#carryOut(turn);
      if (turn.failure !== undefined) this.#runner.reportError(turn.failure.error);
    } catch (error) {
      this.#runner.reportError(error); // the calendar failed
    }
  }

  /**
   * The store tells the last date that any process has claimed. Later dates, up to the moment at
   * which this schedule was made, came while no process ran. The store is asked until it answers;
   * `onError` hears its first failure.
   */
  #askForLast(): void {
    const { claims } = this.#settings;
    if (claims === undefined || this.#status === 'ended') return; // the random source may have stopped it
    const { dates } = this.#progress;
    let hasFailed = false;
    this.#isAsking = true;
    this.#stopAsking = ask(this.#supervisor.clock, {
      call: async () => {
        try {
          return await claims.last(this.name);
        } catch (error) {
          if (this.#isAsking && !hasFailed) this.#runner.reportError(error);
          hasFailed = true;
          throw error;
        }
      },
      patienceMs: Infinity,
      answered: (last) => {
        this.#isAsking = false;
        if (last !== undefined) this.#decide(() => this.#progress.turnOfAbsence(dates, last.getTime(), this.#settings));
        this.#leaveIfIdle();
      },
      failed: () => {}, // its patience has no end
    });
  }

  /**
   * Waits for the first date that has not had its turn.
   *
   * @param behindMs how long that date is already past because jitter delayed the date before it.
   * Its own delay is then at least this long.
   * @param awaited the date that it waits for already. If it is the next one, nothing changes.
   */
  #waitForNext(behindMs = 0, awaited?: number): void {
    const progress = this.#progress;
    let drawnMs = 0;
    try {
      const next = progress.first;
      if (next !== undefined && next === awaited) return;
      if (next !== undefined) drawnMs = drawJitterMs(this.#settings.jitterMs, this.#settings.random);
      // `random` is user code and may have changed the schedule.
      if (this.#status !== 'active') return;
      this.#due = progress.first;
    } catch (error) {
      this.#onCalendarError(error);
      return;
    }
    if (this.#due === undefined) {
      this.#finish();
      return;
    }
    this.#jitterMs = Math.max(behindMs, drawnMs);
    this.#timeline.set(this, progress.dates.clock, this.#due + this.#jitterMs);
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
