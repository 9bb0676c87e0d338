// A supervisor on virtual time, and one slot whose bodies end when the test opens them.

import type { Submission, SupervisorOptions, TaskSpec } from 'slotvisor';
import { expect } from 'vitest';
import { type GateBody, gateBody } from './gate.ts';
import { type Setup, setup } from './setup.ts';

export interface GatedSlot extends Setup {
  readonly gate: GateBody<string>;
  /** Submits to slot `s`, with body `gate` and restart `never`. The spec may override both. */
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

/** Opens the gate and lets time pass until no task is left. */
export async function finish({ supervisor, clock, gate }: GatedSlot): Promise<void> {
  for (let step = 0; supervisor.tasks().length > 0; step += 1) {
    if (step === 10_000) throw new Error(`not ended after 10,000 steps: ${supervisor.tasks().map(({ name }) => name)}`);
    gate.open('done');
    if (gate.alive === 0) await clock.next();
    await clock.settle();
  }
}

/** Finishes all work, and checks that the supervisor holds nothing of it. */
export async function expectAtRest(world: GatedSlot): Promise<void> {
  await finish(world);
  expect(world.supervisor.snapshot()).toMatchObject({ slots: [], owners: 0, queued: 0 });
  await world.supervisor.idle();
  await world.clock.settle();
  expect(world.clock.timers).toBe(0);
}
