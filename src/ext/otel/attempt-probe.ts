// Watches the attempts of one supervisor: a span and two histogram values for each.

import { context } from '@opentelemetry/api';
import type { AttemptProbe, Probe, ProbedAttempt, Supervisor } from '../../index.ts';
import { Groups, ignored } from '../../kit.ts';
import { withAttempt } from './attempt-context.ts';
import { bodyContext, endSpan, startSpan } from './attempt-span.ts';
import { Instruments } from './instruments.ts';
import { type OtelSettings, readMode, type SpanMode } from './options.ts';
import { Metered, Tracers } from './providers.ts';

export class AttemptProbes implements Probe {
  readonly name = 'otel';
  readonly #settings: OtelSettings;
  readonly #groups: Groups;
  readonly #tracers: Tracers;
  /** Undefined with `metrics: false`. */
  readonly #instruments: Metered<Instruments> | undefined;

  constructor(supervisor: Supervisor, settings: OtelSettings) {
    const { name, metrics, tracerProvider, meterProvider, group, maxGroups } = settings;
    this.#settings = settings;
    this.#groups = new Groups({ group: (slot) => ignored(group(slot)), maxGroups });
    this.#tracers = new Tracers(tracerProvider);
    if (metrics) {
      this.#instruments = new Metered(meterProvider, (meter) => new Instruments(meter, supervisor, name));
      void this.#instruments.current; // the counters are there before the first attempt
    }
  }

  attempt(attempt: ProbedAttempt): AttemptProbe | undefined {
    const tracer = this.#tracers.current;
    const instruments = this.#instruments?.current;
    if (tracer === undefined && instruments === undefined) return undefined; // no SDK
    const { name, recordException } = this.#settings;
    const group = this.#groups.of(attempt.slot);
    const mode = this.#modeOf(attempt);
    instruments?.began(attempt, group);
    const submitter = context.active();
    const span =
      tracer && mode !== 'none' ? startSpan(tracer, submitter, { supervisor: name, group, attempt, mode }) : undefined;
    const inner = withAttempt(span ? bodyContext(submitter, span, mode) : submitter, attempt);
    return {
      run: (body) => context.with(inner, body),
      ended(report) {
        try {
          if (span) endSpan(span, report, recordException);
        } finally {
          instruments?.ended(report, group);
        }
      },
    };
  }

  #modeOf(attempt: ProbedAttempt): Exclude<SpanMode, 'auto'> {
    const { spans } = this.#settings;
    const mode = typeof spans === 'function' ? readMode('spans', ignored(spans(attempt))) : spans;
    if (mode !== 'auto') return mode;
    return attempt.resident ? 'detached' : 'link';
  }

  /** Attempts that it watches are watched to their end. */
  end(): void {
    this.#instruments?.end();
  }
}
