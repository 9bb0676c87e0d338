// The metrics equal the counts of the supervisor, however it came to them.

import type { Histogram } from '@opentelemetry/sdk-metrics';
import { Supervisor, type TaskSpec } from 'slotvisor';
import { otel } from 'slotvisor/otel';
import { seededRandom, VirtualClock } from 'slotvisor/testing';
import { describe, expect, it, vi } from 'vitest';
import { OUTCOME_KINDS } from '../../../src/model/outcome.ts';
import { SEED } from '../../support/effort.ts';
import { type Metrics, type Point, world } from './world.ts';

/** The values of a counter by the words of its attribute, or its only value. */
async function counts(metrics: Metrics, name: string): Promise<unknown> {
  const points = await metrics.counts(name);
  const entries = points.map(({ attributes, value }) => {
    const { 'slotvisor.supervisor.name': _, ...rest } = attributes;
    return [Object.values(rest)[0], value] as const;
  });
  return entries.length === 1 && entries[0]?.[0] === undefined ? entries[0]?.[1] : Object.fromEntries(entries);
}

async function expectEqual(metrics: Metrics, supervisor: Supervisor): Promise<void> {
  const { totals, rejections, failures, tasks, abandonedAlive, slotCount, eventsDropped } = supervisor.stats();
  const expected = {
    'slotvisor.submissions': totals.submitted,
    'slotvisor.outcomes': Object.fromEntries(OUTCOME_KINDS.map((kind) => [kind, totals[kind]])),
    'slotvisor.rejections': { ...rejections },
    'slotvisor.attempts': totals.attempts,
    'slotvisor.retries': totals.retries,
    'slotvisor.overruns': totals.overruns,
    'slotvisor.attempt.failures': { ...failures },
    'slotvisor.events.dropped': eventsDropped,
    'slotvisor.tasks': { ...tasks },
    'slotvisor.tasks.abandoned': abandonedAlive,
    'slotvisor.slots': slotCount,
  };
  const got = Object.fromEntries(
    await Promise.all(Object.keys(expected).map(async (name) => [name, await counts(metrics, name)] as const)),
  );
  expect(got).toEqual(expected);
}

const countOf = (points: readonly Point<Histogram>[]): number =>
  points.reduce((sum, { value }) => sum + value.count, 0);

