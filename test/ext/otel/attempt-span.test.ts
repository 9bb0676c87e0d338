// What a span says of its attempt.

import { INVALID_SPAN_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { FatalError, type TaskSpec } from 'slotvisor';
import { describe, expect, it, vi } from 'vitest';
import { AttemptProbes } from '../../../src/ext/otel/attempt-probe.ts';
import { endSpan } from '../../../src/ext/otel/attempt-span.ts';
import { parseOtelOptions } from '../../../src/ext/otel/options.ts';
import type { ProbedAttempt } from '../../../src/model/probe.ts';
import { traces, world } from './world.ts';

it('says whose it is and how long its attempt waited, and nothing of meta', async () => {
  const { supervisor, clock, spans } = world({ name: 'orders', group: (slot) => slot.slice(0, 2) });
  supervisor.submit({ slot: 'sync:acme', run: (ctx) => ctx.sleep(1_500) });
  const { id } = supervisor.submit({ slot: 'sync:acme', name: 'n', meta: { secret: 'x' }, run: () => {} });
  await clock.advance(2_000);
  const [, second] = spans('attempt sy');
  expect(second?.attributes).toEqual({
    'slotvisor.supervisor.name': 'orders',
    'slotvisor.group': 'sy',
    'slotvisor.slot.name': 'sync:acme',
    'slotvisor.task.id': id,
    'slotvisor.task.name': 'n',
    'slotvisor.attempt.number': 1,
    'slotvisor.attempt.wait_time': 1.5,
    'slotvisor.attempt.outcome': 'succeeded',
  });
  expect(second?.kind).toBe(SpanKind.INTERNAL);
});

describe('the end of a span', () => {
  const boom = () => {
    throw new TypeError('boom');
  };
  it.for<[string, Partial<TaskSpec>, object]>([
    ['a value', { run: () => 1 }, { outcome: 'succeeded', error: undefined, code: SpanStatusCode.UNSET, events: 0 }],
    ['a throw', { run: boom }, { outcome: 'failed', error: 'TypeError', code: SpanStatusCode.ERROR, events: 1 }],
    [
      'a FatalError',
      { run: () => Promise.reject(new FatalError('for good')) },
      { outcome: 'failed', error: 'SLOTVISOR_FATAL', code: SpanStatusCode.ERROR, events: 1 },
    ],
    [
      'a timeout',
      { timeoutMs: 5, run: (ctx) => ctx.sleep(Infinity) },
      { outcome: 'timed_out', error: 'timeout', code: SpanStatusCode.ERROR, events: 0 },
    ],
    [
      'a stall',
      { stallMs: 5, run: (ctx) => ctx.sleep(Infinity) },
      { outcome: 'stalled', error: 'stall', code: SpanStatusCode.ERROR, events: 0 },
    ],
    [
      'a cancel',
      { deadlineMs: 5, run: (ctx) => ctx.sleep(Infinity) },
      { outcome: 'canceled', error: undefined, code: SpanStatusCode.UNSET, events: 0 },
    ],
    [
      'a kill',
      { deadlineMs: 5, graceMs: 5, run: { run: () => new Promise(() => {}), kill: () => {} } },
      { outcome: 'killed', error: 'overrun', code: SpanStatusCode.ERROR, events: 0 },
    ],
    [
      'giving up',
      { deadlineMs: 5, graceMs: 5, onOverrun: 'abandon', run: () => new Promise(() => {}) },
      { outcome: 'abandoned', error: 'overrun', code: SpanStatusCode.ERROR, events: 0 },
    ],
  ])('says how the attempt ended: %s', async ([, spec, expected]) => {
    const { supervisor, clock, span } = world();
    supervisor.submit({ slot: 'a', restart: 'never', run: () => {}, ...spec });
    await clock.advance(100);
    const { attributes, status, events } = span('attempt a');
    expect({
      outcome: attributes['slotvisor.attempt.outcome'],
      error: attributes['error.type'],
      code: status.code,
      events: events.length,
    }).toEqual(expected);
  });

  it('has the exception, unless recordException is false', async () => {
    for (const recordException of [true, false]) {
      const { supervisor, clock, span } = world({ recordException });
      supervisor.submit({ slot: 'a', restart: 'never', run: boom });
      await clock.settle();
      expect(span('attempt a').status.message).toBe('boom');
      expect(
        span('attempt a').events.map(({ name, attributes = {} }) => [name, attributes['exception.message']]),
      ).toEqual(recordException ? [['exception', 'boom']] : []);
    }
  });
});

it.for<[string, Partial<TaskSpec>, string]>([
  ['a kill', { run: { run: () => new Promise(() => {}), kill: () => {} } }, 'overran its grace'],
  [
    'a kill after a timeout',
    { timeoutMs: 5, run: { run: () => new Promise(() => {}), kill: () => {} } },
    'timed out after 5 ms',
  ],
  [
    'giving up after a stall',
    { stallMs: 5, onOverrun: 'abandon', run: () => new Promise(() => {}) },
    'no heartbeat for 5 ms',
  ],
  [
    'a timeout that the body swallows',
    { timeoutMs: 5, run: (ctx) => ctx.sleep(99).catch(() => {}) },
    'timed out after 5 ms',
  ],
])('has a status that says what went wrong: %s', async ([, spec, message]) => {
  const { supervisor, clock, span } = world();
  supervisor.submit({ slot: 'a', restart: 'never', graceMs: 5, deadlineMs: 20, run: () => {}, ...spec });
  await clock.advance(100);
  expect(span('attempt a').status).toEqual({ code: SpanStatusCode.ERROR, message });
});

it('is ended also where the getters of the thrown error throw', async () => {
  const { supervisor, clock, span } = world();
  const get = () => {
    throw new Error('hostile');
  };
  supervisor.submit({ slot: 'a', restart: 'never', run: () => Promise.reject(new Proxy(new Error('x'), { get })) });
  await clock.settle();
  expect(span('attempt a').attributes['error.type']).toBe('_OTHER');
  expect(span('attempt a').status.code).toBe(SpanStatusCode.ERROR);
});

it('has the fence of a lease, and none where leases are local', () => {
  const { provider, spans } = traces();
  const probes = new AttemptProbes({} as never, parseOtelOptions({ tracerProvider: provider, metrics: false }));
  const info = {
    id: 'x-1',
    slot: 's',
    name: 's',
    attempt: 1,
    waitedMs: 5,
    restart: 'never',
  } as unknown as ProbedAttempt;
  for (const fence of [0n, 7n]) probes.attempt({ ...info, fence })?.ended?.({ end: 'succeeded', durationMs: 1 });
  expect(spans().map(({ attributes }) => attributes['slotvisor.slot.fence'])).toEqual([undefined, '7']);
});

it('ends also if it refuses what it is told', () => {
  const span = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
  const end = vi.spyOn(span, 'end');
  vi.spyOn(span, 'setAttribute').mockImplementation(() => {
    throw new Error('refused');
  });
  expect(() => endSpan(span, { end: 'succeeded', durationMs: 1 }, true)).toThrow('refused');
  expect(end).toHaveBeenCalledTimes(1);
});
