// How many submissions were rejected lately because they lacked room or time.

import type { EventOf, RejectReason } from '../../index.ts';
import { levelOf, REJECT_REASONS } from '../../kit.ts';
import { SECONDS, Steps } from './series.ts';

/** 0 for each reason that a policy or a caller asked for, such as `slotBusy`. */
export type TurnedAwayLately = Readonly<Record<RejectReason, number>>;

export class TurnedAway {
  readonly #seconds = new Steps<RejectReason>(REJECT_REASONS, 1_000, SECONDS);
  #newest = -Infinity;

  add(event: EventOf<'rejected'>): void {
    if (levelOf(event) !== 'warn') return;
    this.#seconds.add(event.at, event.reason);
    this.#newest = event.at;
  }

  /** Counts whole seconds, and the present second. */
  lately(withinMs: number, now: number): TurnedAwayLately {
    const last = this.#seconds.stepAt(now);
    // Most supervisors have none, and all that are watched are asked for each frame.
    const isRecent = now - this.#newest < withinMs + 1_000;
    const steps = isRecent ? Math.min(Math.ceil(withinMs / 1_000), SECONDS) : 0;
    const countOf = (reason: RejectReason): number => {
      let count = 0;
      for (let i = 0; i < steps; i += 1) count += this.#seconds.get(last - i, reason);
      return count;
    };
    return Object.fromEntries(REJECT_REASONS.map((reason) => [reason, countOf(reason)])) as TurnedAwayLately;
  }
}
