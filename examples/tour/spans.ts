// The spans of the tour's own work, made as any application makes them. slotvisor/otel adds the
// spans of the attempts around them.

import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

const exporter = new InMemorySpanExporter();

/** What a service does at its start, with an exporter that sends its spans. */
export function startTracing(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
}

/** Does the work in a span, whose parent is the active one. */
export function inSpan<T>(name: string, work: () => Promise<T>): Promise<T> {
  return trace.getTracer('tour').startActiveSpan(name, (span) => work().finally(() => span.end()));
}

/** An attempt that has ended, and the spans in it. The first one of those that have the most. */
export function drawTrace(): string[] {
  const spans = exporter.getFinishedSpans();
  const partsOf = (root: ReadableSpan) =>
    spans.filter((span) => span.parentSpanContext?.spanId === root.spanContext().spanId);
  const attempts = spans.filter(({ name }) => name.startsWith('attempt '));
  const [root] = attempts.sort((a, b) => partsOf(b).length - partsOf(a).length);
  if (root === undefined) return [];
  const { 'slotvisor.task.name': task, 'slotvisor.attempt.outcome': outcome } = root.attributes;
  const parts = partsOf(root);
  return [
    `${row(`${root.name}: ${task}`, root)}  ${outcome}`,
    ...parts.map((part, i) => row(`${i === parts.length - 1 ? '└─' : '├─'} ${part.name}`, part)),
  ];
}

function row(label: string, { duration: [seconds, nanos] }: ReadableSpan): string {
  return `${label.padEnd(34)}${`${Math.round(seconds * 1_000 + nanos / 1e6)} ms`.padStart(9)}`;
}
