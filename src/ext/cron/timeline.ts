// The timer that all schedules of a supervisor share. It handles moments and entries. It does not
// know expressions, tasks or slots.
//
// Moments belong to one of two clocks. `wall` is the wall clock: it can be set, and it advances
// while the machine sleeps. `monotonic` is the monotonic clock plus a constant, so that it reads
// like epoch ms. Each clock has a heap. No timer reports that the wall clock was set or that the
// machine slept. So the timer waits at most MAX_WAIT_MS before the clocks are read again.

import type { Clock } from '../../index.ts';
import { after, Heap, HeapNode } from '../../kit.ts';

export type ClockName = 'wall' | 'monotonic';

/** Now, on both clocks. A monotonic date plus `shift` is a wall date. */
export type Moment = Readonly<Record<ClockName | 'shift', number>>;

/** The largest apparent shift between two unset clocks: reads differ in time and in precision. */
const NOISE_MS = 5;

/** The wall clock is checked at least this often. */
export const MAX_WAIT_MS = 30_000;

/**
 * When the wall clock is set back by at most this much in all, no date repeats: the dates that come
 * up again have already been handled. When it is set back by more, dates count from the new time.
 */
export const MAX_REPEAT_MS = 3_600_000;

/** How long due entries may run in one turn before the event loop continues. */
const MAX_TURN_MS = 4;

export interface Entry {
  /**
   * Called when its moment has come. The moment is cleared; the entry may set a new one. Must not
   * throw.
   */
  onDue(): void;
  /**
   * Called when the wall clock was set back by more than MAX_REPEAT_MS. Wall dates after `wallMs`
   * are still to come then. Must not throw.
   */
  onSetBack(wallMs: number): void;
  /** Called when the supervisor is shutting down. Must not throw. */
  end(): void;
}

export class Timeline {
  readonly #clock: Clock;
  readonly #origin: number;
  readonly #heaps: Readonly<Record<ClockName, Heap<Entry>>> = { wall: new Heap(), monotonic: new Heap() };
  readonly #entries = new Map<Entry, HeapNode<Entry>>();
  #cancelTimer: (() => void) | undefined;
  /** When the timer fires, on the supervisor's clock; `Infinity` if none is set. */
  #timerDue = Infinity;
  #isInTimer = false;
  #shift = 0;
  /**
   * The latest wall time seen since the wall clock was last set back by more than MAX_REPEAT_MS.
   */
  #maxWall: number;
  /** When the wall clock was last checked, on the monotonic clock. */
  #checkedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#maxWall = clock.wallNow();
    this.#origin = this.#maxWall - clock.now();
    this.#checkedAt = this.#maxWall;
  }

  now(clock: ClockName): number {
    return clock === 'wall' ? this.#clock.wallNow() : this.#clock.now() + this.#origin;
  }

  moment(): Moment {
    return { wall: this.now('wall'), monotonic: this.now('monotonic'), shift: this.#shiftNow() };
  }

  /** The wall time of a date, assuming that the wall clock is not set until then. */
  wallDate(clock: ClockName, date: number): number {
    return clock === 'wall' ? date : Math.round(date + this.#shiftNow());
  }

  /**
   * Checks whether the wall clock was set back by more than MAX_REPEAT_MS. If so, calls `onSetBack`
   * of every entry, even of one without a moment. The timer calls this. Code that calculates a date
   * at another time must call it first.
   *
   * The step is measured from the latest wall time that was seen. How long ago it happened is not
   * known, so it may count as smaller than it was, by the time since the last check. It never
   * counts as larger: no date repeats that should not.
   */
  checkWallClock(): void {
    const [wall, monotonic] = [this.now('wall'), this.now('monotonic')];
    const elapsed = monotonic - this.#checkedAt;
    const isSetBack = this.#maxWall - wall > MAX_REPEAT_MS + NOISE_MS;
    this.#checkedAt = monotonic;
    this.#maxWall = isSetBack ? wall : Math.max(this.#maxWall, wall);
    // As if the clock had been set just after the last check: dates since then came without being
    // handled.
    if (isSetBack) for (const entry of this.#entries.keys()) entry.onSetBack(wall - elapsed);
  }

  add(entry: Entry): void {
    this.#entries.set(entry, new HeapNode(entry));
  }

  remove(entry: Entry): void {
    this.clear(entry);
    this.#entries.delete(entry);
  }

  /**
   * Calls `onDue` of an added entry once `due` has come on `clock`, but never within this call. An
   * entry has one moment: a new one replaces the old.
   */
  set(entry: Entry, clock: ClockName, due: number): void {
    const node = this.#entries.get(entry) as HeapNode<Entry>;
    this.#heaps[clock === 'wall' ? 'monotonic' : 'wall'].delete(node);
    this.#heaps[clock].put(node, due);
    this.#arm();
  }

  /** Clears the moment of an entry, if it has one. */
  clear(entry: Entry): void {
    const node = this.#entries.get(entry);
    if (node === undefined) return;
    this.#heaps.wall.delete(node);
    this.#heaps.monotonic.delete(node);
    this.#arm();
  }

  /** Ends every entry. */
  close(): void {
    for (const entry of [...this.#entries.keys()]) entry.end();
  }

  /** Ms until the first moment of this clock. 0 or less: an entry is due. */
  #untilDue(clock: ClockName): number {
    return this.#heaps[clock].firstKey - this.now(clock);
  }

  /**
   * Changes only when the wall clock was set, not with the noise of reads: round dates stay round.
   */
  #shiftNow(): number {
    const shift = this.now('wall') - this.now('monotonic');
    if (Math.abs(shift - this.#shift) > NOISE_MS) this.#shift = Math.round(shift);
    return this.#shift;
  }

  #arm(): void {
    if (this.#isInTimer) return; // armed when all due entries have run
    const untilDue = Math.min(this.#untilDue('wall'), this.#untilDue('monotonic'));
    if (untilDue === Infinity) {
      this.#disarm();
      return;
    }
    // Whole ms: a fraction of a ms may be lost in rounding. The timer would then fire again and
    // again while the clock does not advance.
    const wait = Math.min(Math.max(Math.ceil(untilDue), 0), MAX_WAIT_MS);
    const timerDue = this.#clock.now() + wait;
    if (timerDue >= this.#timerDue) return; // the timer fires early enough, and is set again then
    this.#disarm();
    this.#timerDue = timerDue;
    this.#cancelTimer = after(this.#clock, wait, () => this.#onTimer());
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerDue = Infinity;
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    this.#timerDue = Infinity;
    this.#isInTimer = true;
    try {
      this.checkWallClock();
      this.#runDue();
    } finally {
      this.#isInTimer = false;
      this.#arm();
    }
  }

  #runDue(): void {
    const start = this.#clock.now();
    do {
      const clock = this.#untilDue('wall') <= this.#untilDue('monotonic') ? 'wall' : 'monotonic';
      const node = this.#heaps[clock].first;
      if (node === undefined || this.#untilDue(clock) > 0) return;
      this.#heaps[clock].delete(node);
      node.item.onDue();
    } while (this.#clock.now() - start < MAX_TURN_MS);
  }
}
