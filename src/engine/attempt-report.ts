// What a probe learns of the end of an attempt, in the words of the attempt's event.

import type { Failure } from '../model/failure.ts';
import { type AttemptEndKind, type AttemptReport, AttemptReportRecord } from '../model/probe.ts';
import type { AttemptEnd } from '../policy/restart.ts';
import type { Proof } from './attempt.ts';

const FAILURE_ENDS = { thrown: 'failed', exited: 'failed', timedOut: 'timedOut', stalled: 'stalled' } as const;

export function attemptReport({ kind, failure }: AttemptEnd, proof: Proof, durationMs: number): AttemptReport {
  const end = proof === 'settled' ? endKind(kind, failure) : proof;
  return Object.freeze(new AttemptReportRecord(end, durationMs, failure));
}

function endKind(kind: AttemptEnd['kind'], failure: Failure | undefined): AttemptEndKind {
  if (kind === 'value') return 'succeeded';
  return kind === 'failure' && failure !== undefined ? FAILURE_ENDS[failure.kind] : 'canceled';
}
