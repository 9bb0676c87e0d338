// The connection to the server: one stream carries all that is shown. It comes back by itself.

import type { ErrorAnswer, State, Tail } from '../wire.ts';
import { goOn, hearTime, stopTime } from './clock.tsx';
import { type EventList, NO_EVENTS, withRemembered, withTail } from './event-list.ts';
import { type Frame, FrameReader } from './frames.ts';

/** A server that says nothing for so long, or for so many of its ticks, does not answer. */
const SILENT_MS = 2_800;
const SILENT_TICKS = 2.5;
/** After this time more, another connection is tried. */
const GIVEN_UP_MS = 7_000;
const AGAIN_MS = 1_000;
/** After an answer that trying again does not change. */
const REFUSED_AGAIN_MS = 10_000;
/** The most events that the live list has. */
export const MAX_LIVE = 100;

export interface Shown {
  readonly state?: State;
  /** What `state` is the answer to. */
  readonly answered?: string;
  readonly link: 'connecting' | 'live' | 'lost' | 'refused';
  /** Why it is refused. */
  readonly message?: string;
  /** When another process than before answered, by its clock. */
  readonly restartedAt?: number;
  readonly events: EventList;
  /** Another one each time that the stream begins: what is remembered is asked for then. */
  readonly connection: number;
}

const AT_FIRST: Shown = { link: 'connecting', events: NO_EVENTS, connection: 0 };

export class Live {
  #shown: Shown = AT_FIRST;
  #query = '';
  #lastId = '';
  #abort: AbortController | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setTimeout> | undefined;
  readonly #onChange: (shown: Shown) => void;

  constructor(onChange: (shown: Shown) => void) {
    this.#onChange = onChange;
  }

  get shown(): Shown {
    return this.#shown;
  }

  /** Asks for what another place of the page shows. What is shown stays until the answer. */
  open(query: string, isOtherList: boolean): void {
    this.#query = query;
    if (isOtherList) {
      this.#lastId = '';
      this.#show({ events: NO_EVENTS });
    }
    this.#connect();
  }

  close(): void {
    this.#abort?.abort();
    clearTimeout(this.#again);
    clearTimeout(this.#watch);
  }

  remember(events: Tail['events'], max: number): void {
    this.#show({ events: withRemembered(this.#shown.events, events, max) });
  }

  forgetRestart(): void {
    const { restartedAt: _, ...rest } = this.#shown;
    this.#shown = rest;
    this.#onChange(rest);
  }

  #show(change: Partial<Shown>): void {
    this.#shown = { ...this.#shown, ...change };
    this.#onChange(this.#shown);
  }

  #connect(): void {
    this.close();
    const abort = new AbortController();
    this.#abort = abort;
    this.#heard(abort);
    this.#read(abort).then(
      () => this.#ended(abort, { link: 'lost' }, AGAIN_MS),
      () => this.#ended(abort, { link: 'lost' }, AGAIN_MS),
    );
  }

  async #read(abort: AbortController): Promise<void> {
    const query = this.#query;
    const since = this.#lastId === '' ? '' : `&since=${encodeURIComponent(this.#lastId)}`;
    const response = await fetch(`api/stream?${query}${since}`, { signal: abort.signal });
    if (!response.ok || response.body === null) {
      const answer: ErrorAnswer | undefined = await response.json().catch(() => undefined);
      const message = answer?.error.message ?? `The server answered ${response.status}.`;
      return this.#ended(abort, { link: 'refused', message }, REFUSED_AGAIN_MS);
    }
    this.#show({ connection: this.#shown.connection + 1 });
    const frames = new FrameReader();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || abort.signal.aborted) return;
      this.#heard(abort);
      goOn();
      for (const frame of frames.read(value)) this.#take(frame, query);
      if (this.#shown.link === 'lost' && this.#shown.state !== undefined) this.#show({ link: 'live' });
    }
  }

  /** Each word of the server, also one without news, shows that it is there. */
  #heard(abort: AbortController): void {
    clearTimeout(this.#watch);
    const silentMs = Math.max(SILENT_MS, SILENT_TICKS * (this.#shown.state?.summary.tickMs ?? 0));
    this.#watch = setTimeout(() => {
      stopTime();
      this.#show({ link: 'lost' });
      this.#watch = setTimeout(() => this.#ended(abort, { link: 'lost' }, 0), GIVEN_UP_MS);
    }, silentMs);
  }

  #ended(abort: AbortController, change: Partial<Shown>, againMs: number): void {
    if (abort !== this.#abort || abort.signal.aborted) return;
    this.close();
    stopTime();
    this.#show(change);
    this.#again = setTimeout(() => this.#connect(), againMs);
  }

  #take({ event, data, id }: Frame, query: string): void {
    if (event === 'events') {
      if (id !== undefined) this.#lastId = id;
      this.#show({ events: withTail(this.#shown.events, JSON.parse(data) as Tail, MAX_LIVE) });
      return;
    }
    if (event !== 'state') return;
    const state = JSON.parse(data) as State;
    const { now, epoch } = state.summary;
    hearTime(now);
    const before = this.#shown.state?.summary.epoch;
    const isOther = before !== undefined && before !== epoch;
    this.#show({ state, answered: query, link: 'live', ...(isOther && { restartedAt: now, events: NO_EVENTS }) });
  }
}
