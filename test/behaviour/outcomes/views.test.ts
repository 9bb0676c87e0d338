// What tasks(), get(), slot.view() and snapshot() show.

import type { TaskStatus, TaskView } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { type Act, boom, cancel, type Given, open, scenario, wait } from '../../support/scenario.ts';
import { setup } from '../../support/setup.ts';

const thrown = { kind: 'thrown', error: boom, message: 'boom', fatal: false } as const;

describe('the id of a submission', () => {
  test('an id is a nanoid of 10 characters for each supervisor and a number from 1, also for a rejected submission', () => {
    const [a, b] = [setup().supervisor, setup().supervisor];
    const ids = [a, b, a].map((supervisor) => supervisor.submit({ run: () => {} }).id);
    ids.push(a.submit({ signal: AbortSignal.abort(), run: () => {} }).id);
    expect(ids.every((id) => /^[A-Za-z0-9_-]{10}-\d+$/.test(id))).toBe(true);
    expect(ids.map((id) => id.slice(11))).toEqual(['1', '1', '2', '3']);
    expect(new Set(ids.map((id) => id.slice(0, 10))).size).toBe(2);
  });
});

describe('views', () => {
  type Expected = Partial<TaskView> & { readonly phase?: string };
  const fail: Act = ({ gate }) => gate.fail(boom);
  const stopped = (sinceMs: number) => ({ by: 'caller', sinceMs }) as const;
  const statuses: readonly [TaskStatus, Given, readonly Act[], Expected][] = [
    [
      'queued',
      { owned: true },
      [wait(30)],
      { phase: 'running', waitingFor: 'owner', attempt: 0, sinceMs: 30, ageMs: 30 },
    ],
    [
      'starting',
      { owned: true, slot: 'x', options: { concurrency: 1 } },
      [wait(30)],
      { waitingFor: 'gate', attempt: 0, sinceMs: 30, ageMs: 30 },
    ],
    ['running', {}, [wait(30)], { sinceMs: 30, ageMs: 30 }],
    [
      'backoff',
      { restart: 'onFailure' },
      [wait(20), fail, wait(30)],
      {
        waitingFor: 'backoff',
        sinceMs: 30,
        retries: 1,
        streak: 1,
        failingMs: 30,
        nextAttemptInMs: 70,
        lastFailure: thrown,
      },
    ],
    [
      'interval',
      { restart: 'always', intervalMs: 90 },
      [wait(20), open, wait(30)],
      { waitingFor: 'interval', sinceMs: 30, nextAttemptInMs: 60 },
    ],
    ['stopping', {}, [wait(20), cancel, wait(30)], { phase: 'stopping', stop: stopped(30), sinceMs: 30 }],
    ['overrun', {}, [wait(20), cancel, wait(130)], { phase: 'stopping', stop: stopped(130), sinceMs: 30, ageMs: 150 }],
  ];
  for (const [status, { owned, options, ...spec }, acts, expected] of statuses)
    test(`tasks(), slot.view(), get() and the submission agree on the status ${status}`, async () => {
      const made = scenario(options);
      const { supervisor, clock, put: submit } = made;
      const owner = owned ? submit({ run: never }) : undefined;
      await clock.settle();
      const meta = { tenant: 7 };
      const one = submit({ name: 'n', meta, ...spec });
      for (const act of acts) await act(made, one);
      await clock.settle();
      const { phase = 'running', ...fields } = expected;
      const { id, slot } = one;
      const view = {
        id,
        name: 'n',
        slot,
        policy: 'queue',
        status,
        attempt: 1,
        retries: 0,
        streak: 0,
        ageMs: 50,
        meta,
        ...fields,
      };
      expect(one.status).toBe(status);
      expect(supervisor.tasks().at(-1)).toStrictEqual(view);
      const slotView = supervisor.slot(slot).view();
      expect(slotView).toMatchObject({ name: slot, phase, paused: false });
      if (status === 'queued') expect(slotView).toMatchObject({ owner: { id: owner?.id }, queued: [view] });
      else expect([slotView.owner, slotView.queued]).toStrictEqual([view, []]);
      expect(supervisor.get(id)).toMatchObject({ id, slot, status, outcome: one.outcome });
      expect(supervisor.snapshot()).toMatchObject({
        phase: 'open',
        owners: owner && slot === 's' ? 1 : supervisor.tasks().length,
        queued: status === 'queued' ? 1 : 0,
        overrun: status === 'overrun' ? 1 : 0,
      });
      expect(supervisor.snapshot().slots).toContainEqual(slotView);
    });

  test('an owner has the status starting right after submit, before its code runs', () => {
    const { supervisor, put: submit } = scenario();
    expect(submit().status).toBe('starting');
    expect(supervisor.slot('s').view()).toMatchObject({ phase: 'running', owner: { status: 'starting', attempt: 0 } });
  });

  test('slot.view() lists the queue in the order of its starts, a replacement first', async () => {
    const { supervisor, clock, put: submit } = scenario();
    const owner = submit();
    await clock.settle();
    const waiting = [submit(), submit()];
    const next = submit({ admission: 'replace' });
    const { owner: seen, queued, phase } = supervisor.slot('s').view();
    expect([phase, seen?.id]).toEqual(['stopping', owner.id]);
    expect(queued.map(({ id }) => id)).toEqual([next, ...waiting].map(({ id }) => id));
  });

  test('tasks() lists the live submissions, oldest first, and a joined one has the status of the shared body', async () => {
    const { supervisor, clock, gate, put: submit } = scenario();
    const owner = submit();
    await clock.advance(10);
    const joined = submit({ admission: 'join', name: 'shares' });
    const waiting = submit();
    await clock.advance(10);
    expect(supervisor.tasks()).toMatchObject([
      { id: owner.id, status: 'running', attempt: 1, sinceMs: 20 },
      { id: joined.id, name: 'shares', status: 'running', attempt: 1, sinceMs: 20 },
      { id: waiting.id, status: 'queued', attempt: 0, sinceMs: 10 },
    ]);
    gate.open('end');
    await clock.settle();
    expect(supervisor.tasks().map(({ id }) => id)).toEqual([waiting.id]);
  });

  test('a view is a copy of one moment and does not change', async () => {
    const { supervisor, clock, gate, put: submit } = scenario();
    submit();
    await clock.settle();
    const before = [supervisor.tasks(), supervisor.snapshot(), supervisor.slot('s').view()] as const;
    const copy = structuredClone(before);
    (supervisor.tasks() as TaskView[]).length = 0;
    gate.open('end');
    await clock.advance(10);
    expect(before).toEqual(copy);
  });

  test('an idle slot has no entry in the table, and slot.view() adds none (S6)', () => {
    const { supervisor } = scenario();
    expect(supervisor.slot('never seen').view()).toStrictEqual({
      name: 'never seen',
      phase: 'idle',
      paused: false,
      queuedCount: 0,
      queued: [],
    });
    expect(supervisor.snapshot().slots).toEqual([]);
    supervisor.slot('never seen').pause();
    expect(supervisor.snapshot().slots).toMatchObject([{ name: 'never seen', phase: 'idle', paused: true }]);
    supervisor.slot('never seen').resume();
    expect(supervisor.snapshot().slots).toEqual([]);
  });

  test('get() finds live submissions only, and no id of another supervisor', async () => {
    const { supervisor, put: submit, clock } = scenario();
    const foreign = scenario().put();
    const waiting = [submit(), submit()][1];
    if (waiting === undefined) return expect.fail('nothing was submitted');
    expect(supervisor.get(waiting.id)?.outcome).toBe(waiting.outcome);
    expect(supervisor.get(waiting.id)).toBe(supervisor.get(waiting.id)); // the same object at every call
    expect(supervisor.get(foreign.id)).toBeUndefined();
    void waiting.cancel();
    await clock.settle();
    expect(supervisor.get(waiting.id)).toBeUndefined();
    expect(await supervisor.cancel(waiting.id)).toBeUndefined();
    expect(supervisor.restart(waiting.id)).toBe(false);
  });

  test('snapshot().abandonedAlive counts an abandoned body until it ends', async () => {
    const { supervisor, clock, gate, put: submit } = scenario();
    const one = submit({ onOverrun: 'abandon' });
    await clock.settle();
    void one.cancel();
    await clock.advance(100);
    expect(supervisor.snapshot()).toMatchObject({ abandonedAlive: 1, owners: 0, slots: [] });
    gate.open('at last');
    await clock.settle();
    expect(supervisor.snapshot().abandonedAlive).toBe(0);
  });

  test('the phase of the supervisor is open, then closing, then closed', async () => {
    const { supervisor, clock, gate, put: submit } = scenario();
    submit();
    await clock.settle();
    expect(supervisor.snapshot().phase).toBe('open');
    const report = supervisor.shutdown();
    expect(supervisor.snapshot().phase).toBe('closing');
    gate.open('end');
    await report;
    expect(supervisor.snapshot().phase).toBe('closed');
  });
});

