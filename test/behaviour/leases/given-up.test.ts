// Bodies that were given up: their lease is kept until they have ended.

import type { TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { FakeLeaseStore } from '../../support/fake-lease-store.ts';
import { gatedSlot } from '../../support/gated-slot.ts';
import { expectAtRest, leasedSlot } from '../../support/leased-slot.ts';

const ABANDON: Partial<TaskSpec<string>> = { onOverrun: 'abandon' };

/** A slot in which bodies are given up. */
function slot() {
  const store = FakeLeaseStore.granting();
  store.givesUpBodies = true;
  return leasedSlot(store);
}

/** An owner whose body was given up and is alive. */
async function givenUp(spec: Partial<TaskSpec<string>> = {}) {
  const made = slot();
  const owner = made.put({ ...ABANDON, ...spec });
  await made.clock.settle();
  void owner.cancel();
  await made.clock.advance(100);
  expect(await owner.outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
  return { ...made, owner };
}

describe('the lease of a body that was given up', () => {
  test('is released when the body has ended, and the slot is idle meanwhile', async () => {
    const made = await givenUp();
    const { supervisor, clock, store, gate } = made;
    expect(supervisor.snapshot()).toMatchObject({ slots: [], abandonedAlive: 1 });
    await clock.advance(3_600_000);
    expect(store.calls).toEqual(['acquire s']);
    gate.open('at last');
    await expectAtRest(made);
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
  });

  test('is not used by the next owner, which has a lease of its own with a greater fence', async () => {
    const made = slot();
    const { clock, store, gate, put } = made;
    const owner = put(ABANDON);
    const next = put();
    await clock.settle();
    void owner.cancel();
    await clock.advance(100);
    expect([next.status, store.calls]).toEqual(['running', ['acquire s', 'acquire s']]);
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 2n]);
    gate.open('the first body');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'acquire s', 'release s 1']);
    gate.open('the second body');
    expect(await next.value()).toBe('the second body');
    await expectAtRest(made);
    expect(store.calls.at(-1)).toBe('release s 2');
  });

  test('stays as long as its body, also when the next owner ends first', async () => {
    const { clock, store, put } = await givenUp();
    const next = put();
    await clock.settle();
    void next.cancel();
    await clock.advance(100);
    expect(next.status).toBe('overrun');
    expect(store.calls).toEqual(['acquire s', 'acquire s']);
  });

  test('is released when the last of several bodies under it has ended', async () => {
    const made = slot();
    const { supervisor, clock, store, gate, put } = made;
    const owner = put({ ...ABANDON, restart: 'onFailure', timeoutMs: 10, maxRetries: 1, backoff: { firstMs: 1 } });
    await clock.advance(300);
    expect(await owner.outcome).toMatchObject({ kind: 'failed', attempts: 2 });
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 1n]);
    expect(supervisor.snapshot().abandonedAlive).toBe(2);
    gate.open('one');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s']);
    gate.fail(new Error('two'));
    await expectAtRest(made);
    expect(store.calls).toEqual(['acquire s', 'release s 1']);
  });

  test('is kept for its owner while that goes on, and for the next one if the body has ended by then', async () => {
    const made = slot();
    const { clock, store, gate, put } = made;
    put({ ...ABANDON, restart: 'onFailure', timeoutMs: 10, backoff: { firstMs: 1 } });
    const next = put();
    await clock.advance(115);
    expect(gate.alive).toBe(2);
    gate.open('the first attempt, given up');
    gate.open('the second attempt');
    await clock.settle();
    expect([next.status, store.calls]).toEqual(['running', ['acquire s']]);
    gate.open('next');
    await expectAtRest(made);
  });

  test('that is lost is not released before, and its owner goes on under the next lease', async () => {
    const made = slot();
    const { clock, store, gate, put } = made;
    const owner = put({ ...ABANDON, restart: 'always', intervalMs: 1_000 });
    await clock.settle();
    store.lease.lose();
    await clock.advance(100);
    expect([owner.status, store.calls]).toEqual(['running', ['acquire s', 'acquire s']]);
    expect(gate.calls.map(({ fence }) => fence)).toEqual([1n, 2n]);
    gate.open('given up');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'acquire s', 'release s 1']);
    void owner.cancel();
    gate.open('out');
    await expectAtRest(made);
  });

  test('and those of several bodies in a row are each released at the end of its own', async () => {
    const made = slot();
    const { clock, store, gate, put } = made;
    for (let n = 0; n < 3; n += 1) {
      const owner = put(ABANDON);
      await clock.settle();
      void owner.cancel();
      await clock.advance(100);
    }
    expect(store.calls).toEqual(['acquire s', 'acquire s', 'acquire s']);
    for (const fence of [1, 2, 3]) {
      gate.open('at last');
      await clock.settle();
      expect(store.calls.at(-1)).toBe(`release s ${fence}`);
    }
    expect(store.violations).toEqual([]);
  });

  test('is released while a request for its slot is pending, since the request may wait for that', async () => {
    const { clock, store, gate, put } = await givenUp();
    store.respond = () => undefined;
    const next = put();
    gate.open('at last');
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'acquire s', 'release s 1']);
    store.ask.grant();
    await clock.settle();
    expect(next.status).toBe('running');
  });

  test('is released once, also where the body settles and its kill resolves', async () => {
    const store = FakeLeaseStore.granting();
    store.givesUpBodies = true;
    const { supervisor, clock, gate } = leasedSlot(store);
    let dead = (): void => {};
    const kill = (): Promise<void> =>
      new Promise((resolve) => {
        dead = resolve;
      });
    supervisor.submit({ slot: 's', restart: 'never', run: { run: gate.body, kill } });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 10 });
    await clock.advance(20_000);
    expect(await report).toMatchObject({ abandoned: [{ slot: 's' }] });
    gate.open('at last');
    dead();
    await clock.settle();
    expect(store.calls).toEqual(['acquire s', 'close', 'release s 1']);
  });
});

test('a body that was given up in a local slot changes no other slot, and the next owner starts at once', async () => {
  const { supervisor, clock, gate, submit } = gatedSlot({ defaults: { graceMs: 100 } });
  const owner = submit(ABANDON);
  const next = submit();
  await clock.settle();
  void owner.cancel();
  await clock.advance(100);
  expect([next.status, supervisor.snapshot().abandonedAlive]).toEqual(['running', 1]);
  expect(gate.calls.map(({ fence }) => fence)).toEqual([0n, 0n]);
});
