// The time of the reference model: its timers, and the consequences of a step in their order.

import type { Timer } from './reference-nouns.ts';

export class Time {
  now = 0;
  timers: Timer[] = [];
  readonly #jobs: (() => void)[] = [];
  readonly #isUnsettled: () => boolean;

  /** `isUnsettled`: called when no consequence is left. It may cause one, and returns true then. */
  constructor(isUnsettled: () => boolean) {
    this.#isUnsettled = isUnsettled;
  }

  after(ms: number, fire: () => void): Timer {
    const timer: Timer = { due: this.now + ms, fire };
    if (ms !== Infinity) this.timers.push(timer);
    return timer;
  }

  drop(timer: Timer | undefined): void {
    this.timers = this.timers.filter((other) => other !== timer);
  }

  /** On a later turn. */
  soon(job: () => void): void {
    this.#jobs.push(job);
  }

  /**
   * The end of a body, on a later turn. Its promise settles in a microtask of its own, so all that
   * follows from it comes before the ends of other bodies.
   */
  endSoon(end: () => void): void {
    this.soon(() => {
      const others = this.#jobs.splice(0);
      end();
      this.#runJobs();
      this.#jobs.push(...others);
    });
  }

  /** Runs the consequences of a step, in the order in which they were caused. */
  settle(): void {
    do this.#runJobs();
    while (this.#isUnsettled());
  }

  #runJobs(): void {
    for (let job = this.#jobs.shift(); job !== undefined; job = this.#jobs.shift()) job();
  }

  /** Of two timers that are due at the same moment, the one that was set first fires first. */
  advance(ms: number): void {
    const end = this.now + ms;
    this.settle();
    for (let timer = this.#first(end); timer !== undefined; timer = this.#first(end)) {
      this.now = Math.max(this.now, timer.due);
      this.drop(timer);
      timer.fire();
      this.settle();
    }
    this.now = end;
  }

  #first(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers)
      if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    return first;
  }
}
