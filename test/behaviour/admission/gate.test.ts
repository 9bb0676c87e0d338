// The concurrency gate: how many bodies run at once, and in which order they start.

import { periodic } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

describe('the concurrency gate', () => {
  for (const concurrency of [1, 3])
    test(`with concurrency ${concurrency} at most ${concurrency} bodies run over all slots, and each gets its turn`, async () => {
      const { supervisor, clock } = setup({ concurrency });
      const body = gateBody();
      const submissions = Array.from({ length: 10 }, (_, n) => supervisor.submit({ slot: `s${n}`, run: body.body }));
      for (let left = 10; left > 0; left -= 1) {
        await clock.settle();
        expect(body.alive).toBe(Math.min(left, concurrency));
        body.open('next');
      }
      await Promise.all(submissions.map((one) => one.outcome));
      expect(body.calls).toHaveLength(10);
    });

  test('a submission that waits at the gate owns its slot, so the slot is busy', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const body = gateBody();
    supervisor.submit({ slot: 'first', run: body.body });
    const waiting = supervisor.submit({ slot: 'second', run: body.body });
    expect(waiting.admission).toBe('started');
    await clock.settle();
    expect(waiting.status).toBe('starting');
    expect(supervisor.slot('second').view()).toMatchObject({ phase: 'running', owner: { id: waiting.id, attempt: 0 } });
    const dropped = supervisor.submit({ slot: 'second', admission: 'dropIfRunning', run: body.body });
    expect(await dropped.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: waiting.id });
  });

  test('without a concurrency limit every body starts at once', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    for (let n = 0; n < 500; n += 1) supervisor.submit({ run: body.body });
    await clock.settle();
    expect(body.alive).toBe(500);
  });

  test('an attempt gets its place at the gate before its attemptStarted event', async () => {
    const { supervisor, clock, recorded } = setup({ concurrency: 1 });
    const body = gateBody();
    supervisor.submit({ run: body.body });
    const second = supervisor.submit({ run: body.body });
    await clock.settle();
    expect(recorded.types(second.id)).toEqual(['submitted', 'started']);
    body.open('end');
    await clock.settle();
    expect(recorded.types(second.id)).toEqual(['submitted', 'started', 'attemptStarted']);
  });

  test('an attempt frees its place at the gate at the proof of end, not at the stop request', async () => {
    const { supervisor, clock } = setup({ concurrency: 1, defaults: { graceMs: 100 } });
    const stubborn = gateBody();
    const other = gateBody();
    const first = supervisor.submit({ run: stubborn.body });
    supervisor.submit({ run: other.body });
    await clock.settle();
    void first.cancel();
    await clock.advance(10_000);
    expect(first.status).toBe('overrun');
    expect(other.calls).toHaveLength(0);
    stubborn.open('at last');
    await clock.settle();
    expect(other.calls).toHaveLength(1);
  });

  test('a timed out attempt keeps its place at the gate until its body has ended', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const late = gateBody();
    const other = gateBody();
    supervisor.submit({ timeoutMs: 10, restart: 'never', run: late.body });
    supervisor.submit({ run: other.body });
    await clock.advance(1_000);
    expect(other.calls).toHaveLength(0);
    late.open('late');
    await clock.settle();
    expect(other.calls).toHaveLength(1);
  });

  test('an abandoned body frees its place at the gate', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const stubborn = gateBody();
    const other = gateBody();
    const first = supervisor.submit({ graceMs: 50, onOverrun: 'abandon', run: stubborn.body });
    supervisor.submit({ run: other.body });
    await clock.settle();
    void first.cancel();
    await clock.advance(49);
    expect(other.calls).toHaveLength(0);
    await clock.advance(1);
    expect(other.calls).toHaveLength(1);
    expect(stubborn.alive).toBe(1);
    expect(supervisor.snapshot().abandonedAlive).toBe(1);
  });

  test('a task in backoff holds no place at the gate', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const failing = gateBody();
    const other = gateBody();
    const first = supervisor.submit({ backoff: PLAIN_BACKOFF, run: failing.body });
    supervisor.submit({ run: other.body });
    await clock.settle();
    failing.fail(new Error('no'));
    await clock.settle();
    expect(first.status).toBe('backoff');
    expect(other.alive).toBe(1);
    await clock.advance(100);
    expect(first.status).toBe('starting'); // it waits at the gate again
    expect(failing.calls).toHaveLength(1);
    other.open('end');
    await clock.settle();
    expect(failing.calls).toHaveLength(2);
  });

  test('a task in its interval holds no place at the gate', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const repeated = gateBody();
    const other = gateBody();
    const first = supervisor.submit(periodic(100, repeated.body));
    supervisor.submit({ run: other.body });
    await clock.settle();
    repeated.open('one');
    await clock.settle();
    expect(first.status).toBe('interval');
    expect(other.alive).toBe(1);
  });
});

