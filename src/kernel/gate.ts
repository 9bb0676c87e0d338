// The concurrency gate: how many may be inside at once, how many may begin within a time, and in
// which order. p-queue keeps the pause, and opens places: each is a job, which is added when none
// that is open is free. An open place is handed on, to the next waiter or to who comes next,
// without another job (measured, an attempt: 8 us against 14).
//
// The gate counts the places and the starts. So a waiter that the rate holds back takes no place
// and keeps its order. No count is left to p-queue: it frees a place through the global
// `queueMicrotask` and measures a rate with global timers, and either may be fake. So its jobs end
// at once.
//
// A pause or a limit may have kept very many out. They are let in as a long job. Who comes
// meanwhile comes behind them.
//
// `open` is true while there is neither a limit nor a pause nor a waiter. Callers then need no
// place.

import PQueue from 'p-queue';
import { after, type Clock } from './clock.ts';
import { ignore } from './deferred.ts';
import type { LongJobs } from './long-jobs.ts';
import { PriorityQueue, Waiter } from './priority-queue.ts';
import { type Rate, RateWindow } from './rate-window.ts';

export interface GateLimits {
  readonly concurrency: number;
  readonly rate: Rate | undefined;
}

/** A place, or the wait for one. Only the gate changes it. */
export class Place extends Waiter {
  at: 'queue' | 'inside' | 'begun' | 'left' = 'queue';
  readonly granted: () => void;

  constructor(priority: number, granted: () => void) {
    super(priority);
    this.granted = granted;
  }
}

