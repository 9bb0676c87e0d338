// Every submission gets its outcome with any behaviour of the lease store.

import type { Submission } from 'slotvisor';
import { seededRandom } from 'slotvisor/testing';
import { expect, test } from 'vitest';
import { ADMISSION_POLICIES } from '../../../src/model/settings.ts';
import type { Ask, FakeLease } from '../../support/fake-lease-store.ts';
import { expectAtRest, leasedSlot } from '../../support/leased-slot.ts';

test('with any behaviour of the lease store every submission gets one outcome and the totals agree (S1, S2, S3, S10)', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = seededRandom(seed);
    const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
    const made = leasedSlot();
    const { supervisor, clock, store, gate, put } = made;
    const all: Submission[] = [];
    const open = (): Ask[] => store.asks.filter(({ answered }) => !answered);
    const held = (): FakeLease[] => store.leases.filter(({ state }) => state === 'held');
    const submit = (): void =>
      void all.push(put({ slot: random() < 0.7 ? 'a' : 'b', admission: pick(ADMISSION_POLICIES) }));
    const steps: readonly (() => void)[] = [
      submit,
      submit,
      submit,
      () => pick(open())?.grant(),
      () => pick(open())?.grant(),
      () => pick(open())?.deny(),
      () => pick(open())?.fail(new Error('down')),
      () => pick(held())?.lose(),
      () => pick(held())?.revoke(),
      () => Object.assign(pick(held()) ?? {}, { contended: true }),
      () => void pick(all)?.cancel(),
      () => gate.open('value'),
      () => gate.fail(new Error('no')),
      () => supervisor.slot('a').pause(),
      () => supervisor.slot('a').resume(),
    ];
    for (let n = 0; n < 150; n += 1) {
      pick(steps)?.();
      if (random() < 0.6) await clock.settle();
      const owners = supervisor.snapshot().slots.filter(({ owner }) => owner !== undefined);
      expect(gate.alive).toBeLessThanOrEqual(owners.length);
    }
    supervisor.slot('a').resume();
    for (let turn = 0; turn < 500 && (supervisor.tasks().length > 0 || open().length > 0); turn += 1) {
      for (const ask of open()) ask.grant();
      while (gate.alive > 0) gate.open('end');
      await clock.settle();
    }
    const { completed, failed, canceled, rejected, submitted } = supervisor.snapshot().totals;
    expect(completed + failed + canceled + rejected).toBe(submitted);
    const outcomes = await Promise.all(all.map((one) => one.outcome));
    expect(outcomes.filter(({ kind }) => kind === 'rejected')).toHaveLength(rejected);
    expect(store.violations).toEqual([]);
    await expectAtRest(made);
  }
});
