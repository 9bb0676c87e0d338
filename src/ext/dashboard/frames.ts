// What the frames of one stream hold: the view that is shown, and the events since the last frame.

import { readEventKind, readSlotName, readStep, readText, readTypes, readView } from './params.ts';
import { readSlotQuery, type SlotQuery } from './query.ts';
import type { AllWatched, Watched } from './watched.ts';
import { type EventKind, MAX_EVENTS, type SeriesStep, type State, type Tail, type View } from './wire.ts';

/** How old the rows of schedules may be. */
const SCHEDULES_MS = 1_000;

/** What the viewer of a stream looks at. */
interface Look {
  readonly view: View;
  readonly query: SlotQuery;
  readonly slot: string | undefined;
  readonly step: SeriesStep;
  readonly filter: { readonly kind: EventKind; readonly types?: ReadonlySet<string> };
  readonly q: string;
}

export class Frames {
  readonly #watched: Watched;
  readonly #everything: AllWatched;
  readonly #look: Look;
  #last = '';
  #cursor: number;
  /** Events may have been lost before the first frame. */
  #hasGap: boolean;
  #hasBegun = false;

  /** @throws OptionError for a bad parameter. */
  constructor(watched: Watched, everything: AllWatched, params: URLSearchParams, lastId: string | null) {
    this.#watched = watched;
    this.#everything = everything;
    const types = readTypes(params);
    this.#look = {
      view: readView(params),
      query: readSlotQuery(params),
      slot: readSlotName(params, 'slot'),
      step: readStep(params),
      filter: { kind: readEventKind(params), ...(types && { types }) },
      q: readText(params),
    };
    // The header is newer: a browser that connects again asks for the same address again.
    const since = lastId ?? params.get('since');
    const seq = since === null ? undefined : this.#seqOf(since);
    this.#cursor = seq ?? watched.recorder.seq;
    this.#hasGap = since !== null && seq === undefined;
  }

  /** The next frame. */
  async next(): Promise<string> {
    const state = await this.#state();
    // The page counts times itself, so a frame in which only they differ is no news.
    const { summary, page } = state;
    const timeless = { ...state, summary: { ...summary, now: 0, process: 0 }, page: { ...page, at: 0 } };
    const news = JSON.stringify(timeless);
    const isNews = news !== this.#last;
    this.#last = news;
    const events = this.#look.view === 'events' ? this.#events() : '';
    const text = `${isNews ? message('state', state) : ''}${events}`;
    return text === '' ? ': quiet\n\n' : text;
  }

  async #state(): Promise<State> {
    const { view, query, slot, step, q } = this.#look;
    const watched = this.#watched;
    const ageMs = watched.streamAgeMs;
    const fleet = view === 'fleet' ? await this.#everything.fleetPage(q) : undefined;
    const [summary, page] = await Promise.all([
      this.#everything.summary(watched, ageMs),
      view === 'slots' ? watched.page(query, ageMs) : undefined,
    ]);
    const detail = slot === undefined ? undefined : watched.detail(slot);
    return {
      summary,
      series: watched.recorder.series(step, this.#everything.now),
      ...(page && { page }),
      ...(detail && { slot: detail }),
      ...(view === 'failures' && { problems: watched.recorder.problems() }),
      ...(view === 'schedules' && { schedules: watched.scheduleRows(SCHEDULES_MS) }),
      ...(fleet && { fleet }),
    };
  }

  /** The first one is never left out: its id is where a reader goes on that is cut off at once. */
  #events(): string {
    const { recorder } = this.#watched;
    const found = recorder.after(this.#cursor, this.#look.filter, MAX_EVENTS);
    this.#cursor = recorder.seq;
    const tail: Tail = this.#hasGap ? { ...found, gap: true } : found;
    const isNews = tail.gap || tail.events.length > 0 || !this.#hasBegun;
    this.#hasGap = false;
    this.#hasBegun = true;
    return isNews ? `id: ${this.#everything.epoch}-${this.#cursor}\n${message('events', tail)}` : '';
  }

  /** Undefined: of another start of the process, or of another supervisor. */
  #seqOf(id: string): number | undefined {
    const [, epoch, seq] = /^(\w+)-(\d{1,15})$/.exec(id) ?? [];
    const isKnown = epoch === this.#everything.epoch && Number(seq) <= this.#watched.recorder.seq;
    return isKnown ? Number(seq) : undefined;
  }
}

const message = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
