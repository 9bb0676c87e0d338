// A supervisor on a virtual clock, watched with the real SDK. What was exported stays in memory.

import { type Attributes, context, type Tracer } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  type DataPoint,
  type Histogram,
  MeterProvider,
  type MeterProviderOptions,
  MetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { Supervisor, type SupervisorOptions } from 'slotvisor';
import { type OtelOptions, otel, slotSpanProcessor } from 'slotvisor/otel';
import { VirtualClock } from 'slotvisor/testing';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

/** Collects when a test asks. */
class TestReader extends MetricReader {
  protected async onForceFlush() {}
  protected async onShutdown() {}
}

export interface Point<T = number> {
  readonly attributes: Attributes;
  readonly value: T;
}

export interface Traces {
  readonly provider: BasicTracerProvider;
  /** That of the test's own spans. */
  readonly tracer: Tracer;
  /** All ended spans, or those of this name. */
  spans(name?: string): ReadableSpan[];
  /** The only ended span of this name. */
  span(name: string): ReadableSpan;
}

export function traces(): Traces {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [slotSpanProcessor(), new SimpleSpanProcessor(exporter)],
  });
  const spans = (name?: string) =>
    exporter.getFinishedSpans().filter((span) => name === undefined || span.name === name);
  return {
    provider,
    tracer: provider.getTracer('test'),
    spans,
    span(name) {
      const [span, ...more] = spans(name);
      if (span === undefined || more.length > 0) throw new Error(`not one span "${name}", but ${spans(name).length}`);
      return span;
    },
  };
}

export interface Metrics {
  readonly provider: MeterProvider;
  /** Every value of every metric, collected now. */
  collect(): Promise<ReadonlyMap<string, readonly Point<number | Histogram>[]>>;
  /** The values of a counter, collected now, without the name of the supervisor. */
  counts(name: string): Promise<Point[]>;
  histogram(name: string): Promise<Point<Histogram>[]>;
}

export function metrics(options: MeterProviderOptions = {}): Metrics {
  const reader = new TestReader();
  const provider = new MeterProvider({ ...options, readers: [reader] });
  const collect = async () => {
    const { resourceMetrics, errors } = await reader.collect();
    if (errors.length > 0) throw errors[0];
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics: found }) => found);
    return new Map(
      all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints as DataPoint<number | Histogram>[]]),
    );
  };
  const pointsOf = async (name: string) => (await collect()).get(name) ?? [];
  return {
    provider,
    collect,
    counts: async (name) => (await pointsOf(name)) as Point[],
    histogram: async (name) => (await pointsOf(name)) as Point<Histogram>[],
  };
}

export interface World extends Traces {
  readonly clock: VirtualClock;
  readonly supervisor: Supervisor;
  readonly metrics: Metrics;
  /** Ends the first call of `otel`. */
  readonly end: () => void;
}

export function world(options: OtelOptions = {}, given: SupervisorOptions = {}): World {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock, ...given });
  const traced = traces();
  const measured = metrics();
  const end = otel(supervisor, { tracerProvider: traced.provider, meterProvider: measured.provider, ...options });
  return { ...traced, clock, supervisor, metrics: measured, end };
}
