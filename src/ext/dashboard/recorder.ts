// What the dashboard remembers of one supervisor: a subscriber that keeps the last of each kind.
// Events can be lost, so no total is made of them: totals come from `stats()`.

import type { Clock, EventOf, Supervisor, TaskEvent } from '../../index.ts';
import { type AttemptEnded, Attempts, type OwnSubject } from './attempts.ts';
import { errorRowOf } from './error-row.ts';
import { EventMemory, type EventQuery, type TailFilter } from './event-memory.ts';
import { eventRow, kindOf } from './event-row.ts';
import { OwnNames, ownText } from './own-text.ts';
import { Problems } from './problems.ts';
import { Series } from './series.ts';
import { TurnedAway, type TurnedAwayLately } from './turned-away.ts';
import type {
  AttemptRow,
  EventRow,
  EventsPage,
  ProblemRow,
  SeriesField,
  SeriesStep,
  SeriesView,
  SlotFailure,
  Tail,
} from './wire.ts';

/** How many of each are remembered, 1 or more. */
export interface HistorySettings {
  /** Events of any kind. */
  readonly events: number;
  /** Notable events, and as many rejected ones. */
  readonly notable: number;
  readonly problems: number;
  /** Slots whose attempts and last failure are remembered. */
  readonly slots: number;
  /** Attempts of a slot. */
  readonly attempts: number;
  /** Steps of the long series. */
  readonly minutes: number;
}

export interface RecorderSettings {
  readonly history: HistorySettings;
  /** What it throws is published as `subscriberFailed`, and the failure is in no problem. */
  readonly groupOf: (slot: string) => string;
}

/** More than a burst has between two turns of the event loop. */
const CAPACITY = 50_000;

/** How many failures of a second are remembered with their stacks: one costs 20 us (measured). */
const STACKS_A_SECOND = 50;

type AttemptFailed = EventOf<'attemptFailed' | 'attemptTimedOut' | 'attemptStalled'>;

/** What each end of an attempt counts to. */
const COUNTED: Readonly<Record<AttemptEnded['type'], SeriesField>> = {
  attemptSucceeded: 'succeeded',
  attemptFailed: 'failed',
  attemptTimedOut: 'failed',
  attemptStalled: 'failed',
  attemptCanceled: 'canceled',
};

export class Recorder {
  /** Since when it remembers, in epoch ms. */
  readonly since: number;
  readonly #supervisor: Supervisor;
  readonly #clock: Clock;
  readonly #groupOf: (slot: string) => string;
  readonly #names = new OwnNames();
  readonly #events: EventMemory;
  readonly #attempts: Attempts;
  readonly #problems: Problems;
  readonly #series: Series;
  readonly #turnedAway = new TurnedAway();
  readonly #stop: () => void;
  #seq = 0;
  /** What `stats` counted of dropped events, and when it last counted more. */
  #eventsDropped: number;
  #droppedAt = -Infinity;
  /** The second in which failures come, and how many of them may still have a stack. */
  #second = Number.NaN;
  #stacksLeft = 0;

  /** After a shutdown it hears nothing. */
  constructor(supervisor: Supervisor, { history, groupOf }: RecorderSettings, clock: Clock) {
    this.since = clock.wallNow();
    this.#supervisor = supervisor;
    this.#clock = clock;
    this.#groupOf = groupOf;
    this.#events = new EventMemory(history);
    this.#attempts = new Attempts(history);
    this.#problems = new Problems(history.problems);
    this.#series = new Series(this.since, history.minutes);
    this.#eventsDropped = supervisor.stats().eventsDropped;
    const subscriber = { name: 'slotvisor/dashboard', onEvent: (event: TaskEvent) => this.#heard(event) };
    this.#stop = supervisor.subscribe(subscriber, { capacity: CAPACITY });
  }

  /** Of the newest event that it has heard. 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** Oldest first. */
  attemptsOf(slot: string): readonly AttemptRow[] {
    return this.#attempts.of(slot, this.#hasBody(slot), this.#clock.wallNow());
  }

  lastFailureOf(slot: string): SlotFailure | undefined {
    return this.#attempts.lastFailureOf(slot);
  }

  /** Notable and rejected ones, newest first. */
  eventsOf(slot: string, limit: number): readonly EventRow[] {
    return this.#events.of(slot, limit);
  }

  /** The problem with the latest failure is first. */
  problems(): readonly ProblemRow[] {
    return this.#problems.rows();
  }

  /** Newest first. */
  events(query: EventQuery): EventsPage {
    return this.#events.page(query);
  }

  /**
   * The newest `limit` events that follow `seq`, the oldest first. The next call begins at the
   * `seq` that the recorder has now.
   */
  after(seq: number, filter: TailFilter, limit: number): Tail {
    return this.#events.after(seq, filter, limit);
  }

  series(step: SeriesStep, now: number): SeriesView {
    return this.#series.view(step, now);
  }

  /** What lacked room or time. At most the last five minutes are known. */
  turnedAwayLately(withinMs: number): TurnedAwayLately {
    return this.#turnedAway.lately(withinMs, this.#clock.wallNow());
  }

  /** How long ago a subscriber was found to have lost events, in ms. `Infinity`: never. */
  get eventsDroppedMs(): number {
    return Math.max(0, this.#clock.wallNow() - this.#droppedAt);
  }

  /** Called once a second, with the longest delay of the event loop in it. */
  sample(loopDelayMs: number): void {
    const now = this.#clock.wallNow();
    this.#series.loopDelay(now, loopDelayMs);
    const { eventsDropped } = this.#supervisor.stats();
    if (eventsDropped > this.#eventsDropped) this.#droppedAt = now;
    this.#eventsDropped = eventsDropped;
  }

  /** It hears nothing more, and still shows what it remembers. */
  close(): void {
    this.#stop();
  }

  #hasBody(slot: string): boolean {
    const status = this.#supervisor.slot(slot).view({ queued: 0 }).owner?.status;
    return status === 'running' || status === 'stopping' || status === 'overrun';
  }

  #heard(event: TaskEvent): void {
    this.#seq = event.seq;
    const row = eventRow(event, this.#names);
    this.#events.add(row, kindOf(event));
    switch (event.type) {
      case 'rejected':
        this.#series.count(event.at, 'rejected');
        this.#turnedAway.add(event);
        return;
      case 'overrun':
        if (this.#attempts.overran(event)) this.#series.count(event.at, 'overruns');
        return;
      case 'attemptStarted':
        this.#attempts.began(event, row as OwnSubject);
        return;
      case 'finished':
        this.#attempts.finished(event);
        return;
      default:
        if ('durationMs' in event) this.#attemptEnded(event, row as OwnSubject);
    }
  }

  #attemptEnded(event: AttemptEnded, subject: OwnSubject): void {
    this.#attempts.ended(event, subject);
    this.#series.count(event.at, COUNTED[event.type]);
    if ('failure' in event) this.#failed(event, subject);
  }

  #failed({ at, id, attempt, failure: of }: AttemptFailed, { slot, name }: OwnSubject): void {
    const error = errorRowOf(of, this.#mayReadStack(at));
    const message = ownText(of.message);
    const failure = { at, id, name, attempt, kind: of.kind, message, ...(error && { error }) };
    this.#attempts.failed(slot, failure);
    this.#problems.add(this.#groupOf(slot), slot, failure); // last: it calls code of the user
  }

  #mayReadStack(at: number): boolean {
    const second = Math.floor(at / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#stacksLeft = STACKS_A_SECOND;
    }
    this.#stacksLeft -= 1;
    return this.#stacksLeft >= 0;
  }
}
