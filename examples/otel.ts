// Shows: spans and metrics of OpenTelemetry. A request submits a sync, whose attempts are traces of
// their own, linked to the request. A resident feed starts a trace for each message.
// Run: node --import tsx examples/otel.ts

import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { restartable, Supervisor } from 'slotvisor';
import { otel, slotSpanProcessor } from 'slotvisor/otel';
import { VirtualClock } from 'slotvisor/testing';

// Your service registers its SDK. Here everything stays in memory.
const spans = new InMemorySpanExporter();
const figures = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter: figures });
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [slotSpanProcessor(), new SimpleSpanProcessor(spans)] }),
);
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
const tracer = trace.getTracer('example');

const clock = new VirtualClock(); // for this example; without it, a second takes a second
const supervisor = new Supervisor({ clock });
otel(supervisor); // this is all

tracer.startActiveSpan('PUT /tenants/acme', (request) => {
  supervisor.submit({
    slot: 'sync:acme',
    backoff: { firstMs: 500, jitter: 'none' },
    run: async (ctx) => {
      tracer.startSpan('fetch page').end();
      await ctx.sleep(20);
      if (ctx.attempt === 1) throw new TypeError('no answer');
      tracer.startSpan('save page').end();
    },
  });
  request.end(); // the answer is sent, and the sync goes on
});

// An attempt of a resident task may last for weeks. So no span is active in its body.
const feed = async () => tracer.startSpan('message').end();
supervisor.submit({ ...restartable(feed), slot: 'feed', vital: true });

await clock.advance(10_000);

const all = spans.getFinishedSpans();
const shown = ({ name, links, attributes }: ReadableSpan): string => {
  const submitter = all.find((one) => one.spanContext().spanId === links[0]?.context.spanId)?.name;
  const { 'slotvisor.attempt.outcome': outcome, 'error.type': error, 'slotvisor.slot.name': slot } = attributes;
  const parts = [outcome ?? slot, error, submitter && `linked to ${submitter}`];
  return [name, ...parts.filter((part) => part !== undefined)].join(', ');
};
for (const root of all.filter(({ parentSpanContext }) => parentSpanContext === undefined)) {
  console.log(shown(root));
  for (const child of all.filter((one) => one.parentSpanContext?.spanId === root.spanContext().spanId))
    console.log(`  ${child.name}`);
}

await reader.forceFlush();
for (const { metrics: found } of figures.getMetrics().at(-1)?.scopeMetrics ?? [])
  for (const { descriptor, dataPoints } of found)
    for (const { value, attributes } of dataPoints) {
      const { 'slotvisor.supervisor.name': _, 'slotvisor.group': group, ...rest } = attributes;
      const words = [group, ...Object.values(rest)].filter((word) => word !== undefined).join(', ');
      const count = typeof value === 'number' ? value : value.count;
      if (count > 0) console.log(`${descriptor.name}${words && ` (${words})`}: ${count}`);
    }

await reader.shutdown();
await supervisor.shutdown();
