// The options of `otel`: their types, defaults and readers.

import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import type { ProbedAttempt } from '../../index.ts';
import {
  aBoolean,
  anObjectWith,
  GROUP_DEFAULTS,
  GROUP_READERS,
  type GroupOptions,
  nameText,
  oneOf,
  parse,
  type Readers,
} from '../../kit.ts';

/**
 * Where the span of an attempt stands.
 *
 * - `link`: a trace of its own, linked to the span that was active at `submit`. The span is active
 *   in the body.
 * - `child`: a child of the span that was active at `submit`, without a link. The span is active in
 *   the body.
 * - `detached`: as `link`, but no span is active in the body: what the body starts are traces of
 *   their own. For a body that runs for days.
 * - `none`: there is no span. The body sees the context of its submitter as it is.
 * - `auto`: `detached` if the attempt is `resident`, else `link`. An attempt is resident if its
 *   task is `vital` or has a finite `stableMs`.
 */
export type SpanMode = 'auto' | 'link' | 'child' | 'detached' | 'none';

export const SPAN_MODES = ['auto', 'link', 'child', 'detached', 'none'] as const satisfies readonly SpanMode[];

type ModeOf = (attempt: ProbedAttempt) => SpanMode;

/** Options of `otel`. An option given as `undefined` counts as absent. */
export interface OtelOptions extends GroupOptions {
  /** The mode of all spans, or a function that returns that of an attempt. Default `auto`. */
  readonly spans?: SpanMode | ((attempt: ProbedAttempt) => SpanMode) | undefined;
  /** Whether there are metrics. Default true. */
  readonly metrics?: boolean | undefined;
  /**
   * The name of the supervisor, as the attribute `slotvisor.supervisor.name`. Supervisors that
   * share a MeterProvider need different names. 1 to 1,024 UTF-16 units. Default `default`.
   */
  readonly name?: string | undefined;
  /** Where the spans go. Default: the global one, whenever it is registered. */
  readonly tracerProvider?: TracerProvider | undefined;
  /**
   * Where the metrics go. Default: the global one. A provider that is registered later is found at
   * the next attempt.
   */
  readonly meterProvider?: MeterProvider | undefined;
  /**
   * Whether a thrown Error is recorded as the event `exception` of the span. Default: true, unless
   * the environment variable `OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN` is `logs`.
   */
  readonly recordException?: boolean | undefined;
}

export interface OtelSettings {
  readonly spans: SpanMode | ModeOf;
  readonly metrics: boolean;
  readonly name: string;
  readonly group: (slot: string) => string;
  readonly maxGroups: number;
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
  readonly recordException: boolean;
}

const READERS: Readers<OtelSettings> = {
  ...GROUP_READERS,
  spans: (field, value) => (typeof value === 'function' ? (value as ModeOf) : readMode(field, value)),
  metrics: aBoolean,
  name: nameText,
  tracerProvider: (field, value) => {
    anObjectWith('getTracer', field, 'must be a TracerProvider', value);
    return value as TracerProvider;
  },
  meterProvider: (field, value) => {
    anObjectWith('getMeter', field, 'must be a MeterProvider', value);
    return value as MeterProvider;
  },
  recordException: aBoolean,
};

/** The semantic conventions move exceptions from span events to logs. This asks for logs only. */
const EXCEPTIONS_AS_LOGS = 'OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN';

export function parseOtelOptions(options: unknown): OtelSettings {
  return parse('options', options, READERS, {
    ...GROUP_DEFAULTS,
    spans: 'auto',
    metrics: true,
    name: 'default',
    tracerProvider: undefined,
    meterProvider: undefined,
    recordException: process.env[EXCEPTIONS_AS_LOGS] !== 'logs',
  });
}

export function readMode(field: string, value: unknown): SpanMode {
  return oneOf(field, value, SPAN_MODES);
}
