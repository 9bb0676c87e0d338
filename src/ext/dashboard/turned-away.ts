// How many submissions were rejected lately because they lacked room or time.

import type { EventOf, RejectReason } from '../../index.ts';
import { levelOf, REJECT_REASONS } from '../../kit.ts';
import { SECONDS, Steps } from './series.ts';

export interface TurnedAwayLately {
  readonly count: number;
  /** 0 for each reason that a policy or a caller asked for, such as `slotBusy`. */
  readonly reasons: Readonly<Record<RejectReason, number>>;
  /** How long ago the newest was, in ms. `Infinity`: none is known. */
  readonly newestMs: number;
}

export class TurnedAway {
  readonly #seconds = new Steps<RejectReason>(REJECT_REASONS, 1_000, SECONDS);
  #newest = -Infinity;

  add(event: EventOf<'rejected'>): void {
    if (levelOf(event) !== 'warn') return;
    this.#seconds.add(event.at, event.reason);
    this.#newest = event.at;
  }

  /** In whole seconds, the one that is not over included. */
  lately(withinMs: number, now: number): TurnedAwayLately {
    const last = this.#seconds.stepAt(now);
    const newestMs = Math.max(0, now - this.#newest);
    // Most supervisors have none, and all that are watched are asked for each frame.
    const steps = newestMs < withinMs + 1_000 ? Math.min(Math.ceil(withinMs / 1_000), SECONDS) : 0;
    const countOf = (reason: RejectReason): number => {
      let count = 0;
      for (let i = 0; i < steps; i += 1) count += this.#seconds.get(last - i, reason);
      return count;
    };
    const counts = REJECT_REASONS.map((reason) => [reason, countOf(reason)] as const);
    return {
      count: counts.reduce((sum, [, n]) => sum + n, 0),
      reasons: Object.fromEntries(counts) as Record<RejectReason, number>,
      newestMs,
    };
  }
}
