// A slot `s` with a running owner.

import type { AdmissionPolicy, SlotOptions, SupervisorOptions, TaskSpec } from 'slotvisor';
import { gateBody } from './gate.ts';
import { setup } from './setup.ts';

/** A slot `s` with a running owner. Each task that is added records its start. */
export async function ownedSlot(slot: SlotOptions = {}, options: SupervisorOptions = {}) {
  const world = setup({ slots: { s: slot }, ...options });
  const owner = gateBody();
  const started: string[] = [];
  const first = world.supervisor.submit({ slot: 's', run: owner.body });
  await world.clock.settle();
  const add = (name: string, spec: Partial<TaskSpec> = {}) =>
    world.supervisor.submit({ slot: 's', name, run: () => started.push(name) && name, ...spec } as TaskSpec);
  return { ...world, owner, started, first, add, handle: world.supervisor.slot('s') };
}

/** Like `ownedSlot`, where `add` takes an admission policy and the starts are listed in `order`. */
export async function orderedSlot(options: SlotOptions = {}) {
  const world = setup({ slotDefaults: options });
  const owner = gateBody();
  const order: string[] = [];
  const first = world.supervisor.submit({ slot: 's', run: owner.body });
  await world.clock.settle();
  const add = (name: string, admission: AdmissionPolicy = 'queue') =>
    world.supervisor.submit({ slot: 's', name, admission, run: () => order.push(name) });
  return { ...world, owner, first, order, add };
}
