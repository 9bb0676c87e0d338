// A supervisor on virtual time, and one slot whose bodies the test opens.

import type { Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { expect } from 'vitest';
import { type GateBody, gateBody } from './gate.ts';
import { type Setup, setup } from './setup.ts';

export interface GatedSlot extends Setup {
  readonly gate: GateBody<string>;
  /** To slot `s`, with the gate as its body and restart `never`, unless the spec says otherwise. */
  submit(spec?: Partial<TaskSpec>): Submission;
}

export function gatedSlot(options: SupervisorOptions = {}): GatedSlot {
  const world = setup(options);
  const gate = gateBody();
  return {
    ...world,
    gate,
    submit: (spec = {}) => world.supervisor.submit({ slot: 's', run: gate.body, restart: 'never', ...spec }),
  };
}

/** Opens the gate and lets time pass until nothing is left. */
export async function finish({ supervisor, clock, gate }: GatedSlot): Promise<void> {
  for (let step = 0; supervisor.tasks().length > 0; step += 1) {
    if (step === 10_000) throw new Error(`it never ends: ${supervisor.tasks().map(({ name }) => name)}`);
    gate.open('done');
    if (gate.alive === 0) await clock.next();
    await clock.settle();
  }
}

/** Finishes all work, and checks that the supervisor holds nothing of it. */
export async function expectAtRest(world: GatedSlot): Promise<void> {
  await finish(world);
  expect(world.supervisor.snapshot()).toMatchObject({ slots: [], running: 0, queued: 0 });
  await world.supervisor.idle();
  await world.clock.settle();
  expect(world.clock.timers).toBe(0);
}
