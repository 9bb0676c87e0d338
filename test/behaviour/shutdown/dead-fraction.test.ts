// deadFraction shuts down when too many tasks have failed.

import { FatalError, type TaskContext } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { setup } from '../../support/setup.ts';

const polite = (ctx: TaskContext): Promise<void> => ctx.sleep(Infinity);

describe('deadFraction (section 8)', () => {
  const fails = () => {
    throw new Error('dead');
  };
  const fatal = () => {
    throw new FatalError('dead for good');
  };
  for (const [deadFraction, bodies, dead] of [
    [0, [polite], false],
    [0, [polite, polite, polite, fails], true],
    [0.5, [polite, polite, fails], false],
    [0.5, [polite, polite, fails, fails], true],
    [0.5, [polite, fails, fatal, fails], true],
    [1, [fails, fatal, polite], false],
    [1, [fails, fatal], true],
    [undefined, [fails, fatal], false],
  ] as const)
    test(`${deadFraction}: ${bodies.map(({ name }) => name)} ${dead ? 'shuts down' : 'goes on'}`, async () => {
      const { supervisor, clock, recorded } = setup({ deadFraction });
      for (const run of bodies) supervisor.submit({ restart: 'never', run });
      await clock.settle();
      expect(supervisor.snapshot().phase).toBe(dead ? 'closed' : 'open');
      expect(recorded.of('shutdownStarted').map(({ cause }) => cause)).toEqual(dead ? ['deadFraction'] : []);
      expect((await supervisor.shutdown()).cause).toBe(dead ? 'deadFraction' : 'caller');
    });

  test('the canceled and the completed are not dead', async () => {
    const { supervisor, clock } = setup({ deadFraction: 0 });
    const canceled = supervisor.submit({ run: polite });
    await supervisor.submit({ run: () => 'fine' }).outcome;
    await canceled.cancel();
    await clock.settle();
    expect(supervisor.snapshot().phase).toBe('open');
  });
});

test('deadFraction: those that completed before are no part of the dead', async () => {
  const { supervisor, clock } = setup({ deadFraction: 0.5 });
  const run = { runs: () => new Promise(() => {}), fine: () => 'done', fails: () => Promise.reject(new Error('no')) };
  for (const body of ['runs', 'runs', 'fine', 'fails'] as const)
    supervisor.submit({ restart: 'never', run: run[body] });
  await clock.settle();
  expect(supervisor.snapshot()).toMatchObject({ phase: 'open', totals: { completed: 1, failed: 1 } });
});