test('a frozen submission still works', async () => {
  const { supervisor, clock } = setup();
  const gate = gateBody();
  const frozen = Object.freeze(supervisor.submit({ slot: 's', run: gate.body }));
  const queued = Object.freeze(supervisor.submit({ slot: 's', run: () => 'next' }));
  await clock.settle();
  gate.open('first');
  expect(await Promise.all([frozen.value(), queued.value()])).toEqual(['first', 'next']);
});

test('a view keeps the last failure after a success, and a stop reason names its cause in its message', async () => {
  const { supervisor, clock } = setup();
  const reasons: [string, string][] = [];
  const submission = supervisor.submit({
    restart: 'always',
    intervalMs: 50,
    backoff: { firstMs: 10, jitter: 'none' },
    run: (ctx): unknown => {
      ctx.onCancel(({ by, message }) => void reasons.push([by, message]));
      if (ctx.attempt === 1) throw new Error('once');
      return ctx.attempt === 2 ? 'fine' : ctx.sleep(Infinity);
    },
  });
  await clock.advance(20);
  expect(supervisor.tasks()[0]).toMatchObject({ status: 'interval', lastFailure: { message: 'once' } });
  await clock.advance(50);
  submission.restart();
  await clock.settle();
  await submission.cancel();
  expect(reasons).toEqual([
    ['caller', 'restarted'],
    ['caller', 'stopped by caller'],
  ]);
});
