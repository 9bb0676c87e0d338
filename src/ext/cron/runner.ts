// From dates to submissions: claims, places under `maxRuns`, dates that are caught up one after the
// other. It uses no calendar. It does not check whether a run is still alive: the slot's admission
// policy decides about overlap. Over 300 lines because a date takes and gives back one place under
// `maxRuns`, whether it is claimed, held, caught up or submitted.

import { AsyncResource } from 'node:async_hooks';
import type { Outcome, Submission, Supervisor } from '../../index.ts';
import { after, peekOutcome, whenOwned } from '../../kit.ts';
import { ask, type DateClaims } from './claims.ts';
import type { Box, History } from './history.ts';
import type { Settings } from './settings.ts';
import { MAX_WAIT_MS } from './timeline.ts';

export interface RunnerHost {
  /** The name of the schedule. */
  readonly name: string;
  readonly settings: Settings;
  readonly paused: boolean;
  /** The wall clock in epoch ms, as all moments in this file. */
  now(): number;
  /** More than 0: the wall clock was set back after this date came, and shows it later again. */
  untilMs(due: number): number;
  /** Called when `maxRuns` runs have owned their slot. */
  onMaxRuns(): void;
  /** Called when no date waits any more to be claimed or caught up. */
  onIdle(): void;
}

/** A date whose claim is under way. */
interface Claiming {
  readonly due: number;
  takeBack: () => void;
  readonly giveUp: (error: Error) => void;
}

/** Claims that are under way. A store that never answers must not fill the memory. */
const MAX_CLAIMING = 1_000;

export class Runner<T> {
  readonly #supervisor: Supervisor;
  readonly #host: RunnerHost;
  readonly #history: History<T>;
  /**
   * The async context of the `schedule` call, in which user code runs. The shared timer may have
   * the context of another schedule.
   */
  readonly #context = new AsyncResource('slotvisor.schedule');
  readonly #live = new Set<Submission<T>>();
  readonly #claiming = new Set<Claiming>();
  /** Dates that wait to be caught up, oldest first. */
  readonly #backlog: number[] = [];
  /** How many of these, from the oldest on, no new date pushes out. */
  #kept = 0;
  /** Stops the timer of a date that waits until the wall clock shows it again. */
  #stopHold: () => void = () => {};
  /** The date that is caught up has not ended. */
  #catchingUp = false;
  /** Submitted dates whose run waits in its slot. */
  #queued = 0;
  /** Places of `maxRuns` that are taken, and those of them that are used up. */
  #taken = 0;
  #used = 0;

  constructor(supervisor: Supervisor, history: History<T>, host: RunnerHost) {
    this.#supervisor = supervisor;
    this.#history = history;
    this.#host = host;
  }

  /** Free places under `maxRuns`. */
  get placesLeft(): number {
    return this.#host.settings.maxRuns - this.#taken;
  }

  get isUsedUp(): boolean {
    return this.#used >= this.#host.settings.maxRuns;
  }

  /** Dates that have come and that no box of the history has yet. */
  get pending(): number {
    return this.#waiting + this.#queued;
  }

  /** No date waits to be claimed or to be caught up. */
  get isIdle(): boolean {
    return this.#waiting === 0;
  }

