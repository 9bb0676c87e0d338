// The code of others that comes back into the library in the middle of a step: of a lease store, or of a signal that only looks like one.

import type { Lease, SlotLeases, Submission, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { finish, type GatedSlot, gatedSlot } from '../support/gated-slot.ts';
import { setup } from '../support/setup.ts';

const lease: Lease = { fence: 1n, lost: new AbortController().signal, release: () => {} };

/** The signal of a spec, whose removal calls back. */
const calling = (back: () => unknown) =>
  ({
    aborted: false,
    reason: undefined,
    addEventListener: () => {},
    removeEventListener: () => void back(),
  }) as unknown as AbortSignal;

/** The work of `s` has all ended, and the books know. */
async function expectAtRest(world: GatedSlot): Promise<void> {
  await finish(world);
  expect(world.supervisor.snapshot()).toMatchObject({ slots: [], running: 0, queued: 0 });
  await world.supervisor.idle();
  await world.clock.settle();
  expect(world.clock.timers).toBe(0);
}

describe('a stop that comes while the end of the owner is being told changes nothing (S3, S8)', () => {
  for (const [what, stop] of [
    ['a replacement', ({ submit }) => submit({ admission: 'replace' })],
    ['slot.cancel', ({ supervisor }) => supervisor.slot('s').cancel()],
    ['its own cancel', (_, owner) => owner.cancel()],
    ['a shutdown', ({ supervisor }) => supervisor.shutdown()],
  ] as readonly (readonly [string, (world: GatedSlot, owner: Submission) => unknown])[])
    test(what, async () => {
      let asked = 0;
      const contended = () => {
        asked += 1;
        if (asked === 1) void stop(world, owner);
        return false;
      };
      const leases: SlotLeases = {
        acquire: () => Object.defineProperty({ ...lease }, 'contended', { get: contended }),
      };
      const world = gatedSlot({ leases });
      const owner = world.submit();
      await world.clock.settle();
      world.gate.open('done');
      expect(await owner.outcome).toEqual({ kind: 'completed', value: 'done', attempts: 1 });
      expect(world.recorded.types(owner.id).filter((type) => type === 'stopRequested' || type === 'finished')).toEqual([
        'finished',
      ]);
      await expectAtRest(world);
      expect(world.supervisor.snapshot().totals).toMatchObject({ started: world.gate.calls.length });
    });
});

describe('one who shared a body, and cancels while its end is being told', () => {
  const sharing = async (back: (world: GatedSlot, joined: Submission) => void, behind?: Partial<TaskSpec>) => {
    const world = gatedSlot();
    const owner = world.submit({ signal: calling(() => back(world, joined)) });
    const joined = world.submit({ admission: 'join' });
    const next = behind && world.submit(behind);
    await world.clock.settle();
    world.gate.open('done');
    expect(await owner.value()).toBe('done');
    expect(await joined.value()).toBe('done');
    return { world, next };
  };

  test('does not stop the next owner', async () => {
    const { world, next } = await sharing((_, joined) => void joined.cancel(), {});
    await world.clock.settle();
    expect(next?.status).toBe('running');
    await expectAtRest(world);
  });

  test('does no harm where the slot has left its table', async () => {
    const seen: unknown[] = [];
    const { world } = await sharing(({ supervisor }, joined) => {
      void supervisor.slot('s').cancel();
      seen.push(supervisor.snapshot().slots);
      void joined.cancel();
      seen.push('the call returned');
    });
    expect(seen).toEqual([[], 'the call returned']);
    await expectAtRest(world);
  });

  test('has ended with an owner that the same step has stopped in its backoff', async () => {
    const world = gatedSlot();
    const owner = world.submit({ restart: 'onFailure' });
    const joined = world.submit({ admission: 'join' });
    const waiting = world.submit({
      signal: calling(() => {
        void world.supervisor.slot('s').cancel();
        void joined.cancel();
      }),
    });
    await world.clock.settle();
    world.gate.fail(new Error('try again'));
    await world.clock.settle();
    expect(joined.status).toBe('backoff');
    expect(await waiting.cancel()).toMatchObject({ kind: 'rejected' });
    for (const one of [owner, joined]) expect(await one.outcome).toEqual({ kind: 'canceled', by: 'slot', attempts: 1 });
    await expectAtRest(world);
  });
});

test('a lease store that begins the shutdown while a batch goes in: nothing of the rest starts (S7)', async () => {
  const asked: string[] = [];
  const leases: SlotLeases = {
    acquire: ({ slot }) => {
      asked.push(slot);
      void supervisor.shutdown();
      return lease;
    },
  };
  const { supervisor, clock } = setup({ leases });
  const run = () => 'ran';
  const [first, second] = supervisor.submitAll([
    { slot: 'a', run },
    { slot: 'b', run },
  ]);
  expect(await second.outcome).toEqual({ kind: 'rejected', reason: 'shuttingDown' });
  expect((await first.outcome).kind).not.toBe('completed');
  await clock.settle();
  expect([asked, supervisor.phase, supervisor.snapshot().slots]).toEqual([['a'], 'closed', []]);
});
