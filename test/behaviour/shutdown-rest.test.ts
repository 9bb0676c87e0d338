// A shutdown on a machine that is late, and one that is not called for yet.

import { expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { setup } from '../support/setup.ts';

const GRACE = 1_000;
/** How long a killed task may take to die before it is abandoned. */
const PATIENCE = 5_000;

test('a loop that was blocked past the grace takes nothing from the time that a kill may take', async () => {
  const { supervisor, clock } = setup();
  const kill = gateBody<void>();
  const submission = supervisor.submit({ name: 'slow', run: { run: () => new Promise(() => {}), kill: kill.body } });
  await clock.settle();
  void supervisor.shutdown({ graceMs: GRACE });
  clock.block(GRACE + 2 * PATIENCE);
  await clock.advance(PATIENCE - 1);
  expect([kill.alive, submission.status]).toEqual([1, 'overrun']);
  kill.open();
  expect(await submission.outcome).toEqual({ kind: 'killed', by: 'shutdown', attempts: 1 });
  expect(await supervisor.closed).toMatchObject({ withinGrace: false, killed: [{ name: 'slow' }], abandoned: [] });
});

test('deadFraction: those that completed before are no part of the dead', async () => {
  const { supervisor, clock } = setup({ deadFraction: 0.5 });
  const run = { runs: () => new Promise(() => {}), fine: () => 'done', fails: () => Promise.reject(new Error('no')) };
  for (const body of ['runs', 'runs', 'fine', 'fails'] as const)
    supervisor.submit({ restart: 'never', run: run[body] });
  await clock.settle();
  expect(supervisor.snapshot()).toMatchObject({ phase: 'open', totals: { completed: 1, failed: 1 } });
});
