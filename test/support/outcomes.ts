// The outcomes that many tests expect.

import type { Outcome, RejectReason, ShutdownReport, Submission } from 'slotvisor';

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
export const ZERO_COUNTS: ShutdownReport['counts'] = {
  completed: 0,
  failed: 0,
  fatal: 0,
  canceled: 0,
  killed: 0,
  abandoned: 0,
  rejected: 0,
};