describe('the metrics', () => {
  it(`equal stats() after each of many random steps (seed ${SEED})`, async () => {
    const random = seededRandom(SEED);
    const dice = (sides: number): number => Math.floor(random() * sides);
    const { supervisor, clock, metrics, spans } = world(
      {},
      { random, concurrency: 8, slotDefaults: { queueLimit: 2 } },
    );
    supervisor.subscribe(() => new Promise(() => {}), { capacity: 5 }); // loses events
    const boom = () => {
      throw new Error('boom');
    };
    const bodies: readonly TaskSpec['run'][] = [
      () => 1,
      boom,
      (ctx) => ctx.sleep(dice(50)),
      () => new Promise(() => {}),
      { run: () => new Promise(() => {}), kill: () => {} },
    ];
    for (let step = 0; step < 60; step += 1) {
      for (let n = dice(6); n > 0; n -= 1)
        supervisor.submit({
          slot: `group${dice(3)}:${dice(4)}`,
          admission: (['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'] as const)[dice(5)] ?? 'queue',
          restart: dice(2) === 0 ? 'never' : 'onFailure',
          maxRetries: 2,
          timeoutMs: 20,
          graceMs: 10,
          onOverrun: 'abandon',
          run: bodies[dice(bodies.length)] ?? boom,
        });
      if (dice(4) === 0) void supervisor.slot(`group${dice(3)}:${dice(4)}`).cancel();
      await clock.advance(dice(30));
      await expectEqual(metrics, supervisor);
    }
    await clock.advance(600_000);
    await expectEqual(metrics, supervisor);
    const { totals } = supervisor.stats();
    expect(spans()).toHaveLength(totals.attempts);
    for (const name of ['duration', 'wait_time'])
      expect([name, countOf(await metrics.histogram(`slotvisor.attempt.${name}`))]).toEqual([name, totals.attempts]);
  });

  it('have every word of their attributes from the first collection on', async () => {
    const { supervisor, metrics } = world();
    await expectEqual(metrics, supervisor);
  });

  it('take one look at the supervisor for a collection', async () => {
    const { supervisor, metrics } = world();
    const stats = vi.spyOn(supervisor, 'stats');
    await metrics.collect();
    expect(stats).toHaveBeenCalledTimes(1);
  });

  it('have units, and bounds for long and for short attempts', async () => {
    const { supervisor, clock, metrics } = world();
    supervisor.submit({ slot: 'a:1', run: (ctx) => ctx.sleep(90_000) });
    await clock.advance(100_000);
    const [point] = await metrics.histogram('slotvisor.attempt.duration');
    expect(point?.attributes).toEqual({
      'slotvisor.supervisor.name': 'default',
      'slotvisor.group': 'a',
      'slotvisor.attempt.outcome': 'succeeded',
    });
    expect(point?.value.sum).toBe(90);
    const [wait] = await metrics.histogram('slotvisor.attempt.wait_time');
    expect(wait?.attributes).toEqual({ 'slotvisor.supervisor.name': 'default', 'slotvisor.group': 'a' });
    expect(point?.value.buckets.boundaries).toEqual([
      ...[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800],
    ]);
  });

  it('tell 50 types of errors apart, and one for all others', async () => {
    const { supervisor, clock, metrics } = world();
    for (let n = 0; n < 60; n += 1)
      supervisor.submit({
        slot: 'a',
        admission: 'queue',
        restart: 'never',
        run: () => {
          throw Object.assign(new Error('boom'), { name: `Error${n}` });
        },
      });
    await clock.advance(10);
    const types = (await metrics.histogram('slotvisor.attempt.duration')).map(
      ({ attributes }) => attributes['error.type'],
    );
    expect([types.length, types.includes('_OTHER'), types.includes('Error49'), types.includes('Error50')]).toEqual([
      ...[51, true, true, false],
    ]);
  });

  it('are absent with metrics: false', async () => {
    const { supervisor, clock, metrics } = world({ metrics: false });
    supervisor.submit({ run: () => {} });
    await clock.settle();
    expect((await metrics.collect()).size).toBe(0);
  });

  it('show no name of a slot or a task, no id, no message and no meta', async () => {
    const { supervisor, clock, metrics } = world();
    const spec = { slot: 'g:hidden-slot', name: 'hidden-name', meta: 'hidden-meta' } as const;
    const { id } = supervisor.submit({
      ...spec,
      restart: 'never',
      run: () => Promise.reject(new Error('hidden-text')),
    });
    await clock.settle();
    const text = JSON.stringify([...(await metrics.collect())]);
    expect([text.includes('hidden'), text.includes(id), text.includes('"g"')]).toEqual([false, false, true]);
  });

  it('of a supervisor that is watched twice count each for itself', async () => {
    const { supervisor, clock, metrics } = world();
    const other = world({ name: 'other' });
    otel(supervisor, { name: 'again', meterProvider: other.metrics.provider });
    supervisor.submit({ run: () => {} });
    await clock.settle();
    await expectEqual(metrics, supervisor);
    const again = (await other.metrics.counts('slotvisor.attempts')).map(({ attributes, value }) => [
      attributes['slotvisor.supervisor.name'],
      value,
    ]);
    expect(again).toEqual([
      ['other', 0],
      ['again', 1],
    ]);
  });
});

it('the clock of the supervisor measures, so virtual time is measured too', async () => {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock });
  const { metrics } = world();
  otel(supervisor, { meterProvider: metrics.provider });
  supervisor.submit({ slot: 'a', run: (ctx) => ctx.sleep(7_000) });
  await clock.advance(7_000);
  const points = await metrics.histogram('slotvisor.attempt.duration');
  expect(points.map(({ value }) => value.sum)).toEqual([7]);
});
