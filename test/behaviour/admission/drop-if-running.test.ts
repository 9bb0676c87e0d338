// The admission policy `dropIfRunning`.

import type { Lease, LeaseRequest, Submission, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { PLAIN_BACKOFF, polite } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { completed, rejected } from '../../support/outcomes.ts';
import { type Setup, setup } from '../../support/setup.ts';

const lease = (fence: bigint, lost = new AbortController()): Lease => ({
  fence,
  lost: lost.signal,
  release: () => {},
});

/** A request that is answered when it is called off. */
const calledOff = ({ signal }: LeaseRequest): Promise<null> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

const drop = ({ supervisor }: Setup, spec: Partial<TaskSpec> = {}): Submission =>
  supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: () => 'ran', ...spec });

describe('admission dropIfRunning', () => {
  test('is rejected while an owner waits at the gate, between attempts, or has overrun, and names it', async () => {
    const situations: readonly ((world: Setup) => Promise<Submission>)[] = [
      async (world) => {
        world.supervisor.pause();
        return world.supervisor.submit({ slot: 's', run: polite });
      },
      async (world) => {
        const fails = () => Promise.reject(new Error('no'));
        const owner = world.supervisor.submit({ slot: 's', backoff: PLAIN_BACKOFF, run: fails });
        await world.clock.settle();
        return owner;
      },
      async (world) => {
        const owner = world.supervisor.submit({ slot: 's', graceMs: 0, run: gateBody().body });
        await world.clock.settle();
        void owner.cancel();
        await world.clock.advance(1);
        return owner;
      },
    ];
    for (const lead of situations) {
      const world = setup();
      const owner = await lead(world);
      expect(await drop(world).outcome).toEqual(rejected('slotBusy', owner));
    }
  });

  test('is rejected while an owner is suspended, and names it', async () => {
    const lost = new AbortController();
    let granted = 0;
    const acquire = (request: LeaseRequest) => {
      granted += 1;
      return granted === 1 ? lease(1n, lost) : calledOff(request);
    };
    const world = setup({ leases: { acquire } });
    const owner = world.supervisor.submit({ slot: 's', run: polite });
    await world.clock.settle();
    lost.abort();
    await world.clock.settle();
    expect(owner.status).toBe('suspended');
    expect(await drop(world).outcome).toEqual(rejected('slotBusy', owner));
  });

  test('is rejected while a submission waits for the lease of the slot, and names it', async () => {
    const world = setup({ leases: { acquire: calledOff } });
    const waiting = world.supervisor.submit({ slot: 's', run: polite });
    expect(await drop(world).outcome).toEqual(rejected('slotBusy', waiting));
  });

  test('waits for the lease where the request before it was called off and is not answered yet', async () => {
    let answer: (lease: Lease | null) => void = () => {};
    let requests = 0;
    const acquire = () => {
      requests += 1;
      if (requests > 1) return lease(2n);
      return new Promise<Lease | null>((resolve) => {
        answer = resolve;
      });
    };
    const world = setup({ leases: { acquire } });
    await world.supervisor.submit({ slot: 's', run: polite }).cancel();
    const dropped = drop(world);
    expect(dropped.status).toBe('queued');
    answer(null);
    expect(await dropped.outcome).toEqual(completed('ran'));
  });

  test('on a paused slot waits if no submission is there, and is rejected behind the first that waits', async () => {
    const world = setup();
    const slot = world.supervisor.slot('s');
    slot.pause();
    const first = drop(world);
    expect(first.admission).toBe('queued');
    expect(await drop(world).outcome).toEqual(rejected('slotBusy', first));
    const next = slot.submit({ admission: 'replace', run: polite });
    expect(await drop(world).outcome).toEqual(rejected('slotBusy', next));
    slot.resume();
    await world.clock.settle();
    expect(next.status).toBe('running');
  });
});
