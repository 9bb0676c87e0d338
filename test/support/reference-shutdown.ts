// The reference model of a shutdown: its stages, the finish time, the grace.

import type { Reference } from './reference.ts';
import { type Place, TIMES, type Timer } from './reference-nouns.ts';

export class Closing {
  began = false;
  /** Nothing is left to wait for. */
  isOver = false;
  storeClosed = false;
  #deadline = Infinity;
  #finishUntil = Infinity;
  #finishOver = false;
  /** The highest stage that was told. Infinity: all were told. */
  #stage = -Infinity;
  #stageUntil = Infinity;
  #isForcing = false;
  #timer: Timer | undefined;
  readonly #all: Reference;

  constructor(all: Reference) {
    this.#all = all;
  }

  get #now(): number {
    return this.#all.time.now;
  }

  /** A later call can only hasten what the first one began. */
  call(graceMs: number, finishMs: number): void {
    const deadline = Math.min(this.#deadline, this.#now + graceMs);
    const finishUntil = Math.min(this.#finishUntil, this.#now + finishMs);
    if (!this.began) {
      this.#deadline = deadline;
      this.#finishUntil = finishUntil;
      this.#begin();
    } else if (!this.#isForcing && !this.isOver) {
      if (deadline < this.#deadline) this.#all.see('a shutdown is hastened');
      this.#deadline = deadline;
      this.#finishUntil = finishUntil;
      if (this.#stage !== Infinity)
        this.#stageUntil = Math.min(this.#stageUntil, this.#now + this.#share(this.#now, this.#stages().length + 1));
      this.#goOn();
    }
  }

  #begin(): void {
    this.began = true;
    for (const place of this.#all.allPlaces) {
      for (const flight of place.waiting) if (!flight.finishes) this.#all.reject(flight, 'shuttingDown');
      this.#all.leases.callOffUnwanted(place);
    }
    this.#stageUntil = this.#now;
    this.#goOn();
  }

  /** Does what is due, and waits for what comes next. */
  #goOn(now = this.#now): void {
    if (now >= this.#stageUntil) {
      const isByTime = this.#stage !== -Infinity && this.#stageUntil !== -Infinity && now < this.#deadline;
      if (isByTime) this.#all.see('the next stage begins by time');
      this.#nextStage(now);
    }
    if (!this.#finishOver && now >= this.#finishUntil) this.#endFinish();
    const next = Math.min(this.#stageUntil, this.#finishOver ? Infinity : this.#finishUntil, this.#deadline);
    this.#all.time.drop(this.#timer);
    this.#timer = this.#all.time.after(next - this.#now, () => this.#wake(next));
  }

  /** At the end of the grace every owner is told first, and has a turn to end. */
  #wake(now: number): void {
    if (now >= this.#deadline && this.#finishOver && this.#stage === Infinity) {
      this.#isForcing = true;
      this.#all.attempts.force();
    } else this.#goOn(now);
  }

  #nextStage(now: number): void {
    const stages = this.#stages();
    const isLast = stages.length <= 1 || now >= this.#deadline;
    this.#stage = isLast ? Infinity : (stages[0] as number);
    this.#stageUntil = isLast ? Infinity : now + this.#share(now, stages.length);
    const reached = this.#all.allPlaces.filter((place) => this.#isReached(place));
    for (const { owner } of reached) if (owner !== undefined) owner.isTold = true;
    for (const place of reached) this.tell(place);
  }

  #isReached(place: Place): boolean {
    return this.began && place.stage <= this.#stage;
  }

  #share(now: number, stages: number): number {
    return (this.#deadline - now) / stages;
  }

  /** The stages above the one that is reached which still have an owner or a waiting finisher. */
  #stages(): number[] {
    const flights = this.#all.allPlaces.flatMap(({ owner, waiting }) => (owner ? [owner, ...waiting] : waiting));
    const stages = flights.map(({ plan }) => plan.stage);
    return [...new Set(stages)].filter((stage) => stage > this.#stage).sort((a, b) => a - b);
  }

  /** Tells the owner, if its stage is reached: to finish if it may, or else to stop. */
  tell(place: Place): void {
    const { owner } = place;
    if (owner === undefined || !this.#isReached(place)) return;
    owner.isTold = true;
    if (owner.finishes && !this.#finishOver && !owner.isSuspended) this.#all.attempts.letFinish(owner);
    else this.#all.attempts.stop(owner, 'shutdown');
  }

  #endFinish(): void {
    this.#finishOver = true;
    if (this.#all.allPlaces.some(({ owner, waiting }) => waiting.length > 0 || owner?.isFinishing === true))
      this.#all.see('the finish time ends with finishers');
    for (const place of this.#all.allPlaces) {
      for (const flight of place.waiting) this.#all.reject(flight, 'shuttingDown');
      this.#all.leases.callOffUnwanted(place);
      if (place.owner?.isFinishing === true) this.#all.attempts.stop(place.owner, 'shutdown');
    }
  }

  /** A stage that is over is looked at on a later turn. */
  lookSoon(): void {
    if (this.#isStageOver) this.#all.time.soon(() => this.look());
  }

  get #isStageOver(): boolean {
    return !this.#isForcing && this.#stage !== Infinity && !this.#all.allPlaces.some((place) => this.#isHeldBy(place));
  }

  /** Looks whether a stage or everything is over. Returns whether that had a consequence. */
  look(): boolean {
    if (!this.began || this.storeClosed) return false;
    const places = this.#all.allPlaces;
    if (this.isOver) {
      if (places.every(({ ask }) => ask === undefined)) this.#closeStore();
      return false;
    }
    if (places.every(({ owner, waiting }) => owner === undefined && waiting.length === 0)) {
      this.isOver = true;
      this.#all.time.drop(this.#timer);
      this.#timer = this.#all.time.after(TIMES.storeClose, () => this.#closeStore());
      return true;
    }
    if (!this.#isStageOver) return false;
    this.#all.see('the next stage begins early');
    this.#stageUntil = -Infinity;
    this.#goOn();
    return true;
  }

  /** A told owner that has neither ended nor overran, or a finisher that waits, holds the stage. */
  #isHeldBy({ owner, waiting }: Place): boolean {
    if (waiting.some(({ plan }) => plan.stage <= this.#stage)) return true;
    return owner?.isTold === true && owner.body?.overran !== true;
  }

  /** The calls of the store have ended, or had their time. */
  #closeStore(): void {
    this.storeClosed = true;
    this.#all.time.drop(this.#timer);
    for (const { ask } of this.#all.allPlaces) this.#all.time.drop(ask?.stalled);
  }
}
