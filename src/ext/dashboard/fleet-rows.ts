// The fleet as the page shows it. Every look at the fleet is work for the store that its processes
// share, so what was read serves all viewers for some seconds, and looks go one after the other.

import type { Clock } from '../../index.ts';
import { after, describe, field, plainPart } from '../../kit.ts';
import { type FleetPage, type FleetProcessRow, type FleetSlotRow, MAX_PAGE } from './wire.ts';

/** What is used of the leases of a fleet. */
export interface FleetSource {
  /** Shows the fleet: its processes, and at most `limit` slots whose name contains `q`. */
  look(query: { readonly q: string; readonly limit: number }): Promise<FleetSeen>;
}

/**
 * A look: as the page has it, but for its fences.
 *
 * @inline
 */
interface FleetSeen {
  /** Its processes, by name. */
  readonly processes: readonly FleetProcessRow[];
  /** Slots that are held or waited for, by name. */
  readonly slots: readonly (Omit<FleetSlotRow, 'fence'> & {
    /** The fence of the latest grant. */
    readonly fence: bigint;
  })[];
  /** There are more slots with such a name than these. */
  readonly more: boolean;
}

/** For so long after a read its page is the answer. */
const FRESH_MS = 5_000;
/**
 * For so long after a read its page is the answer while the next read is under way: a viewer who
 * asks all the time waits for no store.
 */
const KEPT_MS = 15_000;
/** How long an answer may take. */
const LIMIT_MS = 5_000;
/** The most queries that are kept. */
const MAX_QUERIES = 20;

const EMPTY = { processes: [], slots: [], more: false };

/** What is known of one query. */
interface Entry {
  /** The last page that could be read, with the error if that is not the last one. */
  page: FleetPage | undefined;
  /** When the last read ended, or took too long. */
  readMs: number;
  /** The read that is under way, or waits for those before it. */
  reading: Promise<FleetPage> | undefined;
}

export class FleetReader {
  readonly #source: FleetSource;
  readonly #clock: Clock;
  /** By query. The query that was asked last is at the end. */
  readonly #entries = new Map<string, Entry>();
  #lastRead: Promise<unknown> = Promise.resolve();
  #close: (error: Error) => void = () => {};
  readonly #closed: Promise<never>;
  #isClosed = false;

  /** @param clock whose timers need not keep the process alive. */
  constructor(source: FleetSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.#closed = new Promise((_, reject) => {
      this.#close = reject;
    });
    this.#closed.catch(() => {});
  }

  /**
   * The processes, and the first slots whose name contains `q`, as they were some seconds ago at
   * most. Where the fleet cannot be read it is the last page that could be, with the error. Rejects
   * after `close()` alone.
   */
  async page(q: string): Promise<FleetPage> {
    if (this.#isClosed) return this.#closed;
    const entry = this.#entryOf(q);
    if (entry === undefined) return this.#failed(undefined, 'too many different queries at once: ask again');
    const { page, readMs } = entry;
    const ageMs = this.#clock.now() - readMs;
    if (page !== undefined && ageMs < FRESH_MS) return page;
    entry.reading ??= this.#read(q, entry);
    return page !== undefined && ageMs < KEPT_MS ? page : this.#inTime(entry, entry.reading);
  }

  /** Rejects every promise of `page` that has not settled. */
  close(): void {
    this.#isClosed = true;
    this.#entries.clear();
    this.#close(new Error('the dashboard is closed'));
  }

  /** `undefined`: as many queries as are kept are being read. */
  #entryOf(q: string): Entry | undefined {
    const entry = this.#entries.get(q) ?? { page: undefined, readMs: 0, reading: undefined };
    this.#entries.delete(q);
    if (this.#entries.size >= MAX_QUERIES) {
      const [idle] = [...this.#entries].find(([, { reading }]) => reading === undefined) ?? [];
      if (idle === undefined) return undefined;
      this.#entries.delete(idle);
    }
    this.#entries.set(q, entry);
    return entry;
  }

  /** After the reads before it: a look that hangs is waited for, and not made a second time. */
  #read(q: string, entry: Entry): Promise<FleetPage> {
    const reading = this.#lastRead.then(async () => {
      if (this.#isClosed) return this.#closed;
      const page = await this.#look(q, entry);
      entry.reading = undefined;
      return this.#keep(entry, page);
    });
    this.#lastRead = reading.catch(() => {});
    return reading;
  }

  async #look(q: string, entry: Entry): Promise<FleetPage> {
    try {
      const { processes, slots, more } = await this.#source.look({ q, limit: MAX_PAGE });
      return plainPage({ processes, slots, more, at: this.#clock.wallNow() });
    } catch (error) {
      return this.#failed(entry.page, describe(error));
    }
  }

  #keep(entry: Entry, page: FleetPage): FleetPage {
    entry.page = page;
    entry.readMs = this.#clock.now();
    return page;
  }

  #failed(page: FleetPage | undefined, error: string): FleetPage {
    return { ...(page ?? { ...EMPTY, at: this.#clock.wallNow() }), error };
  }

  async #inTime(entry: Entry, reading: Promise<FleetPage>): Promise<FleetPage> {
    let stop = (): void => {};
    const late = new Promise<FleetPage>((resolve) => {
      const text = `the fleet could not be read within ${LIMIT_MS} ms`;
      stop = after(this.#clock, LIMIT_MS, () => resolve(this.#keep(entry, this.#failed(entry.page, text))));
    });
    try {
      return await Promise.race([reading, late, this.#closed]);
    } finally {
      stop();
    }
  }
}

/** As JSON can hold it, fences as text. @throws TypeError without a list of both. */
function plainPage(page: FleetSeen & Pick<FleetPage, 'at'>): FleetPage {
  const plain = plainPart(page);
  const lists = [field(plain, 'processes'), field(plain, 'slots')];
  const isRow = (row: unknown): boolean => typeof row === 'object' && row !== null;
  if (lists.every((rows) => Array.isArray(rows) && rows.every(isRow))) return plain as FleetPage;
  throw new TypeError('look() gave no processes and slots');
}
