// slot.cancel(), slot.view() and the table of slots.

import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { completed, rejected } from '../../support/outcomes.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

describe('a slot handle', () => {
  test('slot.cancel() stops the owner, rejects the whole queue in one step, and resolves at the proof of end', async () => {
    const { handle, add, owner, first, clock, supervisor, started } = await ownedSlot();
    const waiting = [add('next', { admission: 'replace' }), add('a'), add('b', { admission: 'keepLatest' })];
    const again = add('c');
    let over = false;
    const done = handle.cancel('closing').then(() => {
      over = true;
    });
    for (const one of [...waiting, again]) expect(await one.outcome).toEqual(rejected('canceled'));
    await clock.advance(1_000);
    expect([owner.calls[0]?.canceled, over]).toEqual([true, false]);
    const after = add('after'); // the slot accepts work again: it is stopping, not closed
    owner.open('late');
    await done;
    // The replacement came first, so its cause is in the outcome. A later cause changes nothing.
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'replace', value: 'late', attempts: 1 });
    expect(await after.outcome).toEqual(completed('after'));
    expect([started, supervisor.snapshot().slots]).toEqual([['after'], []]);
    await handle.cancel(); // idle: it resolves at once
  });

  test('slot.cancel() ends a running owner as canceled by slot, with the reason given', async () => {
    const { handle, owner, first } = await ownedSlot();
    const reason = new Error('closing');
    const done = handle.cancel(reason);
    owner.open('late');
    await done;
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'slot', reason, value: 'late', attempts: 1 });
  });

  test('slot.view() shows the owner, and the queue in the order of its starts', async () => {
    const { handle, add, owner, first, clock } = await ownedSlot();
    expect(handle.view()).toMatchObject({ name: 's', phase: 'running', paused: false, queuedCount: 0, queued: [] });
    add('a', { meta: { for: 'a' } });
    add('next', { admission: 'replace' });
    await clock.advance(30);
    expect(handle.view()).toMatchObject({
      phase: 'stopping',
      owner: { id: first.id, status: 'stopping', attempt: 1, sinceMs: 30 },
      queued: [
        { name: 'next', status: 'queued', attempt: 0, sinceMs: 30 },
        { name: 'a', meta: { for: 'a' } },
      ],
    });
    owner.open('go');
  });

  test('an idle slot leaves the table, and its configuration stays (S6)', async () => {
    const { handle, add, owner, clock, supervisor } = await ownedSlot();
    handle.configure({ admission: 'dropIfRunning', queueLimit: 0 });
    owner.open('done');
    await clock.settle();
    expect(supervisor.snapshot().slots).toEqual([]);
    expect(handle.view()).toEqual({ name: 's', phase: 'idle', paused: false, queuedCount: 0, queued: [] });
    const again = gateBody();
    add('again', { run: again.body });
    expect(await add('dropped').outcome).toMatchObject({ reason: 'slotBusy' });
    expect(await add('queued', { admission: 'queue' }).outcome).toEqual(rejected('queueFull'));
    again.open('done');
  });

  test.each(['pause then resume', 'cancel', 'idle', 'view', 'rejected submit'])(
    'an idle slot has no entry in the table after %s',
    async (what) => {
      const { supervisor } = setup();
      const handle = supervisor.slot('idle');
      if (what === 'cancel') await handle.cancel();
      else if (what === 'idle') await handle.idle();
      else if (what === 'view') handle.view();
      else if (what === 'rejected submit') handle.submit({ signal: AbortSignal.abort(), run: () => 'x' });
      else {
        handle.pause();
        expect(supervisor.snapshot().slots).toHaveLength(1);
        handle.resume();
      }
      expect(supervisor.snapshot().slots).toEqual([]);
    },
  );
});