export class Gate {
  readonly #clock: Clock;
  readonly #jobs: LongJobs;
  readonly #waiters = new PriorityQueue<Place>();
  readonly #queue = newQueue();
  #limits: GateLimits;
  #isFree = true;
  #window: RateWindow | undefined;
  #inside = 0;
  /** How many places p-queue has opened. */
  #opened = 0;
  /** How many inside have not begun. */
  #coming = 0;
  #wake: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #isLettingIn = false;
  /** A part of the job. */
  readonly #letNextIn = (): boolean => {
    if (this.#mayLetIn) {
      this.#letFirstIn();
      return true;
    }
    this.#isLettingIn = false;
    this.#watchRate();
    return false;
  };

  constructor(limits: GateLimits, clock: Clock, jobs: LongJobs) {
    this.#clock = clock;
    this.#jobs = jobs;
    this.#limits = limits;
    this.#window = limits.rate && new RateWindow(limits.rate);
    this.#checkFree();
  }

  /** There is neither a limit nor a pause nor a waiter, so `enter` need not be called. */
  get open(): boolean {
    return this.#isFree && this.#waiters.size === 0;
  }

  get paused(): boolean {
    return this.#queue.isPaused;
  }
  get concurrency(): number {
    return this.#limits.concurrency;
  }
  /** How many are inside, those that have not begun included. */
  get inside(): number {
    return this.#inside;
  }
  /** How many have begun and not left. */
  get begun(): number {
    return this.#inside - this.#coming;
  }
  /** How many wait. */
  get queued(): number {
    return this.#waiters.size;
  }

  /** What keeps a waiter out now: the first of these that does. */
  get obstacle(): 'pause' | 'concurrency' | 'rate' | undefined {
    if (this.#queue.isPaused) return 'pause';
    if (this.#inside >= this.#limits.concurrency) return 'concurrency';
    return this.#hasRoom() ? undefined : 'rate';
  }

  /** How many would get a place now. */
  get room(): number {
    if (this.#queue.isPaused || this.#waiters.size > 0) return 0;
    const places = this.#limits.concurrency - this.#inside;
    const starts = this.#window?.room(this.#clock.now(), this.#coming) ?? Infinity;
    return Math.max(0, Math.min(places, starts));
  }

  /** Calls `granted` once there is a place, on a later turn or within this call. */
  enter(priority: number, granted: () => void): Place {
    const place = new Place(priority, granted);
    this.#waiters.enqueue(place);
    this.#letIn();
    return place;
  }

  /**
   * What the place was taken for begins. This moment counts to the rate. Without a place: it begins
   * while the gate is open.
   */
  begin(place: Place | undefined): void {
    if (place === undefined) {
      this.#inside += 1;
      return;
    }
    place.at = 'begun';
    this.#coming -= 1;
    this.#window?.started(this.#clock.now());
    this.#watchRate();
  }

  /**
   * Gives a place back, or stops waiting for it. If nothing began, nothing counts to the rate. A
   * second call does nothing. Without a place: what began while the gate was open has ended.
   */
  leave(place: Place | undefined): void {
    if (place === undefined) {
      this.#inside -= 1;
      this.#letIn();
      return;
    }
    const { at } = place;
    place.at = 'left';
    if (at === 'left') return;
    if (at === 'queue') this.#waiters.remove(place);
    else this.#inside -= 1;
    if (at === 'inside') this.#coming -= 1;
    this.#letIn();
  }

  /** What is left out stays. Nothing that is inside has to leave. */
  configure(given: Partial<GateLimits>): void {
    this.#limits = { ...this.#limits, ...given };
    const { rate } = this.#limits;
    this.#window = rate && new RateWindow(rate, this.#window);
    this.#checkFree();
    this.#letIn();
  }

  pause(): void {
    this.#queue.pause();
    this.#checkFree();
    this.#watchRate();
  }

  resume(): void {
    this.#queue.start();
    this.#checkFree();
    this.#letIn();
  }

  /** Kept, because it is asked for twice in each attempt. */
  #checkFree(): void {
    this.#isFree = this.#limits.concurrency === Infinity && this.#window === undefined && !this.#queue.isPaused;
  }

  /** Lets waiters in while there is room. */
  #letIn(): void {
    if (!this.#isLettingIn && this.#mayLetIn) {
      this.#isLettingIn = true;
      this.#jobs.begin(this.#letNextIn);
    }
    this.#watchRate();
  }

  get #mayLetIn(): boolean {
    return this.#waiters.size > 0 && !this.#queue.isPaused && this.#hasRoom();
  }

  #letFirstIn(): void {
    if (this.#inside < this.#opened) this.#takeFirst();
    else ignore(this.#queue.add(this.#openPlace as () => Promise<void>, JOB)); // p-queue begins it within this call
  }

  readonly #openPlace = (): void => {
    this.#takeFirst();
    this.#opened = Math.max(this.#opened, this.#inside);
  };

  #takeFirst(): void {
    const place = this.#waiters.dequeue() as Place;
    place.at = 'inside';
    this.#inside += 1;
    this.#coming += 1;
    place.granted();
  }

  #hasRoom(): boolean {
    if (this.#inside >= this.#limits.concurrency) return false;
    return this.#window === undefined || this.#window.opensAtMs(this.#coming) <= this.#clock.now();
  }

  /** There is a timer while the rate alone holds the first waiter back. */
  #watchRate(): void {
    if (this.#window === undefined && this.#wake === undefined) return;
    const atMs = this.#rateOpensAtMs();
    if (this.#wake?.atMs === atMs) return;
    this.#wake?.cancel();
    this.#wake = undefined;
    const cancel = after(this.#clock, atMs - this.#clock.now(), () => {
      this.#wake = undefined;
      this.#letIn();
    });
    this.#wake = { atMs, cancel };
  }

  #rateOpensAtMs(): number {
    const waits = this.#waiters.size > 0 && !this.#queue.isPaused && this.#inside < this.#limits.concurrency;
    return waits && !this.#isLettingIn && this.#window !== undefined ? this.#window.opensAtMs(this.#coming) : Infinity;
  }
}

/*
 * p-queue copies its options into plain objects. Whatever it reads of them is an own property here,
 * so that nothing is read from a polluted `Object.prototype`.
 */

function newQueue(): PQueue {
  const options = {
    __proto__: null,
    queueClass: Jobs,
    autoStart: true,
    carryoverConcurrencyCount: undefined,
    carryoverIntervalCount: false,
    concurrency: Infinity,
    interval: 0,
    intervalCap: Infinity,
    strict: false,
    timeout: undefined,
  };
  return new PQueue(options as object);
}

/** What p-queue puts its jobs in, and takes them out of at once: none is added during a pause. */
class Jobs {
  readonly #jobs: (() => Promise<unknown>)[] = [];
  get size(): number {
    return this.#jobs.length;
  }
  enqueue(job: () => Promise<unknown>): void {
    this.#jobs.push(job);
  }
  dequeue(): (() => Promise<unknown>) | undefined {
    return this.#jobs.pop();
  }
}

/** Without an id, p-queue would make one. */
const JOB: object = { __proto__: null, id: '', priority: 0, signal: undefined, timeout: undefined };
