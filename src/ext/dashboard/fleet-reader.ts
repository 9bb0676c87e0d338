// Reads the fleet from its store: only when somebody looks, at most every five seconds for each
// text that is looked for, and never in the way of what else is shown.

import type { Clock } from '../../index.ts';
import { describe } from '../../kit.ts';
import { withinMs } from './guards.ts';
import type { DashboardFleet } from './options.ts';
import type { FleetPage } from './wire.ts';

/** How old what is shown may be, and how long the store may take. */
const READ_MS = 5_000;
/** How many slots are shown. */
const LIMIT = 200;
/** What is kept: the pages of so many texts, those that were asked for last. */
const MAX_KEPT = 20;

interface Read {
  readonly beganMs: number;
  readonly page: Promise<FleetPage>;
}

export class Fleet {
  readonly #fleet: DashboardFleet;
  readonly #clock: Clock;
  /** By the text that is looked for. What was asked for last is the last. */
  readonly #reads = new Map<string, Read>();
  #latest: Pick<FleetPage, 'error'> = {};
  #latestMs = -Infinity;

  constructor(fleet: DashboardFleet, clock: Clock) {
    this.#fleet = fleet;
    this.#clock = clock;
  }

  /** What the last read has found, whatever was looked for. Nothing, if that is long ago. */
  get latest(): Pick<FleetPage, 'error'> {
    return this.#clock.now() - this.#latestMs <= 2 * READ_MS ? this.#latest : {};
  }

  /** Never rejects: what went wrong is in the page. */
  page(q: string): Promise<FleetPage> {
    const now = this.#clock.now();
    const known = this.#reads.get(q);
    const read = known !== undefined && now - known.beganMs < READ_MS ? known : this.#begin(q, now, known);
    this.#reads.delete(q);
    this.#reads.set(q, read);
    for (const key of this.#reads.keys()) {
      if (this.#reads.size <= MAX_KEPT) break;
      this.#reads.delete(key);
    }
    return read.page;
  }

  #begin(q: string, beganMs: number, before: Read | undefined): Read {
    const page = this.#read(q).catch(async (error): Promise<FleetPage> => {
      const old = (await before?.page) ?? { processes: [], slots: [], more: false, at: this.#clock.wallNow() };
      return { ...old, error: describe(error) };
    });
    void page.then((found) => {
      this.#latest = found;
      this.#latestMs = this.#clock.now();
    });
    return { beganMs, page };
  }

  async #read(q: string): Promise<FleetPage> {
    const at = this.#clock.wallNow();
    const { processes, slots, more } = await withinMs(READ_MS, this.#clock, this.#fleet.look({ q, limit: LIMIT }));
    return { processes, slots: slots.map((slot) => ({ ...slot, fence: String(slot.fence) })), more, at };
  }
}
