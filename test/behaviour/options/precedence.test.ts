// Which of several settings holds.

import type { AdmissionPolicy, Submission, SupervisorOptions } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { type Setup, setup } from '../../support/setup.ts';

const run = () => 'done';

describe('where the policy comes from: spec, slot, supervisor, queue', () => {
  const busyWith = (options: SupervisorOptions, act: (world: Setup) => void = () => {}): Submission => {
    const world = setup(options);
    world.supervisor.submit({ slot: 's', run: () => new Promise(() => {}) });
    act(world);
    return world.supervisor.submit({ slot: 's', run: () => 'new' });
  };
  const drops = { admission: 'dropIfRunning' } as const;
  const joins = { admission: 'join' } as const;
  const queues = { admission: 'queue' } as const;
  test.each<
    readonly [name: string, options: SupervisorOptions, act: ((world: Setup) => void) | undefined, admission: string]
  >([
    ['nobody says anything: queue', {}, undefined, 'queued'],
    ["the supervisor's default", { defaults: drops }, undefined, 'rejected'],
    ["every slot's default before the supervisor's", { defaults: drops, slotDefaults: queues }, undefined, 'queued'],
    [
      "the slot's before every slot's",
      { defaults: queues, slotDefaults: queues, slots: { s: drops } },
      undefined,
      'rejected',
    ],
    ["another slot's counts for nothing", { slots: { t: drops } }, undefined, 'queued'],
    [
      'configured later before configured at first',
      { slots: { s: drops } },
      ({ supervisor }) => supervisor.slot('s').configure(queues),
      'queued',
    ],
    [
      'what configure leaves out stays',
      { slots: { s: drops } },
      ({ supervisor }) => supervisor.slot('s').configure({ queueLimit: 9 }),
      'rejected',
    ],
    [
      'what configure gives as undefined stays',
      { slots: { s: drops } },
      ({ supervisor }) => supervisor.slot('s').configure({ admission: undefined }),
      'rejected',
    ],
  ])('%s', (_, options, act, admission) => {
    expect(busyWith(options, act).admission).toBe(admission);
  });

  test("the spec's own word beats them all, and policies may be mixed on one slot", () => {
    const { supervisor } = setup({ defaults: drops, slots: { s: drops } });
    const submit = (admission?: AdmissionPolicy) =>
      supervisor.submit({ slot: 's', admission, run: () => 'x' }).admission;
    expect([submit(), submit('queue'), submit('keepLatest'), submit(), submit('join')]).toEqual([
      'started',
      'queued',
      'queued',
      'rejected',
      'joined',
    ]);
    expect(supervisor.slot('s').submit({ ...joins, run: () => 'x' }).slot).toBe('s');
  });

  test('a slot defaults to the name; with neither, a submission never contends', () => {
    const { supervisor } = setup({ defaults: drops });
    const run = () => 'x';
    const named = supervisor.submit({ name: 'job', run });
    expect([named.slot, named.name]).toEqual(['job', 'job']);
    expect(supervisor.submit({ name: 'job', run }).admission).toBe('rejected');
    expect(supervisor.submit({ name: 'job', slot: 'elsewhere', run }).admission).toBe('started');
    const alone = [1, 2].map(() => supervisor.submit({ run }));
    expect(alone.map(({ admission, slot, name, id }) => [admission, slot === id, name === id])).toEqual([
      ['started', true, true],
      ['started', true, true],
    ]);
  });
});

test('a slot of its own has the admission of slotDefaults, as any slot has that is not configured', async () => {
  const { supervisor, clock, recorded } = setup({
    defaults: { admission: 'join' },
    slotDefaults: { admission: 'keepLatest' },
    slots: { orders: { admission: 'replace' } },
  });
  supervisor.submit({ run });
  supervisor.submit({ run, slot: 'other' });
  supervisor.submit({ run, name: 'orders' });
  await clock.settle();
  const told = recorded.events.filter(({ type }) => type === 'submitted');
  expect(told.map((event) => 'policy' in event && event.policy)).toEqual(['keepLatest', 'keepLatest', 'replace']);
});
