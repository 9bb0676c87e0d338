// slot.idle() and supervisor.idle().

import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

const GRACE = 1_000;

describe('slot.idle()', () => {
  test('drain resolves once there is neither owner nor queue; it stops nothing and turns nothing away', async () => {
    const { handle, add, owner, clock, supervisor } = await ownedSlot();
    const order: string[] = [];
    const gate = gateBody();
    const drained = Promise.all([handle.idle(), handle.idle()]).then(() => order.push('drained'));
    const second = add('second', { run: gate.body });
    void second.outcome.then(() => order.push('second'));
    owner.open('first');
    await clock.settle();
    expect([order, second.status]).toEqual([[], 'running']);
    gate.open('second');
    await drained;
    expect(order.sort()).toEqual(['drained', 'second']);
    expect(supervisor.snapshot().slots).toEqual([]);
    await handle.idle();
  });

  test('drain of a paused slot with waiting work waits for its resume', async () => {
    const { supervisor, clock } = setup();
    const handle = supervisor.slot('s');
    handle.pause();
    await handle.idle(); // paused, with neither owner nor queue
    handle.submit({ run: () => 'x' });
    let drained = false;
    void handle.idle().then(() => {
      drained = true;
    });
    await clock.advance(1_000);
    expect(drained).toBe(false);
    handle.resume();
    await clock.settle();
    expect(drained).toBe(true);
  });
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