  get #waiting(): number {
    return this.#backlog.length + this.#claiming.size;
  }

  /**
   * Submits a single date at once. Several dates are caught up one after the other. While dates
   * wait to be caught up, a new one goes behind them: submitted at once, it would run before older
   * dates, or one of them would replace it.
   */
  run(dates: readonly number[]): void {
    const [only] = dates;
    if (dates.length === 1 && only !== undefined && this.#backlog.length === 0 && !this.#host.paused) {
      this.#submitDate(only, false);
      return;
    }
    this.#backlog.push(...dates);
    const most = Math.max(this.#host.settings.keep, this.#kept + 1);
    const discarded = this.#backlog.splice(this.#kept, Math.max(0, this.#backlog.length - most));
    this.missed(discarded.length, discarded.at(-1));
    this.catchUp();
  }

  /**
   * Submits the backlog, each date when the run before it has ended. Submitted together, all but
   * the first could be dropped by the admission policy.
   */
  catchUp(): void {
    this.#stopHold();
    while (!this.#catchingUp && !this.#host.paused) {
      const [date] = this.#backlog;
      if (date === undefined) return;
      const untilMs = this.#host.untilMs(date);
      if (untilMs > 0) {
        this.#stopHold = this.#hold(untilMs, () => this.catchUp());
        return;
      }
      this.#backlog.shift();
      this.#kept = Math.max(0, this.#kept - 1);
      this.#catchingUp = this.#submitDate(date, true);
    }
  }

  /** Returns a function that stops the timer. The clock may be set again until then. */
  #hold(untilMs: number, again: () => void): () => void {
    return after(this.#supervisor.clock, Math.min(untilMs, MAX_WAIT_MS), again);
  }

  /** The dates that wait to be caught up stay, whatever an update changes. */
  keepWaiting(): void {
    this.#kept = this.#backlog.length;
  }

  /** The date that was caught up has ended, or will never run. */
  #caughtUp(): void {
    this.#catchingUp = false;
    this.catchUp();
    this.#checkIdle();
  }

  /** Every date that has not been submitted is missed. */
  discardWaiting(): void {
    this.#stopHold();
    if (this.isIdle) return;
    for (const { takeBack } of this.#claiming) takeBack();
    const dates = [...Array.from(this.#claiming, ({ due }) => due), ...this.#backlog.splice(0)];
    this.#taken -= this.#claiming.size;
    this.#claiming.clear();
    this.missed(dates.length, Math.max(...dates));
  }

  /** Records `count` missed dates, the latest of which is `last`. */
  missed(count: number, last: number | undefined): void {
    if (last !== undefined && count > 0) this.#history.missed(count, last, this.#host.now());
  }

  trigger(): Submission<T> {
    const due = this.#host.now();
    const submission = this.#submit(due, false);
    this.#watch(submission, this.#history.submitted(submission, 'trigger', due, due));
    return submission;
  }

  /** Resolves when all runs submitted so far have ended. */
  async idle(): Promise<void> {
    await Promise.all(Array.from(this.#live, peekOutcome));
  }

  /**
   * Records an error and passes it to `onError`. Errors of `onError` are recorded, too. `due`: the
   * date that was not submitted because of it.
   */
  reportError(error: unknown, due?: number): void {
    const { onError } = this.#host.settings;
    this.#history.failed(error, this.#host.now(), due);
    if (onError === undefined) return;
    this.#context.runInAsyncScope(() =>
      Promise.resolve()
        .then(() => onError(error))
        .catch((thrown) => this.#history.failed(thrown, this.#host.now())),
    );
  }

  /** Returns whether the end of this date is still to come; `#caughtUp` hears it. */
  #submitDate(due: number, isCaughtUp: boolean): boolean {
    if (this.placesLeft <= 0) {
      this.missed(1, due);
      return false;
    }
    this.#taken += 1;
    const { claims } = this.#host.settings;
    if (claims === undefined) return this.#submitClaimed(due, isCaughtUp);
    this.#claim(claims, due, isCaughtUp);
    return true;
  }

  #claim(claims: DateClaims, due: number, isCaughtUp: boolean): void {
    const { name, settings } = this.#host;
    const lateMs = this.#host.now() - due;
    const settled = (submit: () => boolean): void => {
      this.#claiming.delete(claiming);
      const isToCome = submit();
      if (isCaughtUp && !isToCome) this.#caughtUp();
      else this.#checkIdle();
    };
    const notRun = (record: () => void): void =>
      settled(() => {
        this.#taken -= 1;
        record();
        return false;
      });
    const giveUp = (error: unknown): void =>
      notRun(() => {
        this.missed(1, due);
        this.reportError(error);
      });
    const submit = (): void => {
      const untilMs = this.#host.untilMs(due);
      if (untilMs > 0) claiming.takeBack = this.#hold(untilMs, submit);
      else settled(() => this.#submitClaimed(due, isCaughtUp));
    };
    const takeBack = ask(this.#supervisor.clock, {
      call: () => this.#context.runInAsyncScope(() => claims.claim(name, new Date(due))),
      patienceMs: lateMs > settings.toleranceMs ? settings.toleranceMs : settings.toleranceMs - lateMs,
      answered: (isOurs) => {
        if (isOurs) submit();
        else notRun(() => this.#history.elsewhere(due, this.#host.now()));
      },
      failed: giveUp,
    });
    const claiming: Claiming = { due, takeBack, giveUp };
    this.#claiming.add(claiming);
    const [oldest] = this.#claiming.size > MAX_CLAIMING ? this.#claiming : [];
    oldest?.takeBack();
    oldest?.giveUp(new Error(`the claims have not answered, and ${MAX_CLAIMING} later dates wait for them`));
  }

  /** As `#submitDate`. */
  #submitClaimed(due: number, isCaughtUp: boolean): boolean {
    let submission: Submission<T>;
    try {
      submission = this.#submit(due, isCaughtUp);
    } catch (error) {
      this.#taken -= 1;
      this.reportError(error, due);
      return false;
    }
    const record = this.#history.submitted(submission, 'date', due, this.#host.now());
    const settle = this.#toBox();
    whenOwned(submission, () => settle('ran'));
    this.#watch(submission, (outcome) => {
      settle(boxOf(outcome));
      record(outcome);
      if (isCaughtUp) this.#caughtUp();
    });
    return true;
  }

  /** Puts a submitted date into the first box that it is called with. */
  #toBox(): (box: Box) => void {
    let isOpen = true;
    this.#queued += 1;
    return (box) => {
      if (!isOpen) return;
      isOpen = false;
      this.#queued -= 1;
      this.#history.totals[box] += 1;
      if (box === 'ran') this.#useUp();
      else this.#taken -= 1;
    };
  }

  #useUp(): void {
    this.#used += 1;
    if (this.isUsedUp) this.#host.onMaxRuns();
  }

  /** A run that is caught up must run: it waits in its slot, whatever the policy of the task. */
  #submit(due: number, isCaughtUp: boolean): Submission<T> {
    const spec = this.#host.settings.task.specFor(due);
    const given = isCaughtUp ? { ...spec, admission: 'queue' as const } : spec;
    return this.#context.runInAsyncScope(() => this.#supervisor.submit(given)) as Submission<T>;
  }

  #watch(submission: Submission<T>, ended: (outcome: Outcome<T>) => void): void {
    this.#live.add(submission);
    void peekOutcome(submission).then((outcome) => {
      this.#live.delete(submission);
      ended(outcome);
    });
  }

  #checkIdle(): void {
    if (this.isIdle) this.#host.onIdle();
  }
}

function boxOf(outcome: Outcome): Box {
  if (outcome.kind !== 'rejected') return 'ran';
  return outcome.reason === 'superseded' ? 'superseded' : 'dropped';
}
