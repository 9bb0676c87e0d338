// The span of one attempt: how it begins, what is active in the body, and how it ends.

import {
  type Context,
  isSpanContextValid,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { AttemptEndKind, AttemptReport, ProbedAttempt } from '../../index.ts';
import { identityAttributes } from './attempt-context.ts';
import { errorType, exceptionOf } from './error-type.ts';
import type { SpanMode } from './options.ts';

/** The values of `slotvisor.attempt.outcome`. */
export const ATTEMPT_OUTCOMES: Readonly<Record<AttemptEndKind, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  timedOut: 'timed_out',
  stalled: 'stalled',
  canceled: 'canceled',
  killed: 'killed',
  abandoned: 'abandoned',
};

export interface SpanStart {
  readonly supervisor: string;
  readonly group: string;
  readonly attempt: ProbedAttempt;
  readonly mode: Exclude<SpanMode, 'auto' | 'none'>;
}

/** `submitter`: the context in which the task was submitted. */
export function startSpan(tracer: Tracer, submitter: Context, { supervisor, group, attempt, mode }: SpanStart): Span {
  return tracer.startSpan(
    `attempt ${group}`,
    {
      kind: SpanKind.INTERNAL,
      root: mode !== 'child',
      links: mode === 'child' ? [] : linksTo(submitter),
      attributes: {
        'slotvisor.supervisor.name': supervisor,
        'slotvisor.group': group,
        ...identityAttributes(attempt),
        'slotvisor.attempt.wait_time': attempt.waitedMs / 1_000,
        ...(attempt.fence !== 0n && { 'slotvisor.slot.fence': `${attempt.fence}` }),
      },
    },
    submitter,
  );
}

function linksTo(submitter: Context): Link[] {
  const context = trace.getSpanContext(submitter);
  if (context === undefined || !isSpanContextValid(context)) return [];
  return [{ context, attributes: { 'slotvisor.link': 'submitter' } }];
}

/** The context of the body: that of the submitter, but for the span. */
export function bodyContext(submitter: Context, span: Span, mode: SpanMode): Context {
  return mode === 'detached' ? trace.deleteSpan(submitter) : trace.setSpan(submitter, span);
}

/** Ends the span also if it refuses what it is told. */
export function endSpan(span: Span, report: AttemptReport, recordException: boolean): void {
  try {
    describeEnd(span, report, recordException);
  } finally {
    span.end();
  }
}

function describeEnd(span: Span, report: AttemptReport, recordException: boolean): void {
  span.setAttribute('slotvisor.attempt.outcome', ATTEMPT_OUTCOMES[report.end]);
  const type = errorType(report);
  if (type === undefined) return;
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: report.failure?.message ?? 'overran its grace' });
  const exception = recordException ? exceptionOf(report.failure) : undefined;
  if (exception !== undefined) span.recordException(exception);
}
