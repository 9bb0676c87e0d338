// What the parts of one supervisor's engine share.

import type { Clock } from '../kernel/clock.ts';
import type { Gate } from '../kernel/gate.ts';
import type { LaterTurn } from '../kernel/later-turn.ts';
import type { LongJobs } from '../kernel/long-jobs.ts';
import type { TurnQueue } from '../kernel/turn-queue.ts';
import type { AttemptInfo } from '../model/task.ts';
import type { EventPublisher } from './events.ts';
import type { Ledger } from './ledger.ts';
import type { Probes } from './probes.ts';
import type { Unwatched } from './unwatched.ts';

/**
 * Wraps one attempt. `next` runs the body; await what it returns. Further calls of `next` return
 * the same run. An error that the wrapper throws after the body succeeded fails the attempt.
 */
export type AroundAttempt = (info: AttemptInfo, next: () => Promise<void>) => Promise<void>;

export interface Stopping {
  watchGrace(): void;
}

export interface Runtime {
  readonly clock: Clock;
  readonly random: () => number;
  readonly turns: TurnQueue;
  /**
   * Attempts that were asked to stop in this turn of the event loop. Those that have not ended by
   * the next one get a timer for their grace. A timer for each would be a tenth of the cost of a
   * replacement (measured: 11.1 us against 10.0).
   */
  readonly graces: LaterTurn<Stopping>;
  readonly jobs: LongJobs;
  readonly gate: Gate;
  readonly events: EventPublisher;
  readonly ledger: Ledger;
  readonly probes: Probes;
  readonly aroundAttempt: AroundAttempt | undefined;
  /** Undefined with `warnings: false`. */
  readonly unwatched: Unwatched | undefined;
}
