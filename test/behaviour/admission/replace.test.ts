// admission: replace.

import type { Outcome, Submission } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { orderedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

const value = (what: unknown, attempts = 1): Outcome => ({ kind: 'completed', value: what, attempts });

const superseded = (by: Submission): Outcome => ({ kind: 'rejected', reason: 'superseded', by: by.id });

describe('admission replace', () => {
  test('a replacement starts only after the old body has ended, however long that takes (S1)', async () => {
    const { clock, supervisor, owner, first, add, order } = await orderedSlot();
    const second = add('fresh', 'replace');
    await clock.advance(3_600_000);
    expect(owner.calls[0]?.canceled).toBe(true);
    expect([first.status, order]).toEqual(['overrun', []]);
    owner.open('too late');
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'replace', attempts: 1 });
    expect((await second.outcome).kind).toBe('completed');
    expect(supervisor.snapshot().slots).toEqual([]);
  });

  test('a replacement in the same turn: the first body is never called, and the slot is handed over at once', async () => {
    const { supervisor, clock } = setup();
    const gate = gateBody();
    const first = supervisor.submit({ slot: 's', run: gate.body });
    const second = supervisor.submit({ slot: 's', admission: 'replace', run: () => 'second' });
    expect([first.admission, second.admission]).toEqual(['started', 'started']);
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'replace', attempts: 0 });
    expect(await second.outcome).toEqual(value('second'));
    await clock.settle();
    expect(gate.calls).toHaveLength(0);
  });

  test('of many replacements the last one runs, the others are superseded by their successor, the owner is told once', async () => {
    const { clock, owner, add, order, recorded } = await orderedSlot();
    const storm = Array.from({ length: 50 }, (_, n) => add(`r${n}`, 'replace'));
    await clock.settle();
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['r49']);
    expect(recorded.of('stopRequested')).toHaveLength(1);
    for (const [n, one] of storm.entries()) {
      const after = storm[n + 1];
      expect(await one.outcome).toEqual(after === undefined ? value(1) : superseded(after));
    }
  });

  test('a replacement counts to no limit and evicts no queued work', async () => {
    const { clock, owner, add, order } = await orderedSlot({ queueLimit: 1 });
    const [next, queued, other] = [add('next', 'replace'), add('queued'), add('one too many')];
    expect([queued, next, other].map(({ admission }) => admission)).toEqual(['queued', 'queued', 'rejected']);
    expect(await other.outcome).toEqual({ kind: 'rejected', reason: 'queueFull' });
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['next', 'queued']);
  });
});
