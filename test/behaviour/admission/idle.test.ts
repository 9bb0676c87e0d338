// slot.idle() and supervisor.idle().

import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

const GRACE = 1_000;

describe('slot.idle()', () => {
  test('slot.idle() resolves once the slot has neither owner nor queue, and stops or rejects no submission', async () => {
    const { handle, add, owner, clock, supervisor } = await ownedSlot();
    const order: string[] = [];
    const gate = gateBody();
    const idle = Promise.all([handle.idle(), handle.idle()]).then(() => order.push('idle'));
    const second = add('second', { run: gate.body });
    void second.outcome.then(() => order.push('second'));
    owner.open('first');
    await clock.settle();
    expect([order, second.status]).toEqual([[], 'running']);
    gate.open('second');
    await idle;
    expect(order.sort()).toEqual(['idle', 'second']);
    expect(supervisor.snapshot().slots).toEqual([]);
    await handle.idle();
  });

  test('slot.idle() of a paused slot with a queue waits until the slot is resumed', async () => {
    const { supervisor, clock } = setup();
    const handle = supervisor.slot('s');
    handle.pause();
    await handle.idle(); // paused, with neither owner nor queue
    handle.submit({ run: () => 'x' });
    let idle = false;
    void handle.idle().then(() => {
      idle = true;
    });
    await clock.advance(1_000);
    expect(idle).toBe(false);
    handle.resume();
    await clock.settle();
    expect(idle).toBe(true);
  });
});

describe('work that supervisor.tasks() does not list', () => {
  /** Two submissions share a body and are both canceled. The body ignores its stop request. */
  async function unlistedBody() {
    const world = gatedSlot();
    const both = [world.submit(), world.submit({ admission: 'join' })];
    await world.clock.settle();
    for (const one of both) void one.cancel();
    await Promise.all(both.map(({ outcome }) => outcome));
    expect(world.supervisor.tasks()).toEqual([]);
    return world;
  }

  test('supervisor.idle() waits for a body whose submissions have all been canceled', async () => {
    const { supervisor, clock, gate } = await unlistedBody();
    const order: string[] = [];
    const idle = supervisor.idle().then(() => order.push('idle'));
    await clock.settle();
    order.push('the body ends');
    gate.open('out');
    await idle;
    expect(order).toEqual(['the body ends', 'idle']);
  });

  test('a shutdown waits for a body whose submissions have all been canceled', async () => {
    const { supervisor, clock, gate } = await unlistedBody();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(10);
    expect(supervisor.phase).toBe('closing');
    gate.open('out');
    expect(await supervisor.closed).toMatchObject({ clean: true, abandoned: [] });
  });

  test('supervisor.idle() waits for a submission in the queue of a paused slot', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    supervisor.slot('s').pause();
    const submission = submit();
    const order: string[] = [];
    const idle = supervisor.idle().then(() => order.push('idle'));
    await clock.settle();
    expect([submission.status, supervisor.snapshot().owners]).toEqual(['queued', 0]);
    order.push('resumed');
    supervisor.slot('s').resume();
    await clock.settle();
    gate.open('done');
    await idle;
    expect(order).toEqual(['resumed', 'idle']);
  });
});
