// What a supervisor that `otel` watches shows, from its options to what an SDK exports.

import { trace } from '@opentelemetry/api';
import { Supervisor } from 'slotvisor';
import { attemptOf, type OtelOptions, otel } from 'slotvisor/otel';
import { recordEvents, seededRandom, VirtualClock } from 'slotvisor/testing';
import { workerTask } from 'slotvisor/worker';
import { describe, expect, it } from 'vitest';
import { metrics, traces, world } from './world.ts';

describe('a span', () => {
  it('of each of 50 interleaved attempts is a root, linked to its own submitter, with its own children', async () => {
    const { supervisor, clock, span, spans, tracer } = world();
    const random = seededRandom(1);
    for (let i = 0; i < 50; i += 1)
      tracer.startActiveSpan(`request ${i}`, (request) => {
        supervisor.submit({
          slot: `sync:${i % 7}`,
          restart: 'never',
          run: async (ctx) => {
            const active = trace.getActiveSpan();
            await ctx.sleep(random() * 5);
            expect(trace.getActiveSpan()).toBe(active);
            expect(attemptOf()?.id).toBe(ctx.id);
            tracer.startActiveSpan(`query ${i}`, (query) => query.end());
          },
        });
        request.end();
      });
    await clock.advance(1_000);
    const attempts = spans('attempt sync');
    expect(attempts).toHaveLength(50);
    expect(new Set(attempts.map((one) => one.spanContext().traceId)).size).toBe(50);
    for (let i = 0; i < 50; i += 1) {
      const [submitter, query] = [span(`request ${i}`).spanContext(), span(`query ${i}`)];
      const own = attempts.filter(({ links }) => links[0]?.context.spanId === submitter.spanId);
      expect(own.map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined]);
      expect(own[0]?.spanContext().traceId).not.toBe(submitter.traceId);
      expect(query.parentSpanContext?.spanId).toBe(own[0]?.spanContext().spanId);
      expect(query.attributes['slotvisor.slot.name']).toBe(`sync:${i % 7}`);
    }
  });

  it('of each retry is a trace of its own, found by the task id', async () => {
    const { supervisor, clock, spans } = world();
    const active: unknown[] = [];
    const { id } = supervisor.submit({
      slot: 'flaky',
      backoff: { firstMs: 1, jitter: 'none' },
      run: (ctx) => {
        active.push(trace.getActiveSpan()?.spanContext().spanId);
        if (ctx.attempt < 3) throw new TypeError('not yet');
      },
    });
    await clock.advance(1_000);
    const tries = spans().filter(({ attributes }) => attributes['slotvisor.task.id'] === id);
    expect(tries.map(({ attributes }) => attributes['slotvisor.attempt.number'])).toEqual([1, 2, 3]);
    expect(tries.map((span) => span.spanContext().spanId)).toEqual(active);
    expect(tries.map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined, undefined, undefined]);
    expect(new Set(tries.map((span) => span.spanContext().traceId)).size).toBe(3);
  });

  it('is ended once where the body was killed or abandoned, also if the body ends later', async () => {
    const { supervisor, clock, spans } = world();
    const endings: (() => void)[] = [];
    const stubborn = () => new Promise<void>((resolve) => endings.push(resolve));
    supervisor.submit({ slot: 'killed', graceMs: 10, run: { run: stubborn, kill: () => {} } });
    supervisor.submit({ slot: 'abandoned', graceMs: 10, onOverrun: 'abandon', run: stubborn });
    await clock.settle();
    for (const { owner } of supervisor.slots()) if (owner) void supervisor.cancel(owner.id);
    await clock.advance(9);
    expect(spans()).toEqual([]);
    await clock.advance(1_000);
    for (const end of endings) end();
    await clock.advance(1_000);
    expect(
      spans().map(({ name, attributes, ended }) => [name, attributes['slotvisor.attempt.outcome'], ended]),
    ).toEqual([
      ['attempt killed', 'killed', true],
      ['attempt abandoned', 'abandoned', true],
    ]);
  });

  it('of an attempt in a thread is like any other', async () => {
    const supervisor = new Supervisor();
    const { provider, span } = traces();
    otel(supervisor, { tracerProvider: provider, metrics: false });
    const module = 'data:text/javascript,export default () => 42';
    expect(await supervisor.submit({ slot: 'sum', run: workerTask<number>(new URL(module)) }).value()).toBe(42);
    expect(span('attempt sum').attributes['slotvisor.attempt.outcome']).toBe('succeeded');
  });
});

