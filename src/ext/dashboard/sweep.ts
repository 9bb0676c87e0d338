// One sweep over all slots answers all that is asked for: pages of the table, and the tally. It is
// cut into slices, so that it does not hold up the event loop, and it happens only while somebody
// asks. No view is kept beyond it.

import { type Clock, ClosedError, type SlotView, type Supervisor, type TaskId } from '../../index.ts';
import { after, type Deferred, deferred, eventLoopTurn, SEEN_OF_QUEUE } from '../../kit.ts';
import { type Collector, keyOf, pageCollector, type Seen, type SlotQuery, seen } from './query.ts';
import { isShown, type ShowMeta } from './rows.ts';
import { type Tally, TallyCounter } from './tally.ts';
import type { SlotsPage } from './wire.ts';

/** For so long a sweep works before it lets the event loop have a turn, in ms. */
const SLICE_MS = 4;

/** A sweep begins no sooner after the last one than so many times its cost: 20 % of a core. */
const REST = 4;

/** For so long after the last ask an answer is kept, and made again by each sweep. */
const KEEP_MS = 5_000;
/** Of the answers that are kept: at most so many. */
const MAX_KEPT = 50;

/**
 * How old an answer may be that a viewer gets again and again: sweeps then take at most 5 % of a
 * core, however many viewers there are.
 */
export const viewerAgeMs = (costMs: number): number => Math.max(1_000, 20 * costMs);

export interface SweepSettings {
  /** It must not throw: see `safeGroup`. */
  readonly groupOf: (slot: string) => string;
  readonly meta?: ShowMeta | undefined;
}

/** What a sweep needs of a supervisor. */
export type Swept = Pick<Supervisor, 'clock' | 'get' | 'slot' | 'slots' | 'vitalSlots'>;

/** All asks for the same. */
interface Question {
  readonly collector: () => Collector;
  askedMs: number;
  /** The oldest first. */
  waiting: Ask[];
  answer?: { readonly given: unknown; readonly beganMs: number };
}

interface Ask extends Deferred<unknown> {
  readonly maxAgeMs: number;
}

/** A question that the present sweep answers. */
class Asked {
  readonly question: Question;
  readonly collector: Collector;
  /** How many had asked when it began. */
  readonly asks: number;
  constructor(question: Question) {
    this.question = question;
    this.collector = question.collector();
    this.asks = question.waiting.length;
  }
}

export class Sweeper {
  readonly #supervisor: Swept;
  readonly #settings: SweepSettings;
  readonly #clock: Clock;
  /** By what is asked. What was asked for last is the last. */
  readonly #questions = new Map<string, Question>();
  #isSweeping = false;
  #isClosed = false;
  #costMs = 0;
  /** No sweep begins before. */
  #restUntilMs = -Infinity;
  #cancelBegin: (() => void) | undefined;
  #cancelForget = (): void => {};

  constructor(supervisor: Swept, settings: SweepSettings, clock: Clock) {
    this.#supervisor = supervisor;
    this.#settings = settings;
    this.#clock = clock;
    supervisor.vitalSlots(); // from the first call on it keeps the dead ones
  }

  /** What the last sweep took of the process, in ms: its slices, and not the time between them. */
  get costMs(): number {
    return this.#costMs;
  }

  /**
   * The page, at most `maxAgeMs` old. With 0, a sweep that begins after this call makes it. A slot
   * that comes or goes during the sweep is seen or not; none is seen twice.
   *
   * @throws ClosedError once `close` was called, also if it is called before there is an answer.
   */
  page(query: SlotQuery, maxAgeMs: number): Promise<SlotsPage> {
    return this.#ask(
      keyOf(query),
      () => pageCollector(query, slotOfId(this.#supervisor, query.q), this.#settings.meta, this.#clock.wallNow()),
      maxAgeMs,
    ) as Promise<SlotsPage>;
  }

  /** As `page`. */
  tally(maxAgeMs: number): Promise<Tally> {
    return this.#ask('tally', () => new TallyCounter(this.#clock.wallNow()), maxAgeMs) as Promise<Tally>;
  }

  /** Rejects what waits for an answer, and sets no timer any more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelBegin?.();
    this.#cancelForget();
    this.#reject(new ClosedError('the dashboard is closed'));
    this.#questions.clear();
  }

  async #ask(key: string, collector: () => Collector, maxAgeMs: number): Promise<unknown> {
    if (this.#isClosed) throw new ClosedError('the dashboard is closed');
    const question = this.#questions.get(key) ?? { collector, askedMs: 0, waiting: [] };
    question.askedMs = this.#clock.now();
    this.#questions.delete(key);
    this.#questions.set(key, question);
    if (this.#isFresh(question, maxAgeMs)) return question.answer?.given;
    const ask = { ...deferred<unknown>(), maxAgeMs };
    question.waiting.push(ask);
    this.#begin();
    return ask.promise;
  }

  /** An answer is as old as the begin of its sweep. */
  #isFresh({ answer }: Question, maxAgeMs: number): boolean {
    return answer !== undefined && this.#clock.now() - answer.beganMs < maxAgeMs;
  }

