// Time zones: which local time a zone shows at a moment. A local time is written as the epoch ms at
// which UTC shows it. So a local time minus the offset of the zone is a moment.

import { Cron, CronDate } from 'croner';
import { bare } from '../../kit.ts';
import { Shared } from './shared.ts';

export const SECOND = 1_000;
export const DAY = 86_400_000;

/** A piece of time in which a zone has one offset from UTC. */
export interface Span {
  /** The first moment, epoch ms. */
  readonly start: number;
  /** The first moment after it. */
  readonly end: number;
  /** Local time minus UTC, in ms. */
  readonly offset: number;
  /** The offset one second before `start`. */
  readonly before: number;
}

/**
 * A zone is read in pieces of this length, and each is kept. A piece whose two ends have one offset
 * has no transition. There are a week or more between two transitions of any zone since 1970.
 */
const PIECE_MS = 4 * DAY;
/** Pieces that a zone keeps: 22 years. */
const MAX_PIECES = 2_000;

const zones = new Shared<Zone>();

export class Zone {
  /** The zone with this name. If `undefined`: the zone whose local time `Date` shows. */
  static of(name: string | undefined): Zone {
    return name === undefined ? new Zone(name) : zones.get(name, () => new Zone(name));
  }

  readonly #name: string | undefined;
  readonly #pieces = new Map<number, readonly Span[]>();

  private constructor(name: string | undefined) {
    this.#name = name;
  }

  /** The span that `ms` is in. At its ends the offset may go on. */
  spanAt(ms: number): Span {
    const index = Math.floor(ms / PIECE_MS);
    let piece = this.#pieces.get(index);
    if (piece === undefined) {
      if (this.#pieces.size >= MAX_PIECES) this.#pieces.clear();
      piece = this.#read(index * PIECE_MS);
      this.#pieces.set(index, piece);
    }
    return piece.find((span) => ms < span.end) as Span;
  }

  /**
   * Begins a day early, so that the span of each moment of the piece tells which local times were
   * shown shortly before.
   */
  #read(pieceStart: number): Span[] {
    const end = pieceStart + PIECE_MS;
    let start = pieceStart - DAY;
    let offset = this.#offsetAt(start);
    let before = offset;
    const spans: Span[] = [];
    for (const at of this.#transitions(start, offset, end - SECOND, this.#offsetAt(end - SECOND))) {
      spans.push({ start, end: at, offset, before });
      [start, before, offset] = [at, offset, this.#offsetAt(at)];
    }
    spans.push({ start, end, offset, before });
    return spans;
  }

  /** The moments in (low, high] at which the offset changes, found by halving. */
  #transitions(low: number, lowOffset: number, high: number, highOffset: number): number[] {
    if (lowOffset === highOffset) return [];
    if (high - low <= SECOND) return [high];
    const middle = low + Math.floor((high - low) / 2 / SECOND) * SECOND;
    const offset = this.#offsetAt(middle);
    return [
      ...this.#transitions(low, lowOffset, middle, offset),
      ...this.#transitions(middle, offset, high, highOffset),
    ];
  }

  #offsetAt(ms: number): number {
    const date = new CronDate(new Date(ms), this.#name);
    date.tz = 0; // now its fields are read as UTC
    return date.getTime() - ms;
  }
}

/**
 * The moment of a local date and time, given as text without an offset. If a zone transition skips
 * that time, the moment is moved forward past the gap. If a transition repeats it, the first one
 * counts.
 */
export function localInstantMs(text: string, timezone: string | undefined): number {
  const [whole = '', fraction = '0'] = text.split('.');
  const date = new Cron(whole, bare({ paused: true, ...(timezone !== undefined && { timezone }) })).getOnce();
  if (date === null) throw new TypeError('not a date');
  return date.getTime() + Math.floor(Number(`0.${fraction}`) * 1_000);
}
