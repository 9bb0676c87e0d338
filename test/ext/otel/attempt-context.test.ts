import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { attemptOf, slotSpanProcessor } from 'slotvisor/otel';
import { describe, expect, it } from 'vitest';
import { world } from './world.ts';

describe('attemptOf', () => {
  it.for(['link', 'child', 'detached', 'none'] as const)('with spans: %o is the attempt in its body', async (spans) => {
    const { supervisor, clock } = world({ spans });
    const seen: unknown[] = [];
    const { id } = supervisor.submit({
      slot: 'sync:acme',
      name: 'sync',
      run: async (ctx) => {
        await ctx.sleep(1);
        seen.push(attemptOf(), attemptOf(context.active()));
        // The attempt that it submits has another one.
        supervisor.submit({ slot: 'inner', run: () => void seen.push(attemptOf()?.slot) });
        await ctx.sleep(1);
        seen.push(attemptOf()?.slot);
      },
    });
    await clock.advance(10);
    const own = { slot: 'sync:acme', name: 'sync', id, attempt: 1 };
    expect(seen).toEqual([own, own, 'inner', 'sync:acme']);
    expect(Object.isFrozen(seen[0])).toBe(true);
  });

  it('is undefined outside of a body', () => {
    expect(attemptOf()).toBeUndefined();
    expect(attemptOf(ROOT_CONTEXT)).toBeUndefined();
  });

  it('refuses what is no context', () => {
    expect(() => attemptOf({} as never)).toThrow('context must be a Context, got an object');
  });
});

describe('slotSpanProcessor', () => {
  it('stamps each span that is started in a body, and no other span', async () => {
    const { supervisor, clock, span, tracer } = world({ spans: 'detached' });
    tracer.startSpan('outside').end();
    const { id } = supervisor.submit({
      slot: 'feed:7',
      run: async (ctx) => {
        await ctx.sleep(1);
        await tracer.startActiveSpan('batch', async (batch) => {
          tracer.startSpan('query').end();
          batch.end();
        });
      },
    });
    await clock.advance(10);
    const stamp = {
      'slotvisor.slot.name': 'feed:7',
      'slotvisor.task.id': id,
      'slotvisor.task.name': 'feed:7',
      'slotvisor.attempt.number': 1,
    };
    for (const name of ['batch', 'query']) expect(span(name).attributes).toEqual(stamp);
    expect(span('outside').attributes).toEqual({});
  });

  it('leaves the span of an attempt that another attempt has submitted as it is', async () => {
    const { supervisor, clock, span } = world();
    supervisor.submit({ slot: 'outer', run: () => void supervisor.submit({ slot: 'inner', run: () => {} }) });
    await clock.advance(10);
    expect(span('attempt inner').attributes['slotvisor.slot.name']).toBe('inner');
  });

  it('has nothing to flush', async () => {
    const processor = slotSpanProcessor();
    processor.onEnd();
    await Promise.all([processor.forceFlush(), processor.shutdown()]);
  });
});
