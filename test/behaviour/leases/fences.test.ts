// A fence grows with every lease of a slot. A lease with another fence is refused.

import type { SlotLeases } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { leaseWith } from '../../support/fake-lease-store.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { setup } from '../../support/setup.ts';

/** A store that grants leases with the given fences, in the turn of the request. */
function storeOf(...fences: bigint[]) {
  const released: bigint[] = [];
  const acquire: SlotLeases['acquire'] = () => {
    const fence = fences.shift() ?? 0n;
    return leaseWith({ fence, release: () => void released.push(fence) });
  };
  return { acquire, released };
}

const fenceOf = ({ fence }: { readonly fence: bigint }): bigint => fence;

describe('a lease whose fence is not greater than the last one of its slot', () => {
  test.for([10n, 3n, 0n, -1n])('(%d after 10) is refused and released, and no body runs under it', async (fence) => {
    const leases = storeOf(10n, fence, 11n);
    const { supervisor, clock } = setup({ leases });
    const submit = () => supervisor.submit({ slot: 's', run: fenceOf });
    expect(await submit().value()).toBe(10n);
    await clock.settle();
    expect(await submit().outcome).toEqual({
      kind: 'rejected',
      reason: 'leaseUnavailable',
      error: new RangeError(`the lease's fence must be greater than 10, the last one of this slot: it is ${fence}`),
    });
    expect(await submit().value()).toBe(11n);
    await clock.settle();
    expect(leases.released).toEqual([10n, fence, 11n]);
  });

  test('is refused while the slot is in the table, too', async () => {
    const leases = storeOf(5n, 5n, 6n);
    const { supervisor, submit, clock, gate } = gatedSlot({ leases });
    supervisor.slot('s').pause();
    supervisor.slot('s').resume();
    submit();
    const [second, third] = [submit(), submit()];
    await clock.settle();
    supervisor.slot('s').pause(); // the lease is released at the end, and the slot stays
    gate.open('first');
    await clock.settle();
    supervisor.slot('s').resume();
    expect(await second.outcome).toMatchObject({ kind: 'rejected', reason: 'leaseUnavailable' });
    await clock.settle();
    expect([third.status, gate.calls.at(-1)?.fence]).toEqual(['running', 6n]);
  });

  test('ends a suspended owner as canceled by leaseLost, with the error as the reason', async () => {
    const lost = new AbortController();
    const answers = [leaseWith({ fence: 4n, lost: lost.signal }), leaseWith({ fence: 4n })];
    const { submit, clock, gate } = gatedSlot({ leases: { acquire: () => answers.shift() ?? null } });
    const owner = submit({ restart: 'always' });
    await clock.settle();
    lost.abort();
    gate.open('dropped');
    expect(await owner.outcome).toMatchObject({ by: 'leaseLost', reason: { name: 'RangeError' } });
    expect(gate.calls).toHaveLength(1);
  });

  test('is refused also after a lease that was lost before it was granted', async () => {
    const answers = [leaseWith({ fence: 7n, lost: AbortSignal.abort() }), leaseWith({ fence: 7n })];
    const { submit } = gatedSlot({ leases: { acquire: () => answers.shift() ?? null } });
    expect(await submit().outcome).toMatchObject({ error: { message: 'the lease was lost before it was granted' } });
    expect(await submit().outcome).toMatchObject({ error: { name: 'RangeError' } });
  });
});

test('a first fence may be any bigint, and each slot has its own', async () => {
  const { supervisor } = setup({ leases: storeOf(-5n, -5n, -4n) });
  const fences: bigint[] = [];
  for (const slot of ['a', 'b', 'a']) fences.push(await supervisor.submit({ slot, run: fenceOf }).value());
  expect(fences).toEqual([-5n, -5n, -4n]);
});

test('of the slots that left the table the last fence of the last 10,000 is remembered, and of at most 20,000', async () => {
  const { supervisor, clock } = setup({ leases: { acquire: () => leaseWith({ fence: 1n }) } });
  const run = async (n: number) => (await supervisor.submit({ slot: `s${n}`, run: fenceOf }).outcome).kind;
  for (let n = 0; n <= 20_000; n += 1) expect(await run(n)).toBe('completed');
  await clock.settle();
  expect([await run(10_001), await run(20_000), await run(0)]).toEqual(['rejected', 'rejected', 'completed']);
});
