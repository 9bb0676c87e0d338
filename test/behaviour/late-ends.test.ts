// What an attempt hears, and what is heard of it, once its own end has been decided.

import { Supervisor, type TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { gatedSlot } from '../support/gated-slot.ts';
import { setup } from '../support/setup.ts';

const GRACE = 1_000;
const PATIENCE = 5_000;

test('a body that was given up still hears of its stop when it listens late', async () => {
  const { clock, gate, submit } = gatedSlot();
  const submission = submit({ graceMs: 0, onOverrun: 'abandon' });
  await clock.settle();
  void submission.cancel('enough');
  await clock.advance(0);
  expect(await submission.outcome).toMatchObject({ kind: 'abandoned' });
  const heard: unknown[] = [];
  gate.calls[0]?.onCancel(({ reason }) => void heard.push(reason));
  await clock.settle();
  expect(heard).toEqual(['enough']);
});

test('a listener that is added after the stop, and fails, is told as the failure of the stop like any other', async () => {
  const { clock, gate, submit } = gatedSlot();
  const submission = submit();
  await clock.settle();
  void submission.cancel();
  await clock.settle();
  const error = new Error('in a late listener');
  gate.calls[0]?.onCancel(() => {
    throw error;
  });
  await clock.settle();
  gate.fail(gate.calls[0]?.signal.reason);
  expect(await submission.outcome).toMatchObject({ kind: 'canceled', failure: { error } });
});

test('a body that cancels itself and returns in the same turn is out before its grace begins: no timer is left', async () => {
  const { supervisor, clock } = setup();
  const heard: string[] = [];
  const submission = supervisor.submit({
    graceMs: GRACE,
    run: (ctx) => {
      ctx.onCancel(() => void heard.push('stop'));
      void submission.cancel();
      return 'done';
    },
  });
  expect(await submission.outcome).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
  await clock.settle();
  expect([clock.timers, heard]).toEqual([0, []]);
});

test('a grace that ends while a shutdown kills already asks for no second kill', async () => {
  const { supervisor, clock, recorded } = setup();
  const kill = gateBody<void>();
  const submission = supervisor.submit({
    graceMs: 2 * GRACE,
    run: { run: () => new Promise(() => {}), kill: kill.body },
  });
  await clock.settle();
  void supervisor.shutdown({ graceMs: GRACE });
  await clock.advance(3 * GRACE);
  expect([kill.calls.length, recorded.of('overrun').length]).toEqual([1, 1]);
  kill.open();
  expect(await submission.outcome).toEqual({ kind: 'killed', by: 'shutdown', attempts: 1 });
});

describe('a kill that fails late changes nothing (S8)', () => {
  const failing = () => {
    const kill = gateBody<void>();
    const body = gateBody();
    return { kill, body, run: { run: body.body, kill: kill.body } satisfies TaskSpec['run'] };
  };

  test('the body has ended by itself meanwhile, and the next attempt runs', async () => {
    const { supervisor, clock, recorded } = setup();
    const { kill, body, run } = failing();
    const submission = supervisor.submit({ run, graceMs: GRACE });
    await clock.settle();
    submission.restart();
    await clock.advance(GRACE);
    body.open('out by itself');
    await clock.advance(10);
    expect([kill.alive, body.alive]).toEqual([1, 1]);
    kill.fail(new Error('no such process'));
    await clock.advance(10);
    expect(recorded.of('overrun').map(({ action }) => action)).toEqual(['kill']);
    expect(supervisor.tasks()).toMatchObject([{ status: 'running', attempt: 2, sinceMs: 20 }]);
  });

  test('the body was given up meanwhile: it counts as alive until it ends, and no longer', async () => {
    const { supervisor, clock } = setup();
    const { kill, body, run } = failing();
    supervisor.submit({ run });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE + PATIENCE);
    kill.fail(new Error('no such process'));
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ phase: 'closed', abandonedAlive: 1 });
    body.open('at last');
    await clock.settle();
    expect(supervisor.snapshot().abandonedAlive).toBe(0);
  });
});

test('however many slots hand on in every turn, timers and I/O of the process go on (section 4)', async () => {
  const supervisor = new Supervisor();
  const EACH = 2_000;
  const slots = ['a', 'b', 'c'];
  for (const slot of slots) for (let n = 0; n < EACH; n += 1) supervisor.submit({ slot, run: async () => n });
  let byThen: number | undefined;
  setImmediate(() => {
    byThen = supervisor.snapshot().totals.completed;
  });
  await supervisor.idle();
  expect(byThen).toBeLessThan(EACH * slots.length);
});

describe('work that is in no list still counts', () => {
  /** Two who share a body have both left; the body looks at nothing. */
  async function left() {
    const world = gatedSlot();
    const both = [world.submit(), world.submit({ admission: 'join' })];
    await world.clock.settle();
    for (const one of both) void one.cancel();
    await Promise.all(both.map(({ outcome }) => outcome));
    expect(world.supervisor.tasks()).toEqual([]);
    return world;
  }

  test('idle() waits for a body whose submissions have all left', async () => {
    const { supervisor, clock, gate } = await left();
    const order: string[] = [];
    const idle = supervisor.idle().then(() => order.push('idle'));
    await clock.settle();
    order.push('the body ends');
    gate.open('out');
    await idle;
    expect(order).toEqual(['the body ends', 'idle']);
  });

  test('so does a shutdown', async () => {
    const { supervisor, clock, gate } = await left();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(10);
    expect(supervisor.phase).toBe('draining');
    gate.open('out');
    expect(await supervisor.closed).toMatchObject({ withinGrace: true, abandoned: [] });
  });

  test('idle() waits for what waits in a paused slot, where nothing runs', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    supervisor.slot('s').pause();
    const submission = submit();
    const order: string[] = [];
    const idle = supervisor.idle().then(() => order.push('idle'));
    await clock.settle();
    expect([submission.status, supervisor.snapshot().running]).toEqual(['queued', 0]);
    order.push('resumed');
    supervisor.slot('s').resume();
    await clock.settle();
    gate.open('done');
    await idle;
    expect(order).toEqual(['resumed', 'idle']);
  });
});