describe('priority at the gate', () => {
  test('the highest priority starts first, and equal priorities start in the order of their arrival', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const body = gateBody();
    const names = [
      ['holder', undefined],
      ['low', -1],
      ['usual 1', undefined],
      ['high 1', 10],
      ['usual 2', 0],
      ['high 2', 10],
      ['half', 0.5],
    ] as const;
    for (const [name, priority] of names) supervisor.submit({ name, priority, run: body.body });
    for (const _ of names) {
      await clock.settle();
      body.open('next');
    }
    expect(body.calls.map(({ name }) => name)).toEqual([
      'holder',
      'high 1',
      'high 2',
      'half',
      'usual 1',
      'usual 2',
      'low',
    ]);
  });

  test('a priority does not change the order within one slot (S4)', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const body = gateBody();
    for (const [name, priority] of [
      ['first', 0],
      ['second', 0],
      ['third', 100],
    ] as const)
      supervisor.submit({ slot: 's', name, priority, run: body.body });
    for (let n = 0; n < 3; n += 1) {
      await clock.settle();
      body.open('next');
    }
    expect(body.calls.map(({ name }) => name)).toEqual(['first', 'second', 'third']);
  });
});

describe('a submission that waits at the gate', () => {
  test('a cancel ends the wait at the gate at once, with no attempt, and frees the place in the queue of the gate', async () => {
    const { supervisor, clock, recorded } = setup({ concurrency: 1 });
    const body = gateBody();
    supervisor.submit({ name: 'holder', run: body.body });
    const gone = supervisor.submit({ slot: 's', name: 'gone', run: body.body });
    supervisor.submit({ name: 'after', run: body.body });
    await clock.settle();
    expect(await gone.cancel('not needed')).toEqual({
      kind: 'canceled',
      by: 'caller',
      reason: 'not needed',
      attempts: 0,
    });
    expect(supervisor.slot('s').view().phase).toBe('idle');
    await clock.settle();
    expect(recorded.types(gone.id)).toEqual(['submitted', 'started', 'stopRequested', 'finished']);
    body.open('end');
    await clock.settle();
    expect(body.calls.map(({ name }) => name)).toEqual(['holder', 'after']);
    expect(clock.timers).toBe(0);
  });

  for (const [cause, stop] of [
    [
      'replace',
      (world: ReturnType<typeof setup>) =>
        void world.supervisor.submit({ slot: 's', admission: 'replace', run: () => 1 }),
    ],
    ['slot', (world: ReturnType<typeof setup>) => void world.supervisor.slot('s').cancel()],
    ['shutdown', (world: ReturnType<typeof setup>) => void world.supervisor.shutdown()],
  ] as const)
    test(`a stop by ${cause} ends the wait at the gate as canceled by ${cause}, with no attempt`, async () => {
      const world = setup({ concurrency: 1 });
      const body = gateBody();
      world.supervisor.submit({ slot: 'holder', run: body.body });
      const waiting = world.supervisor.submit({ slot: 's', run: body.body });
      await world.clock.settle();
      stop(world);
      expect(await waiting.outcome).toEqual({ kind: 'canceled', by: cause, attempts: 0 });
      body.open('end');
      await world.clock.settle();
      expect(body.calls).toHaveLength(1);
    });

  test('a cancel in the turn in which the gate grants the place calls no body', async () => {
    const { supervisor, clock } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ slot: 's', run: body.body });
    expect(submission.status).toBe('starting');
    expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 0 });
    await clock.settle();
    expect(body.calls).toHaveLength(0);
    expect(supervisor.snapshot().totals).toMatchObject({ started: 1, attempts: 0, canceled: 1 });
  });

  test('a place at the gate that was granted to a canceled submission goes to the next one', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const body = gateBody();
    const granted = supervisor.submit({ name: 'granted', run: body.body });
    supervisor.submit({ name: 'next', run: body.body });
    void granted.cancel(); // it holds the place; its body has not begun
    await clock.settle();
    expect(body.calls.map(({ name }) => name)).toEqual(['next']);
  });

  test('a deadline ends the wait at the gate as canceled by deadline', async () => {
    const { supervisor, clock } = setup({ concurrency: 1 });
    const body = gateBody();
    supervisor.submit({ run: body.body });
    const late = supervisor.submit({ deadlineMs: 50, run: body.body });
    await clock.advance(50);
    expect(await late.outcome).toEqual({ kind: 'canceled', by: 'deadline', attempts: 0 });
    expect(clock.timers).toBe(0);
  });
});
