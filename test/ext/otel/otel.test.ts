import { expect, it } from 'vitest';
import { world } from './world.ts';

it('an attempt has a root span, linked to the span of its submitter, and what its body starts is inside', async () => {
  const { supervisor, clock, span, tracer } = world();
  await tracer.startActiveSpan('request', async (request) => {
    supervisor.submit({
      slot: 'sync:acme',
      run: async (ctx) => {
        const query = tracer.startSpan('query');
        await ctx.sleep(20);
        query.end();
      },
    });
    request.end();
  });
  await clock.advance(100);
  const attempt = span('attempt sync');
  expect(attempt.parentSpanContext).toBeUndefined();
  expect(attempt.links).toEqual([
    { context: span('request').spanContext(), attributes: { 'slotvisor.link': 'submitter' } },
  ]);
  expect(span('query').parentSpanContext?.spanId).toBe(attempt.spanContext().spanId);
});
