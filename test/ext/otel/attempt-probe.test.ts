// The mode of the span of an attempt, and the groups.

import { context, createContextKey, INVALID_SPAN_CONTEXT, propagation, trace } from '@opentelemetry/api';
import type { TaskContext, TaskSpec } from 'slotvisor';
import type { OtelOptions, SpanMode } from 'slotvisor/otel';
import { describe, expect, it } from 'vitest';
import { world } from './world.ts';

/** A task is submitted within the span `request`. Its body starts the span `query`. */
async function played(options: OtelOptions, spec: Partial<TaskSpec> = {}) {
  const made = world(options);
  const { supervisor, clock, tracer } = made;
  let tenant: string | undefined;
  tracer.startActiveSpan('request', (request) => {
    const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
    context.with(propagation.setBaggage(context.active(), baggage), () => {
      const run = () => {
        tenant = propagation.getActiveBaggage()?.getEntry('tenant')?.value;
        tracer.startSpan('query').end();
      };
      supervisor.submit({ slot: 'sync:acme', restart: 'never', run, ...spec });
    });
    request.end();
  });
  await clock.advance(10);
  const idOf = (name: string) => made.spans(name)[0]?.spanContext().spanId;
  const names = new Map(['request', 'attempt sync', 'query'].map((name) => [idOf(name), name]));
  const parentOf = (name: string) => names.get(made.span(name).parentSpanContext?.spanId);
  const linksOf = (name: string) => made.span(name).links.map((link) => names.get(link.context.spanId));
  return { ...made, parentOf, linksOf, tenant: () => tenant };
}

describe('a span', () => {
  it.for<[SpanMode, object]>([
    ['link', { parent: undefined, links: ['request'], query: 'attempt sync' }],
    ['child', { parent: 'request', links: [], query: 'attempt sync' }],
    ['detached', { parent: undefined, links: ['request'], query: undefined }],
  ])('with the mode %s stands where it says, and baggage stays', async ([mode, expected]) => {
    const { parentOf, linksOf, tenant } = await played({ spans: mode });
    const [parent, links, query] = [parentOf('attempt sync'), linksOf('attempt sync'), parentOf('query')];
    expect({ parent, links, query }).toEqual(expected);
    expect(tenant()).toBe('acme');
  });

  it('is not made with the mode none, where the body sees the span of its submitter', async () => {
    const { spans, parentOf, tenant, metrics } = await played({ spans: 'none' });
    expect(spans('attempt sync')).toEqual([]);
    expect([parentOf('query'), tenant()]).toEqual(['request', 'acme']);
    expect(await metrics.histogram('slotvisor.attempt.duration')).toHaveLength(1);
  });

  it('says that its link is its submitter, and has none without one', async () => {
    const { span, supervisor, clock } = await played({});
    expect(span('attempt sync').links[0]?.attributes).toEqual({ 'slotvisor.link': 'submitter' });
    supervisor.submit({ slot: 'alone', run: () => {} });
    await clock.settle();
    expect(span('attempt alone').links).toEqual([]);
    const unreal = trace.wrapSpanContext(INVALID_SPAN_CONTEXT); // as where tracing is suppressed
    context.with(trace.setSpan(context.active(), unreal), () => supervisor.submit({ slot: 'unreal', run: () => {} }));
    await clock.settle();
    expect(span('attempt unreal').links).toEqual([]);
  });

  it.for<['link' | 'detached', Partial<TaskSpec>]>([
    ['link', { restart: 'never' }],
    ['link', { restart: 'onFailure' }],
    ['link', { restart: 'always', intervalMs: 60_000 }],
    ['link', { restart: 'onFailure', timeoutMs: 5 }],
    ['detached', { restart: 'onFailure', stableMs: 60_000 }],
    ['detached', { restart: 'never', vital: true }],
  ])('with auto is as %s for a task with %o', async ([mode, spec]) => {
    const { parentOf } = await played({}, spec);
    expect(parentOf('query')).toBe(mode === 'link' ? 'attempt sync' : undefined);
  });

  it('has the mode that a function returns for its attempt', async () => {
    const seen: unknown[] = [];
    const { parentOf } = await played({
      spans: ({ slot, resident }) => {
        seen.push([slot, resident]);
        return 'child';
      },
    });
    expect([seen, parentOf('attempt sync')]).toEqual([[['sync:acme', false]], 'request']);
  });
});

it('a function chooses the mode of each attempt, also `auto` and `none`', async () => {
  const { supervisor, clock, spans } = world({ spans: ({ attempt }) => (attempt === 1 ? 'none' : 'auto') });
  const active: unknown[] = [];
  const run = (ctx: TaskContext) => {
    active.push([ctx.slot, trace.getActiveSpan() !== undefined]);
    if (ctx.attempt === 1) throw new Error('again');
  };
  for (const vital of [false, true]) supervisor.submit({ slot: vital ? 'vital' : 'short', vital, run });
  await clock.advance(10_000);
  expect(new Set(active.map(String))).toEqual(new Set(['short,false', 'vital,false', 'short,true']));
  expect(spans().map(({ attributes }) => attributes['slotvisor.attempt.number'])).toEqual([2, 2]);
});

it.for(['link', 'child', 'detached', 'none'] as const)(
  'with the mode %s every attempt has the values of the context of its submitter',
  async (spans) => {
    const { supervisor, clock } = world({ spans });
    const key = createContextKey('a value of the user');
    const seen: unknown[] = [];
    const run = async (ctx: TaskContext) => {
      await ctx.sleep(1);
      seen.push(context.active().getValue(key));
      if (ctx.attempt === 1) throw new Error('again');
    };
    context.with(context.active().setValue(key, 7), () => supervisor.submit({ run }));
    await clock.advance(10_000);
    expect(seen).toEqual([7, 7]);
  },
);

it('1,000 groups of slots are 100 groups, and one for all others, in spans and metrics', async () => {
  const { supervisor, clock, spans, metrics } = world();
  for (let n = 0; n < 1_000; n += 1) supervisor.submit({ slot: `group${n}:1`, run: () => {} });
  await clock.advance(10);
  const ofSpans = new Set(spans().map(({ attributes }) => attributes['slotvisor.group']));
  const points = await metrics.histogram('slotvisor.attempt.duration');
  expect([ofSpans.size, points.length]).toEqual([101, 101]);
  expect(points.find(({ attributes }) => attributes['slotvisor.group'] === 'other')?.value.count).toBe(900);
});

it('no span is active in the body of another slot, or in the next attempt', async () => {
  const { supervisor, clock, spans } = world();
  const seen: unknown[] = [];
  const run = async (ctx: TaskContext) => {
    const active = trace.getActiveSpan();
    seen.push(active);
    await ctx.sleep(5);
    if (trace.getActiveSpan() !== active) throw new Error('leaked');
  };
  for (const slot of ['a', 'b']) supervisor.submit({ slot, restart: 'always', intervalMs: 1, deadlineMs: 50, run });
  await clock.advance(100);
  expect(new Set(seen).size).toBe(seen.length);
  expect(spans().filter(({ attributes }) => attributes['slotvisor.attempt.outcome'] === 'failed')).toEqual([]);
});
