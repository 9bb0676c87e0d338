// Counts per second and per minute, by the wall clock. Only the last steps are kept.

import { SERIES_FIELDS, type SeriesField, type SeriesStep, type SeriesView } from './wire.ts';

/** How many seconds are remembered. */
export const SECONDS = 300;

/** Counts by step and field. A step that was not counted in is 0. */
export class Steps<Field extends string> {
  readonly stepMs: number;
  readonly size: number;
  readonly #fields: readonly Field[];
  /** Which step has each place. A place is used again `size` steps later. */
  readonly #steps: Float64Array;
  readonly #counts: Readonly<Record<Field, Float64Array>>;

  constructor(fields: readonly Field[], stepMs: number, size: number) {
    this.#fields = fields;
    this.stepMs = stepMs;
    this.size = size;
    this.#steps = new Float64Array(size).fill(Number.NaN);
    this.#counts = Object.fromEntries(fields.map((field) => [field, new Float64Array(size)])) as Record<
      Field,
      Float64Array
    >;
  }

  stepAt(at: number): number {
    return Math.floor(at / this.stepMs);
  }

  add(at: number, field: Field): void {
    const place = this.#placeFor(at);
    this.#counts[field][place] = (this.#counts[field][place] as number) + 1;
  }

  /** Where the largest value of a step is kept. */
  raise(at: number, field: Field, value: number): void {
    const place = this.#placeFor(at);
    this.#counts[field][place] = Math.max(this.#counts[field][place] as number, value);
  }

  get(step: number, field: Field): number {
    const place = this.#placeOf(step);
    return this.#steps[place] === step ? (this.#counts[field][place] as number) : 0;
  }

  #placeFor(at: number): number {
    const step = this.stepAt(at);
    const place = this.#placeOf(step);
    if (this.#steps[place] !== step) {
      this.#steps[place] = step;
      for (const field of this.#fields) this.#counts[field][place] = 0;
    }
    return place;
  }

  /** Also for steps before 1970. */
  #placeOf(step: number): number {
    return ((step % this.size) + this.size) % this.size;
  }
}

export class Series {
  readonly #steps: Readonly<Record<SeriesStep, Steps<SeriesField>>>;
  #since: number;

  constructor(since: number, minutes: number) {
    this.#since = since;
    this.#steps = {
      second: new Steps(SERIES_FIELDS, 1_000, SECONDS),
      minute: new Steps(SERIES_FIELDS, 60_000, minutes),
    };
  }

  count(at: number, field: SeriesField): void {
    this.#steps.second.add(at, field);
    this.#steps.minute.add(at, field);
  }

  loopDelay(at: number, ms: number): void {
    this.#steps.second.raise(at, 'loopDelayMs', ms);
    this.#steps.minute.raise(at, 'loopDelayMs', ms);
  }

  /** Up to the step of `now`, which is not over. It begins with the recorder, or later. */
  view(step: SeriesStep, now: number): SeriesView {
    const steps = this.#steps[step];
    this.#since = Math.min(this.#since, now); // the clock was set back
    const last = steps.stepAt(now);
    const first = Math.max(last - steps.size + 1, steps.stepAt(this.#since));
    const valuesOf = (field: SeriesField): number[] =>
      Array.from({ length: last - first + 1 }, (_, i) => rounded(steps.get(first + i, field)));
    return {
      step,
      stepMs: steps.stepMs,
      from: first * steps.stepMs,
      fields: Object.fromEntries(SERIES_FIELDS.map((field) => [field, valuesOf(field)])) as Record<
        SeriesField,
        number[]
      >,
    };
  }
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
