// The outcomes that many tests expect.

import type { Outcome, RejectReason, ShutdownReport, Submission } from 'slotvisor';
import { OUTCOME_KINDS } from '../../src/model/outcome.ts';

export const completed = (value: unknown, attempts = 1): Outcome => ({ kind: 'completed', value, attempts });

/** `by`: the submission that the rejection names. */
export const rejected = (reason: RejectReason, by?: Submission): Outcome => ({
  kind: 'rejected',
  reason,
  ...(by !== undefined && { by: by.id }),
});

/** The outcome of a running task that a shutdown stopped. */
export const stoppedByShutdown: Outcome = { kind: 'canceled', by: 'shutdown', attempts: 1 };

/** The counts of a shutdown report without tasks. */
export const ZERO_COUNTS = Object.fromEntries(OUTCOME_KINDS.map((kind) => [kind, 0])) as ShutdownReport['counts'];
