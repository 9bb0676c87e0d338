// A supervisor on virtual time with a fake lease store, and one slot whose bodies the test opens.

import type { Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { expect } from 'vitest';
import { FakeLeaseStore } from './fake-lease-store.ts';
import { type GateBody, gateBody } from './gate.ts';
import { type Setup, setup } from './setup.ts';

export interface LeasedSlot extends Setup {
  readonly store: FakeLeaseStore;
  readonly gate: GateBody<string>;
  /** Submits the body of the gate, with a check that it starts under a held lease (S2). */
  put(spec?: Partial<TaskSpec<string>>): Submission<string>;
}

export function leasedSlot(store = new FakeLeaseStore(), options: SupervisorOptions = {}): LeasedSlot {
  const base = setup({ leases: store, defaults: { graceMs: 100 }, ...options });
  const gate = gateBody();
  const run = store.guard(gate.body);
  return { ...base, store, gate, put: (spec) => base.supervisor.submit({ slot: 's', restart: 'never', ...spec, run }) };
}

export const grantingSlot = (): LeasedSlot => leasedSlot(FakeLeaseStore.granting());

/** An owner of slot `s` that runs under a granted lease. */
export async function owned(spec: Partial<TaskSpec<string>> = {}): Promise<LeasedSlot & { owner: Submission<string> }> {
  const made = grantingSlot();
  const owner = made.put(spec);
  await made.clock.settle();
  expect(made.gate.alive).toBe(1);
  return { ...made, owner };
}

/** Checks that neither the supervisor nor the store holds anything of the slot. */
export async function expectAtRest({ supervisor, clock, store, gate }: LeasedSlot): Promise<void> {
  await clock.settle();
  expect(gate.alive).toBe(0);
  expect(supervisor.snapshot()).toMatchObject({ slots: [], owners: 0, queued: 0 });
  expect(supervisor.tasks()).toEqual([]);
  expect(store.leases.filter(({ state }) => state === 'held')).toEqual([]);
  expect(clock.timers).toBe(0);
}
