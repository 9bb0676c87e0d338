// A lease that can no longer be proved: `held`, and the grace of a loss.

import type { TaskContext, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { FakeLeaseStore, leaseWith } from '../../support/fake-lease-store.ts';
import { expectAtRest, leasedSlot, owned } from '../../support/leased-slot.ts';
import { setup } from '../../support/setup.ts';

const KEEP: Partial<TaskSpec<string>> = { restart: 'always', intervalMs: 1_000 };

describe('a lease whose held is false', () => {
  test('has no next attempt: its owner is suspended', async () => {
    const { clock, store, gate, owner } = await owned(KEEP);
    store.respond = () => undefined;
    gate.open('value');
    await clock.settle();
    store.lease.held = false;
    await clock.advance(1_000);
    expect([owner.status, gate.calls.length]).toEqual(['suspended', 1]);
    expect(store.calls).toEqual(['acquire s', 'release s 1', 'acquire s']);
  });

  test('has no first attempt', async () => {
    const { supervisor, clock, store, gate, put } = leasedSlot(FakeLeaseStore.granting());
    supervisor.pause();
    const owner = put();
    await clock.settle();
    store.lease.held = false;
    supervisor.resume();
    expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', attempts: 0 });
    expect(gate.calls).toEqual([]);
  });

  test('was lost before it was granted, if it is false then', async () => {
    const store = FakeLeaseStore.granting();
    store.fields = { held: false };
    const made = leasedSlot(store);
    expect(await made.put().outcome).toMatchObject({
      reason: 'leaseUnavailable',
      error: { message: 'the lease was lost before it was granted' },
    });
    await expectAtRest(made);
  });

  for (const [what, look] of [
    ['ctx.canceled', (ctx: TaskContext) => ctx.canceled],
    [
      'ctx.throwIfCanceled()',
      (ctx: TaskContext) => {
        try {
          ctx.throwIfCanceled();
          return false;
        } catch (error) {
          expect(error).toMatchObject({ by: 'leaseLost' });
          return true;
        }
      },
    ],
  ] as const) {
    test(`is seen by ${what} in the same turn, and stays seen when held is true again`, async () => {
      const { clock, store, gate, owner } = await owned();
      const ctx = gate.calls[0] as TaskContext;
      expect(look(ctx)).toBe(false);
      store.lease.held = false;
      expect(owner.status).toBe('running'); // it is asked, and does not report itself
      expect(look(ctx)).toBe(true);
      store.lease.held = true;
      expect([look(ctx), owner.status]).toEqual([true, 'stopping']);
      gate.open('out');
      expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', value: 'out', attempts: 1 });
      await clock.settle();
      expect(store.calls).toEqual(['acquire s', 'release s 1']);
    });
  }

  test('is asked for the attempt of its own: a body that was given up sees the lease that it ran under', async () => {
    const store = FakeLeaseStore.granting();
    store.givesUpBodies = true;
    const { clock, gate, put } = leasedSlot(store);
    const owner = put({ onOverrun: 'abandon' });
    const next = put();
    await clock.settle();
    void owner.cancel();
    await clock.advance(100);
    expect(next.status).toBe('running');
    Object.assign(store.leases[0] ?? {}, { held: false });
    const [first, second] = gate.calls as [TaskContext, TaskContext];
    expect([first.canceled, first.fence, second.canceled, second.fence]).toEqual([true, 1n, false, 2n]);
    expect(next.status).toBe('running');
  });

  test('in a getter that cancels the owner lets no attempt begin (S1)', async () => {
    let armed = false;
    const lease = Object.defineProperty(leaseWith({}), 'held', {
      get: () => {
        if (armed) void owner.cancel();
        return true;
      },
    });
    const { supervisor, clock } = setup({ leases: { acquire: () => lease } });
    let calls = 0;
    supervisor.pause();
    const run = (): void => {
      calls += 1;
    };
    const owner = supervisor.submit({ slot: 's', run });
    await clock.settle();
    armed = true;
    supervisor.resume();
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', by: 'caller', attempts: 0 });
    await clock.settle();
    expect([calls, supervisor.snapshot().totals.attempts]).toEqual([0, 0]);
  });
});

describe('the graceMs of a lease', () => {
  test('is the grace of the body after a loss, where it is shorter than that of the task', async () => {
    const { clock, store, owner } = await owned();
    store.lease.graceMs = 30;
    expect(owner.status).toBe('running');
    store.lease.lose();
    await clock.advance(99);
    expect(owner.status).toBe('stopping'); // read once, when the lease was granted
    await clock.advance(1);
    expect(owner.status).toBe('overrun');
  });

  for (const [graceMs, dueMs] of [
    [30, 30],
    [0, 0],
    [100, 100],
    [5_000, 100],
  ] as const)
    test(`of ${graceMs} ms makes a body with a grace of 100 ms overrun after ${dueMs} ms`, async () => {
      const store = FakeLeaseStore.granting();
      store.fields = { graceMs };
      const { clock, put } = leasedSlot(store);
      const owner = put(KEEP);
      await clock.settle();
      store.lease.lose();
      expect(owner.status).toBe('stopping');
      if (dueMs > 0) await clock.advance(dueMs - 1);
      expect(owner.status).toBe('stopping');
      await clock.advance(dueMs > 0 ? 1 : 0);
      expect(owner.status).toBe('overrun');
    });

  test('shortens the grace of a body that is stopping already, and never prolongs it', async () => {
    const store = FakeLeaseStore.granting();
    store.fields = { graceMs: 30 };
    for (const [lostMs, dueMs] of [
      [10, 40],
      [90, 100],
    ] as const) {
      const { clock, put } = leasedSlot(store);
      const owner = put({ slot: `after ${lostMs}` });
      await clock.settle();
      void owner.cancel();
      await clock.advance(lostMs);
      store.lease.lose();
      await clock.advance(dueMs - lostMs - 1);
      expect(owner.status).toBe('stopping');
      await clock.advance(1);
      expect(owner.status).toBe('overrun');
    }
  });

  test('does not begin again with a later report of the same loss', async () => {
    const store = FakeLeaseStore.granting();
    let answer = (_: boolean): void => {};
    store.fields = { graceMs: 30, confirm: () => new Promise((resolve) => (answer = resolve)) };
    const { clock, gate, put } = leasedSlot(store);
    const owner = put();
    await clock.settle();
    const asked = gate.calls[0]?.ensureOwned();
    store.lease.lose();
    await clock.advance(20);
    answer(false);
    await expect(asked).rejects.toMatchObject({ by: 'leaseLost' });
    await clock.advance(10);
    expect(owner.status).toBe('overrun');
  });

  test('is the time in which a killable body is killed, so its end is proved before another process starts', async () => {
    const store = FakeLeaseStore.granting();
    store.fields = { graceMs: 30 };
    const { supervisor, clock } = setup({ leases: store });
    let killedMs = Number.NaN;
    const kill = (): void => {
      killedMs = clock.now();
    };
    const run = { run: never, kill };
    const owner = supervisor.submit({ slot: 's', restart: 'never', run });
    await clock.advance(5);
    store.lease.lose();
    await clock.advance(30);
    expect(killedMs).toBe(35);
    expect(await owner.outcome).toEqual({ kind: 'killed', by: 'leaseLost', attempts: 1 });
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
  });

  test('lets a killable owner go on with a fresh attempt under the next lease', async () => {
    const store = FakeLeaseStore.granting();
    store.fields = { graceMs: 30 };
    const { supervisor, clock } = setup({ leases: store });
    const fences: bigint[] = [];
    const body = (ctx: TaskContext): Promise<never> => {
      fences.push(ctx.fence);
      return never();
    };
    const run = { run: body, kill: () => {} };
    const owner = supervisor.submit({ slot: 's', restart: 'onFailure', run });
    await clock.settle();
    store.lease.lose();
    await clock.advance(30);
    expect([owner.status, fences]).toEqual(['running', [1n, 2n]]);
  });
});
