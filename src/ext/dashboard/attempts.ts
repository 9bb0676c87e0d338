// The last attempts of each slot, and its last failure. The slots that were heard of last are kept.
//
// An attempt ends with its event. That may name another submission than the begin did: an owner may
// leave a body that others share. Once no submission is left, the attempt has no further event, and
// events can be lost. Such an attempt is ended by the next one of its slot, or when its slot is
// looked at and has no body. Its `end` stays null then: how it ended is not known.

import type { EventOf } from '../../index.ts';
import { cut } from '../../kit.ts';
import { Latest } from './latest.ts';
import { ownText } from './own-text.ts';
import type { AttemptRow, SlotFailure } from './wire.ts';

/** The events that end an attempt, and how it ended. */
const ENDS = {
  attemptSucceeded: 'succeeded',
  attemptFailed: 'failed',
  attemptTimedOut: 'timedOut',
  attemptStalled: 'stalled',
  attemptCanceled: 'canceled',
} as const;

export type AttemptEnded = EventOf<keyof typeof ENDS>;

/** A timeline shows short texts. */
const MAX_MESSAGE = 200;

/** The names of an event, as they may be kept. */
export interface OwnSubject {
  readonly slot: string;
  readonly name: string;
}

interface Attempt {
  readonly id: string;
  readonly name: string;
  readonly attempt: number;
  readonly from: number;
  to: number | null;
  end: AttemptRow['end'];
  message: string | undefined;
  /** When a submission that had the body was `finished` before the attempt ended: the last one. */
  leftAt: number | undefined;
  hasOverrun: boolean;
}

interface SlotMemory {
  /** Oldest first. Only the last one can be without an end. */
  readonly attempts: Attempt[];
  lastFailure: SlotFailure | undefined;
}

export class Attempts {
  readonly #maxAttempts: number;
  readonly #slots: Latest<SlotMemory>;

  constructor({ slots, attempts }: { readonly slots: number; readonly attempts: number }) {
    this.#slots = new Latest(slots);
    this.#maxAttempts = attempts;
  }

  began({ at, id, attempt }: EventOf<'attemptStarted'>, subject: OwnSubject): void {
    this.#begin(id, attempt, at, subject);
  }

  ended(event: AttemptEnded, subject: OwnSubject): void {
    const { id, attempt, at, durationMs } = event;
    const last = this.#last(subject.slot);
    // Else it began before the recorder, or its begin was lost.
    const isKnown = last !== undefined && isOf(last, id) && last.attempt === attempt;
    const row = isKnown ? last : this.#begin(id, attempt, at - durationMs, subject);
    row.end = ENDS[event.type];
    row.to = row.from + durationMs; // the wall clock may have been set meanwhile
    if ('failure' in event) row.message = ownText(cut(event.failure.message, MAX_MESSAGE));
  }

  finished({ slot, id, at }: EventOf<'finished'>): void {
    const last = this.#last(slot);
    if (last !== undefined && isOf(last, id)) last.leftAt = at;
  }

  /** Whether this is the first `overrun` of the attempt: a kill that fails has another one. */
  overran({ slot, id }: EventOf<'overrun'>): boolean {
    const last = this.#last(slot);
    if (last === undefined || !isOf(last, id)) return true;
    const isFirst = !last.hasOverrun;
    last.hasOverrun = true;
    return isFirst;
  }

  failed(slot: string, failure: SlotFailure): void {
    this.#memoryOf(slot).lastFailure = failure;
  }

  lastFailureOf(slot: string): SlotFailure | undefined {
    return this.#slots.get(slot)?.lastFailure;
  }

  /**
   * Oldest first.
   *
   * @param hasBody whether a body is alive in the slot now.
   */
  of(slot: string, hasBody: boolean, now: number): AttemptRow[] {
    const last = this.#last(slot);
    if (last?.to === null && !hasBody) last.to = Math.max(last.from, last.leftAt ?? now);
    return (this.#slots.get(slot)?.attempts ?? []).map(
      ({ id, name, attempt, from, to, end, message }): AttemptRow =>
        message === undefined ? { id, name, attempt, from, to, end } : { id, name, attempt, from, to, end, message },
    );
  }

  #last(slot: string): Attempt | undefined {
    return this.#slots.get(slot)?.attempts.at(-1);
  }

  #begin(id: string, attempt: number, from: number, { slot, name }: OwnSubject): Attempt {
    const { attempts } = this.#memoryOf(slot);
    const last = attempts.at(-1);
    if (last?.to === null) last.to = Math.max(last.from, last.leftAt ?? from);
    const begun: Attempt = {
      id,
      name,
      attempt,
      from,
      to: null,
      end: null,
      message: undefined,
      leftAt: undefined,
      hasOverrun: false,
    };
    attempts.push(begun);
    if (attempts.length > this.#maxAttempts) attempts.shift();
    return begun;
  }

  /** The slot that was heard of longest ago makes room for a new one. */
  #memoryOf(slot: string): SlotMemory {
    return this.#slots.use(slot, () => ({ attempts: [], lastFailure: undefined }));
  }
}

/** Its end is not known, and it is an attempt of this submission, or was passed on to it. */
function isOf(last: Attempt, id: string): boolean {
  return last.end === null && (last.id === id || last.leftAt !== undefined);
}
