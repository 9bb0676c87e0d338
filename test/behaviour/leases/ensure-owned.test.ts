// ctx.ensureOwned(): the body asks the store before an effect.

import type { Lease, TaskContext, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { expectAtRest, leasedSlot } from '../../support/leased-slot.ts';
import { setup } from '../../support/setup.ts';

const boom = new Error('no answer');

/** A running body under a lease with this `confirm`. */
async function running(confirm: Lease['confirm'], spec: Partial<TaskSpec<string>> = {}) {
  const store = FakeLeaseStore.granting();
  if (confirm !== undefined) store.fields = { confirm };
  const made = leasedSlot(store);
  const owner = made.put(spec);
  await made.clock.settle();
  return { ...made, owner, ctx: made.gate.calls[0] as TaskContext };
}

describe('ctx.ensureOwned()', () => {
  test('resolves for a local slot', async () => {
    const { supervisor } = setup();
    const task = supervisor.submit({ slot: 's', run: async (ctx) => [await ctx.ensureOwned()] });
    expect(await task.value()).toEqual([undefined]);
  });

  test('resolves when the store confirms, and when the lease has no confirm', async () => {
    for (const confirm of [async () => true, undefined]) {
      const { ctx, owner } = await running(confirm);
      await expect(ctx.ensureOwned()).resolves.toBeUndefined();
      expect(owner.status).toBe('running');
    }
  });

  test('may be destructured, and asks the store each time', async () => {
    let asked = 0;
    const { ctx } = await running(async () => {
      asked += 1;
      return true;
    });
    const { ensureOwned } = ctx;
    await ensureOwned();
    await ensureOwned();
    expect(asked).toBe(2);
  });

  for (const [what, answer] of [
    ['false', false],
    ['nothing', undefined],
  ] as const)
    test(`rejects with the stop reason when the store answers ${what}: the lease is lost`, async () => {
      const { clock, ctx, gate, owner, store } = await running(async () => answer as boolean);
      await expect(ctx.ensureOwned()).rejects.toMatchObject({ name: 'CanceledError', by: 'leaseLost' });
      expect([owner.status, ctx.canceled]).toEqual(['stopping', true]);
      gate.open('out');
      expect(await owner.outcome).toEqual({ kind: 'canceled', by: 'leaseLost', value: 'out', attempts: 1 });
      await clock.settle();
      expect(store.calls).toEqual(['acquire s', 'release s 1']);
    });

  test('that finds a loss suspends an owner with another restart than never', async () => {
    const { clock, ctx, gate, store, owner } = await running(async () => false, { restart: 'onFailure' });
    store.respond = () => undefined;
    await expect(ctx.ensureOwned()).rejects.toMatchObject({ by: 'leaseLost' });
    gate.fail(ctx.signal.reason);
    await clock.settle();
    expect(owner.status).toBe('suspended');
  });

  test('rejects without the lease being asked once held is false, or once the attempt is stopped', async () => {
    let asked = 0;
    const confirm = async () => {
      asked += 1;
      return true;
    };
    const lost = await running(confirm);
    lost.store.lease.held = false;
    await expect(lost.ctx.ensureOwned()).rejects.toMatchObject({ by: 'leaseLost' });
    const canceled = await running(confirm);
    void canceled.owner.cancel();
    await expect(canceled.ctx.ensureOwned()).rejects.toMatchObject({ by: 'caller' });
    expect(asked).toBe(0);
  });

  test('rejects when held is false by the time of the answer', async () => {
    const { ctx, store } = await running(async () => {
      store.lease.held = false;
      return true;
    });
    await expect(ctx.ensureOwned()).rejects.toMatchObject({ by: 'leaseLost' });
  });

  for (const [what, confirm] of [
    ['throws', () => raise()],
    ['rejects', () => Promise.reject(boom)],
  ] as const)
    test(`rejects with the error of a store that ${what}, and the attempt goes on`, async () => {
      const { ctx, owner, gate } = await running(confirm);
      await expect(ctx.ensureOwned()).rejects.toBe(boom);
      expect([owner.status, ctx.canceled]).toEqual(['running', false]);
      gate.open('value');
      expect(await owner.value()).toBe('value');
    });

  test('rejects with the stop reason while the store hangs, and a late answer changes nothing', async () => {
    let answer = (_: boolean): void => {};
    const made = await running(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    const { clock, ctx, owner, gate } = made;
    const asked = ctx.ensureOwned();
    void owner.cancel();
    await expect(asked).rejects.toMatchObject({ by: 'caller' });
    gate.open('out');
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', by: 'caller' });
    answer(false);
    await clock.settle();
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', by: 'caller' });
    await expectAtRest(made);
  });

  test('rejects after the end of its attempt, and does not ask the store', async () => {
    let asked = 0;
    const { clock, ctx, gate } = await running(async () => {
      asked += 1;
      return true;
    });
    gate.open('value');
    await clock.settle();
    await expect(ctx.ensureOwned()).rejects.toThrow('the attempt that waited for this has ended');
    expect(asked).toBe(0);
  });

  test('that is dropped is no unhandled rejection', async () => {
    const { clock, ctx } = await running(() => Promise.reject(boom));
    void ctx.ensureOwned();
    await clock.settle();
  });
});

function raise(): never {
  throw boom;
}
