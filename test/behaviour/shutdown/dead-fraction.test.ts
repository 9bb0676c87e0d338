// deadFraction shuts down when too many tasks have failed.

import { FatalError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { polite } from '../../support/bodies.ts';
import { setup } from '../../support/setup.ts';

describe('deadFraction', () => {
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
    test(`a deadFraction of ${deadFraction} with the bodies ${bodies.map(({ name }) => name)} ${dead ? 'shuts the supervisor down' : 'leaves the supervisor open'}`, async () => {
      const { supervisor, clock, recorded } = setup({ deadFraction });
      for (const run of bodies) supervisor.submit({ restart: 'never', run });
      await clock.settle();
      expect(supervisor.snapshot().phase).toBe(dead ? 'closed' : 'open');
      expect(recorded.of('shutdownStarted').map(({ cause }) => cause)).toEqual(dead ? ['deadFraction'] : []);
      expect((await supervisor.shutdown()).cause).toBe(dead ? 'deadFraction' : 'caller');
    });

  test('canceled and completed tasks do not count as dead', async () => {
    const { supervisor, clock } = setup({ deadFraction: 0 });
    const canceled = supervisor.submit({ run: polite });
    await supervisor.submit({ run: () => 'fine' }).outcome;
    await canceled.cancel();
    await clock.settle();
    expect(supervisor.snapshot().phase).toBe('open');
  });
});

test('tasks that completed earlier do not count as dead for deadFraction', async () => {
  const { supervisor, clock } = setup({ deadFraction: 0.5 });
  const run = { runs: () => new Promise(() => {}), fine: () => 'done', fails: () => Promise.reject(new Error('no')) };
  for (const body of ['runs', 'runs', 'fine', 'fails'] as const)
    supervisor.submit({ restart: 'never', run: run[body] });
  await clock.settle();
  expect(supervisor.snapshot()).toMatchObject({ phase: 'open', totals: { completed: 1, failed: 1 } });
});