  #begin(): void {
    if (this.#isSweeping || this.#isClosed || this.#cancelBegin !== undefined) return;
    const restMs = this.#restUntilMs - this.#clock.now();
    if (restMs <= 0) void this.#sweep();
    else
      this.#cancelBegin = after(this.#clock, restMs, () => {
        this.#cancelBegin = undefined;
        void this.#sweep();
      });
  }

  /** Never rejects. */
  async #sweep(): Promise<void> {
    this.#isSweeping = true;
    try {
      await eventLoopTurn(); // all that ask in this turn share it
      await this.#answerAll();
    } catch (error) {
      this.#reject(error);
    }
    this.#isSweeping = false;
    if (this.#isClosed) return;
    this.#restUntilMs = this.#clock.now() + REST * this.#costMs;
    this.#forget();
    if ([...this.#questions.values()].some(({ waiting }) => waiting.length > 0)) this.#begin();
  }

  async #answerAll(): Promise<void> {
    const asked = Array.from(this.#questions.values(), (question) => new Asked(question));
    await this.#inSlices(this.#work(asked, this.#clock.now()));
  }

  /** Works until it is done, or all is closed. */
  async #inSlices(work: Iterator<void>): Promise<void> {
    let costMs = 0;
    let beganMs = this.#clock.now();
    while (!this.#isClosed && work.next().done !== true) {
      const tookMs = this.#clock.now() - beganMs;
      if (tookMs < SLICE_MS) continue;
      costMs += tookMs;
      await eventLoopTurn();
      beganMs = this.#clock.now();
    }
    this.#costMs = costMs + this.#clock.now() - beganMs;
  }

  /** Between two of its steps the event loop may have a turn. */
  *#work(asked: readonly Asked[], beganMs: number): Generator<void> {
    const startMs = this.#supervisor.clock.now();
    const met: string[] = [];
    const late = new Map<string, Seen>();
    for (const view of this.#supervisor.slots({ queued: SEEN_OF_QUEUE })) {
      const slot = this.#see(view);
      if (mayBeBack(slot, startMs)) late.set(view.name, slot);
      else {
        met.push(view.name);
        show(slot, asked);
      }
      yield;
    }
    yield* this.#addDead(late);
    yield* without(late, met);
    for (const slot of late.values()) {
      show(slot, asked);
      yield;
    }
    for (const one of asked) {
      this.#answer(one, beganMs);
      yield;
    }
  }

  /** A vital slot that is dead is in the table of the supervisor only if it is paused. */
  *#addDead(slots: Map<string, Seen>): Generator<void> {
    for (const { slot, alive } of this.#supervisor.vitalSlots()) {
      if (alive || slots.has(slot)) continue;
      const view = this.#supervisor.slot(slot).view({ queued: SEEN_OF_QUEUE });
      if (isShown(view)) slots.set(slot, this.#see(view));
      yield;
    }
  }

  #see(view: SlotView): Seen {
    return seen(view, this.#settings.groupOf(view.name), this.#supervisor.clock.now());
  }

  #answer({ question, collector, asks }: Asked, beganMs: number): void {
    const given = collector.answer();
    question.answer = { given, beganMs };
    question.waiting = question.waiting.filter((ask, i) => {
      if (i >= asks && !this.#isFresh(question, ask.maxAgeMs)) return true;
      ask.resolve(given);
      return false;
    });
  }

  /** Forgets answers that are asked for no more, now and later. */
  #forget(): void {
    this.#cancelForget();
    const keptSinceMs = this.#clock.now() - KEEP_MS;
    for (const [key, { askedMs, waiting }] of this.#questions)
      if (waiting.length === 0 && (askedMs <= keptSinceMs || this.#questions.size > MAX_KEPT))
        this.#questions.delete(key);
    if (this.#questions.size > 0) this.#cancelForget = after(this.#clock, KEEP_MS, () => this.#forget());
  }

  #reject(error: unknown): void {
    for (const question of this.#questions.values()) {
      for (const ask of question.waiting) ask.reject(error);
      question.waiting = [];
    }
  }
}

function show(slot: Seen, asked: readonly Asked[]): void {
  for (const { collector } of asked) collector.add(slot);
}

/**
 * A slot that leaves the table during the sweep and comes back is found twice: then all that it
 * holds came since the start. To look up every slot in a set of those that were met would take a
 * third of the sweep (measured).
 */
function mayBeBack({ view: { owner, queued }, nowMs }: Seen, startMs: number): boolean {
  const oldest = owner ?? queued[0];
  return oldest === undefined || nowMs - oldest.ageMs >= startMs;
}

/** Removes those that were met. */
function* without(slots: Map<string, Seen>, met: readonly string[]): Generator<void> {
  if (slots.size === 0) return;
  for (const name of met) {
    slots.delete(name);
    yield;
  }
}

/** The slot of a live task. */
function slotOfId(supervisor: Swept, id: string): string | undefined {
  const task = supervisor.get(id as TaskId);
  return task === undefined || task.status === 'ended' ? undefined : task.slot;
}
