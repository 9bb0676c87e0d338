// The admission policy `replace`.

import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { completed, rejected } from '../../support/outcomes.ts';
import { orderedSlot } from '../../support/owned-slot.ts';
import { setup } from '../../support/setup.ts';

describe('admission replace', () => {
  test('a replacement starts only after the old body has ended, however long that takes (S1)', async () => {
    const { clock, supervisor, owner, first, add, order } = await orderedSlot();
    const second = add('fresh', 'replace');
    await clock.advance(3_600_000);
    expect(owner.calls[0]?.canceled).toBe(true);
    expect([first.status, order]).toEqual(['overrun', []]);
    owner.open('too late');
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'replace', value: 'too late', attempts: 1 });
    expect((await second.outcome).kind).toBe('completed');
    expect(supervisor.snapshot().slots).toEqual([]);
  });

  test('a replacement in the same turn takes the slot at once, and the body of the first is never called', async () => {
    const { supervisor, clock } = setup();
    const gate = gateBody();
    const first = supervisor.submit({ slot: 's', run: gate.body });
    const second = supervisor.submit({ slot: 's', admission: 'replace', run: () => 'second' });
    expect([first.admission, second.admission]).toEqual(['started', 'started']);
    expect(await first.outcome).toEqual({ kind: 'canceled', by: 'replace', attempts: 0 });
    expect(await second.outcome).toEqual(completed('second'));
    await clock.settle();
    expect(gate.calls).toHaveLength(0);
  });

  test('of many replacements only the last one runs, each other one is superseded by its successor, and the owner gets one stop request', async () => {
    const { clock, owner, add, order, recorded } = await orderedSlot();
    const storm = Array.from({ length: 50 }, (_, n) => add(`r${n}`, 'replace'));
    await clock.settle();
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['r49']);
    expect(recorded.of('stopRequested')).toHaveLength(1);
    for (const [n, one] of storm.entries()) {
      const after = storm[n + 1];
      expect(await one.outcome).toEqual(after === undefined ? completed(1) : rejected('superseded', after));
    }
  });

  test('a replacement does not count towards queueLimit and evicts no queued submission', async () => {
    const { clock, owner, add, order } = await orderedSlot({ queueLimit: 1 });
    const [next, queued, other] = [add('next', 'replace'), add('queued'), add('one too many')];
    expect([queued, next, other].map(({ admission }) => admission)).toEqual(['queued', 'queued', 'rejected']);
    expect(await other.outcome).toEqual({ kind: 'rejected', reason: 'queueFull' });
    owner.open('old');
    await clock.settle();
    expect(order).toEqual(['next', 'queued']);
  });
});