describe('the returned function', () => {
  it('ends the watching: later attempts have no span, and the counters stay as they were', async () => {
    const { supervisor, clock, spans, metrics: measured, end } = world();
    supervisor.submit({ slot: 'a', run: () => {} });
    await clock.settle();
    expect(await measured.counts('slotvisor.attempts')).toMatchObject([{ value: 1 }]);
    end();
    end();
    supervisor.submit({ slot: 'b', run: () => {} });
    await clock.settle();
    expect(spans().map(({ name }) => name)).toEqual(['attempt a']);
    // The SDK repeats the last value that it was given.
    expect(await measured.counts('slotvisor.attempts')).toMatchObject([{ value: 1 }]);
  });

  it('leaves the spans that were begun to the end of their attempts', async () => {
    const { supervisor, clock, spans, metrics: measured, end } = world();
    supervisor.submit({ slot: 'a', run: (ctx) => ctx.sleep(100) });
    await clock.settle();
    end();
    expect(spans()).toEqual([]);
    await clock.advance(1_000);
    expect(spans()).toHaveLength(1);
    expect(await measured.histogram('slotvisor.attempt.duration')).toMatchObject([{ value: { count: 1 } }]);
  });
});

it('two calls for one supervisor are independent, and one span is within the other', async () => {
  const { supervisor, clock, span, tracer, end } = world({ spans: 'child' });
  const [second, measured] = [traces(), metrics()];
  otel(supervisor, { spans: 'child', tracerProvider: second.provider, meterProvider: measured.provider });
  supervisor.submit({ slot: 'a', run: () => tracer.startSpan('query').end() });
  await clock.settle();
  expect(span('query').parentSpanContext?.spanId).toBe(second.span('attempt a').spanContext().spanId);
  expect(span('attempt a').parentSpanContext).toBeUndefined();
  end();
  supervisor.submit({ slot: 'b', run: () => {} });
  await clock.settle();
  expect(second.spans('attempt b')).toHaveLength(1);
  expect(await measured.counts('slotvisor.attempts')).toMatchObject([{ value: 2 }]);
});

it('two supervisors share the providers, and are told apart by name', async () => {
  const { supervisor, clock, spans, provider, metrics: measured } = world({ name: 'first' });
  const other = new Supervisor({ clock });
  otel(other, { name: 'second', tracerProvider: provider, meterProvider: measured.provider });
  for (const one of [supervisor, other, other]) one.submit({ slot: 'a', run: () => {} });
  await clock.advance(10);
  const NAME = 'slotvisor.supervisor.name';
  expect(spans('attempt a').map(({ attributes }) => attributes[NAME])).toEqual(['first', 'second', 'second']);
  const attempts = await measured.counts('slotvisor.attempts');
  expect(attempts.map(({ attributes, value }) => [attributes[NAME], value])).toEqual([
    ['first', 1],
    ['second', 2],
  ]);
});

it('after a shutdown it does nothing', async () => {
  const supervisor = new Supervisor();
  await supervisor.shutdown();
  const { provider, collect } = metrics();
  const end = otel(supervisor, { meterProvider: provider });
  expect((await collect()).size).toBe(0);
  end();
});

const no = () => {
  throw new Error('no');
};
const rejected = () => Promise.reject(new Error('no')) as never;

it.for<[string, OtelOptions, string]>([
  ['group that throws', { group: no }, 'no'],
  ['group that returns no text', { group: () => 7 as never }, 'group must return a string, got 7'],
  ['group that rejects', { group: rejected }, 'group must return a string, got an object'],
  ['spans that throws', { spans: no }, 'no'],
  ['spans that returns no mode', { spans: () => 'all' as never }, "spans must be one of 'auto', 'link', 'child'"],
  ['spans that rejects', { spans: rejected }, "spans must be one of 'auto', 'link', 'child'"],
])(
  '%s is a subscriberFailed: the attempt goes on without a span, and the counters stay exact',
  async ([, options, message]) => {
    const { supervisor, clock, spans, metrics: measured } = world(options);
    const events = recordEvents(supervisor);
    const submission = supervisor.submit({ slot: 'a', run: () => 42 });
    await clock.settle();
    expect(await submission.value()).toBe(42);
    const [failed, ...more] = events.of('subscriberFailed');
    expect(failed).toMatchObject({ subscriber: 'otel', error: { message: expect.stringContaining(message) } });
    expect(more).toEqual([]);
    expect(spans()).toEqual([]);
    expect(await measured.histogram('slotvisor.attempt.duration')).toEqual([]);
    expect(await measured.counts('slotvisor.attempts')).toMatchObject([{ value: 1 }]);
  },
);

it('a span processor that throws is a subscriberFailed, and the duration is measured all the same', async () => {
  const { BasicTracerProvider } = await import('@opentelemetry/sdk-trace-base');
  const { slotSpanProcessor } = await import('slotvisor/otel');
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [{ ...slotSpanProcessor(), onEnd: no }] });
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock });
  const measured = metrics();
  otel(supervisor, { tracerProvider, meterProvider: measured.provider });
  const events = recordEvents(supervisor);
  supervisor.submit({ slot: 'a', run: () => {} });
  await clock.settle();
  expect(events.of('subscriberFailed')).toHaveLength(1);
  expect(await measured.histogram('slotvisor.attempt.duration')).toMatchObject([{ value: { count: 1 } }]);
});
