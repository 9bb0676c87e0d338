// The one timer behind all schedules of a supervisor. It knows moments and entries, and nothing of expressions, tasks or slots.
//
// Two hands: `wall` is the wall clock, which may be set, and sleeps with nobody; `steady` is the monotonic clock, moved once so that it
// reads like an epoch. Each has a heap. The timer is never longer than LONGEST_WAIT_MS, because no timer tells that the wall clock was
// set or that the machine slept: looking again is the only way to know.

import type { Clock } from '../../index.ts';
import { Heap } from './heap.ts';

export type ClockName = 'wall' | 'steady';

/** Now, on both hands; `shift` is what makes a wall date of a steady one. */
export type Moment = Readonly<Record<ClockName | 'shift', number>>;

/** Two clocks are not read at once, and not with one precision. */
const NOISE_MS = 5;

/** The wall clock is looked at again after this long at the latest. */
export const MAX_WAIT_MS = 30_000;

/** A wall clock set back by at most this much repeats no date: the dates that it shows again have had their turn. Past it dates count anew. */
export const MAX_REPEAT_MS = 3_600_000;

/** How long one turn may go on with what is due before the event loop has its turn. */
const MAX_TURN_MS = 8;

export interface Entry {
  /** Its moment has come. It has been taken out, and may put itself in again. It must not throw. */
  fire(): void;
  /** The wall clock was set back by more than LONGEST_REPEAT_MS: its dates from `wallMs` on are still to come. It must not throw. */
  rewind(wallMs: number): void;
  /** The supervisor has shut down. */
  end(): void;
}

export class Timeline {
  closed = false;
  readonly #clock: Clock;
  readonly #origin: number;
  readonly #heaps: Readonly<Record<ClockName, Heap<Entry>>> = { wall: new Heap(), steady: new Heap() };
  readonly #members = new Set<Entry>();
  #cancelTimer: (() => void) | undefined;
  #wakesAt = Infinity;
  #awake = false;
  #shift = 0;
  /** The latest time that the wall clock has been seen to show, since it was set back by much. */
  #furthest: number;
  /** When it was looked at, on the monotonic clock. */
  #lookedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#furthest = clock.wallNow();
    this.#origin = this.#furthest - clock.now();
    this.#lookedAt = this.#furthest;
  }

  now(hand: ClockName): number {
    return hand === 'wall' ? this.#clock.wallNow() : this.#clock.now() + this.#origin;
  }

  moment(): Moment {
    return { wall: this.now('wall'), steady: this.now('steady'), shift: this.#shiftNow() };
  }

  /** A date of the monotonic clock is shown as what the wall clock will say then, if nobody sets it. */
  wallDate(hand: ClockName, date: number): number {
    return hand === 'wall' ? date : Math.round(date + this.#shiftNow());
  }

  /**
   * Notices a wall clock that was set back by much, and tells every entry, also one that waits for nothing now. The timer looks by itself;
   * whoever works a date out on another occasion looks first.
   */
  checkWallClock(): void {
    const [wall, steady] = [this.now('wall'), this.now('steady')];
    // What the clock would have shown at the last look, had it been set then: dates from there on have come unseen.
    const since = wall - (steady - this.#lookedAt);
    const setBack = this.#furthest - since > MAX_REPEAT_MS + NOISE_MS;
    this.#lookedAt = steady;
    this.#furthest = setBack ? wall : Math.max(this.#furthest, wall);
    if (setBack) for (const entry of this.#members) entry.rewind(since);
  }

  join(entry: Entry): void {
    this.#members.add(entry);
  }

  leave(entry: Entry): void {
    this.take(entry);
    this.#members.delete(entry);
  }

  /** Calls `fire` once `due` has come on that hand, never within this call. An entry has one moment: an earlier one is forgotten. */
  put(entry: Entry, hand: ClockName, due: number): void {
    this.#heaps[hand === 'wall' ? 'steady' : 'wall'].delete(entry);
    this.#heaps[hand].put(entry, due);
    this.#arm();
  }

  take(entry: Entry): void {
    this.#heaps.wall.delete(entry);
    this.#heaps.steady.delete(entry);
    this.#arm();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const entry of [...this.#members]) entry.end();
  }

  /** In ms; 0 or less: something is due. */
  #untilDue(hand: ClockName): number {
    return this.#heaps[hand].firstKey - this.now(hand);
  }

  /** It stays as it is until the wall clock has really been set: round dates stay round. */
  #shiftNow(): number {
    const shift = this.now('wall') - this.now('steady');
    if (Math.abs(shift - this.#shift) > NOISE_MS) this.#shift = Math.round(shift);
    return this.#shift;
  }

  #arm(): void {
    if (this.#awake) return;
    const untilDue = Math.min(this.#untilDue('wall'), this.#untilDue('steady'));
    if (untilDue === Infinity) {
      this.#disarm();
      return;
    }
    // Whole ms: a fraction that rounding eats would wake again and again without time passing.
    const wait = Math.min(Math.max(Math.ceil(untilDue), 0), MAX_WAIT_MS);
    const wakesAt = this.#clock.now() + wait;
    if (wakesAt >= this.#wakesAt) return; // it wakes sooner than needed, and then waits for the rest
    this.#disarm();
    this.#wakesAt = wakesAt;
    this.#cancelTimer = this.#clock.setTimer(wait, () => this.#wake());
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#wakesAt = Infinity;
  }

  #wake(): void {
    this.#cancelTimer = undefined;
    this.#wakesAt = Infinity;
    this.#awake = true;
    try {
      this.checkWallClock();
      this.#fireDue();
    } finally {
      this.#awake = false;
      this.#arm();
    }
  }

  #fireDue(): void {
    const began = this.#clock.now();
    do {
      const hand = this.#untilDue('wall') <= this.#untilDue('steady') ? 'wall' : 'steady';
      const entry = this.#heaps[hand].first;
      if (entry === undefined || this.#untilDue(hand) > 0) return;
      this.#heaps[hand].delete(entry);
      entry.fire();
    } while (this.#clock.now() - began < MAX_TURN_MS);
  }
}
