/**
 * `slotvisor/otel`: spans and metrics for OpenTelemetry. Each attempt gets one span, which is
 * linked to the span that was active at `submit`. The counters are those of `supervisor.stats()`.
 *
 * It imports `@opentelemetry/api` only. Without an SDK behind that API an attempt costs a look, and
 * nothing is made.
 *
 * @privateRemarks
 * Reading order: `options.ts` (the options), `otel.ts` (the function), `attempt-probe.ts` (one
 * attempt), `attempt-span.ts` and `error-type.ts` (its span), `instruments.ts` (the metrics),
 * `providers.ts` (what is registered behind the API), `attempt-context.ts` and `detached.ts` (what
 * a body sees).
 *
 * @module slotvisor/otel
 * @document README.md
 */

export {
  type AttemptIdentity,
  attemptOf,
  type SlotSpanProcessor,
  type StampedSpan,
  slotSpanProcessor,
} from './attempt-context.ts';
export { detached } from './detached.ts';
export type { OtelOptions, SpanMode } from './options.ts';
export { otel } from './otel.ts';
