// Which setting takes precedence.

import type { AdmissionPolicy, Submission, SupervisorOptions } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { type Setup, setup } from '../../support/setup.ts';

const run = () => 'done';

describe('the admission policy of a submission', () => {
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
    ['`queue` is the default', {}, undefined, 'queued'],
    ['the default of the supervisor comes before `queue`', { defaults: drops }, undefined, 'rejected'],
    [
      'slotDefaults come before the defaults of the supervisor',
      { defaults: drops, slotDefaults: queues },
      undefined,
      'queued',
    ],
    [
      'the options of the slot come before slotDefaults',
      { defaults: queues, slotDefaults: queues, slots: { s: drops } },
      undefined,
      'rejected',
    ],
    ['the options of another slot have no effect', { slots: { t: drops } }, undefined, 'queued'],
    [
      'configure() overrides the options of the constructor',
      { slots: { s: drops } },
      ({ supervisor }) => supervisor.slot('s').configure(queues),
      'queued',
    ],
    [
      'configure() keeps an option that it does not name',
      { slots: { s: drops } },
      ({ supervisor }) => supervisor.slot('s').configure({ queueLimit: 9 }),
      'rejected',
    ],
    [
      'configure() keeps an option that is undefined',
      { slots: { s: drops } },
      ({ supervisor }) => supervisor.slot('s').configure({ admission: undefined }),
      'rejected',
    ],
    [
      'configure(undefined) takes back what the constructor and configure() set: slotDefaults apply again',
      { defaults: drops, slotDefaults: queues, slots: { s: joins } },
      ({ supervisor }) => {
        supervisor.slot('s').configure(drops);
        supervisor.slot('s').configure(undefined);
      },
      'queued',
    ],
    [
      'configure(undefined) changes nothing in a slot that was not configured',
      { slotDefaults: drops },
      ({ supervisor }) => supervisor.slot('s').configure(undefined),
      'rejected',
    ],
  ])('%s', (_, options, act, admission) => {
    expect(busyWith(options, act).admission).toBe(admission);
  });

  test('the policy of the spec comes first, and one slot may mix policies', () => {
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

  test('the slot defaults to the name, and a submission without both has its own slot', () => {
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

test('a submission without slot and name gets its policy from slotDefaults', async () => {
  const { supervisor, clock, recorded } = setup({
    defaults: { admission: 'join' },
    slotDefaults: { admission: 'keepLatest' },
    slots: { orders: { admission: 'replace' } },
  });
  supervisor.submit({ run });
  supervisor.submit({ run, slot: 'other' });
  supervisor.submit({ run, name: 'orders' });
  await clock.settle();
  const events = recorded.events.filter(({ type }) => type === 'submitted');
  expect(events.map((event) => 'policy' in event && event.policy)).toEqual(['keepLatest', 'keepLatest', 'replace']);
});
