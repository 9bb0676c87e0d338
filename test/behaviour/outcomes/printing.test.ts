// What JSON.stringify and console.log show of the library's objects.

import { inspect } from 'node:util';
import { eventRecord, eventText, type Outcome, type TaskBody, type TaskEvent } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { setup } from '../../support/setup.ts';

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What user code can put into events, outcomes and views. Reading any of it can throw. */
const hostile = (): unknown[] => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const circle: { self?: unknown } = {};
  circle.self = circle;
  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw proxy;
      },
    },
  );
  const toJSON = () => {
    throw new Error('no JSON');
  };
  return [proxy, circle, throwing, { toJSON }, Symbol('s'), never, 7n, new Error('e', { cause: circle }), undefined];
};

describe('whatever user code puts into it, JSON.stringify writes', () => {
  test.each(hostile().map((value, n) => [n, value] as const))('events, outcomes and views: %i', async (_, value) => {
    const { supervisor, clock, recorded } = setup({ defaults: { graceMs: 5, restart: 'never' } });
    const outcomes: Outcome[] = [];
    const put = (run: TaskBody) =>
      void supervisor.submit({ slot: 's', meta: value, run }).outcome.then((outcome) => outcomes.push(outcome));
    supervisor.subscribe(() => {
      throw value;
    });
    put(() => [value]);
    put(() => Promise.reject(value));
    put((ctx) => ctx.sleep(Infinity));
    put(never);
    await clock.settle();
    const views: unknown[] = [supervisor.tasks(), supervisor.slot('s').view(), supervisor.snapshot()];
    void supervisor.slot('s').cancel(value);
    await clock.advance(10);
    const shutdown = supervisor.shutdown();
    await clock.advance(10);
    views.push(await shutdown);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['completed', 'failed', 'rejected', 'canceled']);
    for (const one of [...recorded.events, ...outcomes, ...views]) expect(json(one)).toBeTypeOf('object');
    for (const event of recorded.events) {
      expect(json(eventRecord(event, { meta: true }))).toMatchObject({ seq: event.seq, type: event.type });
      expect(eventText(event)).toBeTypeOf('string');
    }
  });
});

test('no error is lost in JSON', async () => {
  const { supervisor, clock, recorded } = setup({ defaults: { restart: 'never' } });
  const error = new Error('boom', { cause: new RangeError('why') });
  const shown = { name: 'Error', message: 'boom', cause: { name: 'RangeError', message: 'why' } };
  const task = supervisor.submit({ slot: 's', run: () => Promise.reject(error) });
  await clock.settle();
  expect(json(await task.outcome)).toMatchObject({ kind: 'failed', failure: { kind: 'thrown', error: shown } });
  expect(json(recorded.of('attemptFailed'))).toMatchObject([{ failure: { error: shown } }]);
  const running = supervisor.submit({ slot: 's', restart: 'onFailure', run: () => Promise.reject(error) });
  await clock.settle();
  expect(json(supervisor.snapshot())).toMatchObject({ slots: [{ owner: { lastFailure: { error: shown } } }] });
  void running.cancel(error);
  expect(json(await running.outcome)).toMatchObject({ kind: 'canceled', reason: shown });
});

describe('events, outcomes, failures, views and reports', () => {
  test('share one prototype, and are plain objects else', async () => {
    const { supervisor, clock, recorded } = setup({ defaults: { restart: 'never', graceMs: 5 } });
    const ends = [() => 1, () => Promise.reject(new Error('boom')), never].map((run) => supervisor.submit({ run }));
    const killed = supervisor.submit({ meta: 1n, run: { run: never, kill: () => {} } });
    const rejected = supervisor.submit({ signal: AbortSignal.abort(), run: never });
    await clock.settle();
    const last = ends[2];
    const views = [supervisor.snapshot(), supervisor.slot('none').view(), ...supervisor.snapshot().slots];
    views.push(...(supervisor.tasks() as never[]));
    void last?.cancel('enough');
    const shutdown = supervisor.shutdown({ graceMs: 10 });
    await clock.advance(10_000);
    const report = await shutdown;
    const outcomes = await Promise.all([...ends, killed, rejected].map(({ outcome }) => outcome));
    const failures = outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.failure] : []));
    const bodies = [...report.killed, ...report.abandoned];
    const all: object[] = [...recorded.events, ...outcomes, ...failures, ...views, report, ...bodies];
    expect(outcomes.map(({ kind }) => kind)).toEqual(['completed', 'failed', 'abandoned', 'killed', 'rejected']);
    expect(bodies.map(({ status }) => status)).toEqual(['ended', 'overrun']);
    expect(json(report.killed)).toMatchObject([{ meta: '1' }]);
    expect(new Set(all.map((one) => Object.getPrototypeOf(one))).size).toBe(1);
    for (const one of all) {
      expect({ ...one }).toStrictEqual(one);
      expect(inspect(one)).toMatch(/^\{/);
    }
    expect(structuredClone(outcomes)).toStrictEqual(outcomes);
  });

  test('are shared by all participants of a flight', async () => {
    const { supervisor, clock } = setup();
    const both = [1, 2].map(() => supervisor.submit({ slot: 's', admission: 'join', run: () => 1 }));
    await clock.settle();
    const [first, second] = await Promise.all(both.map(({ outcome }) => outcome));
    expect(first).toBe(second);
  });
});

describe('an object with methods is shown by its main facts', () => {
  test('a submission', async () => {
    const { supervisor } = setup();
    const task = supervisor.submit({ slot: 's', name: 'n', run: () => 1 });
    const shown = { id: task.id, slot: 's', name: 'n', admission: 'started', status: 'starting' };
    expect(json(task)).toEqual(shown);
    expect(inspect(task)).toBe(inspect(shown));
    expect(json(supervisor.get(task.id))).toEqual(shown);
  });

  test('a slot, with the first ten of its queue', () => {
    const { supervisor } = setup();
    for (let n = 0; n < 20; n += 1) supervisor.submit({ slot: 's', run: never });
    const slot = supervisor.slot('s');
    const shown = { ...slot.view(), queued: slot.view().queued.slice(0, 10) };
    expect(json(slot)).toEqual(json(shown));
    expect(inspect(slot)).toBe(inspect(shown));
  });

  test('a supervisor, without its slots', () => {
    const { supervisor } = setup();
    supervisor.submit({ slot: 's', run: never });
    expect(json({ supervisor })).toMatchObject({ supervisor: { phase: 'open', queued: 0 } });
    expect(json(supervisor)).not.toHaveProperty('slots');
    expect(inspect(supervisor)).toContain("phase: 'open'");
  });
});

test('a copy of an event has a record and a text too', async () => {
  const { supervisor, clock, recorded } = setup();
  supervisor.submit({ slot: 's', run: () => Promise.reject(new Error('boom')) });
  await clock.settle();
  for (const event of recorded.events) {
    const copy: TaskEvent = { ...event };
    expect([eventRecord(copy), eventText(copy)]).toEqual([eventRecord(event), eventText(event)]);
  }
});
