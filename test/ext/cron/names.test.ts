// What schedules are known by: their names, and the list of live ones.

import { Supervisor } from 'slotvisor';
import { type Schedule, type ScheduleOptions, schedule, schedulesOf } from 'slotvisor/cron';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test, vi } from 'vitest';
import { Names } from '../../../src/ext/cron/names.ts';
import { revoked } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';
import { HOUR, SECOND, START } from './world.ts';

const run = () => 1;

/** A function that makes schedules of one supervisor. */
function maker(supervisor: Supervisor) {
  return (task: object = {}, options: object = {}): Schedule =>
    schedule(supervisor, { everyMs: SECOND, ...options, task: { run, ...task } } as ScheduleOptions);
}

const namesOf = (supervisor: Supervisor) => schedulesOf(supervisor).map(({ name }) => name);

describe('the name of a schedule', () => {
  test.for<readonly [what: string, task: object, options: object, name: string]>([
    ['is the given one', { slot: 's', name: 'n' }, { name: 'mine' }, 'mine'],
    ['is by default the slot of its task', { slot: 's', name: 'n' }, {}, 's'],
    ['is by default the name of its task, if that has no slot', { name: 'n' }, {}, 'n'],
    ['is schedule-<n> if its task has neither', {}, {}, 'schedule-1'],
    ['may be given as undefined, which counts as absent', { slot: 's' }, { name: undefined }, 's'],
    ['may have 1,024 UTF-16 units', {}, { name: 'n'.repeat(1_024) }, 'n'.repeat(1_024)],
  ])('%s', ([, task, options, name]) => {
    expect(maker(setup().supervisor)(task, options).name).toBe(name);
  });

  test('has a number behind it if it is a default and a live schedule has that name', () => {
    const make = maker(setup().supervisor);
    const made = [{ slot: 's' }, { slot: 's' }, { name: 's' }, { slot: 't' }, {}, {}].map((task) => make(task).name);
    expect(made).toEqual(['s', 's#2', 's#3', 't', 'schedule-5', 'schedule-6']);
  });

  test('is refused if the random source of another schedule takes it first', () => {
    const { supervisor, clock } = setup();
    const make = maker(supervisor);
    let isAsked = false;
    const random = () => {
      if (isAsked) make({}, { name: 'mine' });
      isAsked = false;
      return 0;
    };
    make({}, { everyMs: undefined, cron: '* * * * *', timezone: 'UTC', jitterMs: 1, random });
    clock.setWall(START - 3 * HOUR); // the next call of schedule notices it, and draws a new delay
    isAsked = true;
    expect(() => make({}, { name: 'mine' })).toThrow(/^name must not be the name of a live schedule .*, got "mine"$/);
    expect(namesOf(supervisor)).toEqual(['schedule-1', 'mine']);
  });

  test('gets the next number that no live schedule has, also where that was given', () => {
    const make = maker(setup().supervisor);
    make({}, { name: 's#2' });
    make({}, { name: 'schedule-4' });
    expect([make({ slot: 's' }).name, make({}).name, make({ slot: 's' }).name]).toEqual(['s', 'schedule-4#2', 's#3']);
  });

  test('is that of the schedule only: the task keeps its own', async () => {
    const { supervisor, clock, recorded } = setup();
    const make = maker(supervisor);
    make({ slot: 's', name: 'n' }, { name: 'mine' });
    make({}, { name: 'yours' });
    await clock.advance(SECOND);
    expect(recorded.of('started')).toMatchObject([
      { slot: 's', name: 'n' },
      { slot: expect.stringMatching(/^schedule-2-/), name: 'schedule-2' },
    ]);
  });

  test('is refused where it is given and a live schedule has it, given or not; the call keeps nothing', async () => {
    const { supervisor, clock } = setup();
    const make = maker(supervisor);
    make({ slot: 'taken' });
    make({}, { name: 'given' });
    for (const name of ['taken', 'given'])
      expect(() => make({ slot: 'other' }, { name })).toThrow(
        expect.objectContaining({
          field: 'name',
          message: expect.stringMatching(`must not be the name of a live schedule .*, got "${name}"`),
        }),
      );
    expect(namesOf(supervisor)).toEqual(['taken', 'given']);
    await clock.advance(SECOND);
    expect(supervisor.snapshot().totals.submitted).toBe(2);
  });

  test.for<readonly [name: unknown, rule: RegExp]>([
    ['', /must not be empty/],
    ['n'.repeat(1_025), /1,?024/],
    [5, /must be a string/],
    [null, /must be a string/],
  ])('is refused as a name that nothing can have: %j', ([name, rule]) => {
    const make = () => maker(setup().supervisor)({}, { name });
    expect(make).toThrow(expect.objectContaining({ field: 'name', message: expect.stringMatching(rule) }));
  });

  test('of a schedule that was refused for another reason stays free', () => {
    const { supervisor } = setup();
    const make = maker(supervisor);
    for (const [task, bad] of [
      [{}, { everyMs: 0 }],
      [{ slot: '' }, {}],
      [{}, { everyMs: undefined, at: START - 1e6 }],
    ] as const)
      expect(() => make(task, { name: 'mine', ...bad })).toThrow(expect.objectContaining({ name: 'OptionError' }));
    expect(make({}, { name: 'mine' }).name).toBe('mine');
  });

  const endBy = (made: Schedule, clock: VirtualClock) => {
    made.update({ at: START + 10 });
    return clock.advance(SECOND);
  };
  const ends: readonly [how: string, end: (made: Schedule, clock: VirtualClock) => unknown][] = [
    ['is stopped', (made) => made.stop()],
    ['has run as often as maxRuns allows', (_, clock) => clock.advance(SECOND)],
    ['has no date left', (made, clock) => endBy(made, clock)],
  ];
  for (const [how, end] of ends)
    test(`is free again once its schedule ${how}`, async () => {
      const { supervisor, clock } = setup();
      const make = maker(supervisor);
      const first = make({ slot: 's' }, { maxRuns: 1 });
      const second = make({ slot: 's' });
      await end(first, clock);
      expect(first).toMatchObject({ status: 'ended', name: 's' });
      expect([make({ slot: 's' }).name, make({ slot: 's' }).name]).toEqual(['s', 's#3']);
      await second.stop();
      expect(make({}, { name: 's#2' }).name).toBe('s#2');
    });

  test('is unique among the schedules of one supervisor, not of all', () => {
    const names = [1, 2].map(() => maker(setup().supervisor)({}, { name: 'mine' }).name);
    expect(names).toEqual(['mine', 'mine']);
  });

  for (const [field, value] of [
    ['name', 'other'],
    ['name', 's'], // its own name
    ['claims', { claim: async () => true, last: async () => undefined }],
  ] as const)
    test(`cannot be changed by an update, nor can claims: ${field} ${String(value)}`, () => {
      const { supervisor } = setup();
      const made = maker(supervisor)({ slot: 's' });
      expect(() => made.update({ everyMs: 5 * SECOND, [field]: value } as never)).toThrow(
        expect.objectContaining({ field, message: expect.stringMatching(/must not be changed by an update/) }),
      );
      expect(made).toMatchObject({ name: 's', when: { everyMs: SECOND } });
    });

  test('is found in a number of steps that does not grow with the schedules of that name', () => {
    const names = new Names<{ readonly name: string }>();
    const has = vi.spyOn(Map.prototype, 'has');
    for (let i = 0; i < 2_000; i += 1) names.add({ name: names.pick(undefined, 'same') });
    const looks = has.mock.calls.length;
    has.mockRestore();
    expect(looks).toBeLessThan(3 * 2_000);
    expect(names.all.at(-1)).toEqual({ name: 'same#2000' });
  });
});

describe('schedulesOf', () => {
  test('returns the live schedules of one supervisor, oldest first', async () => {
    const { supervisor, clock } = setup();
    const make = maker(supervisor);
    maker(setup().supervisor)();
    const [a, b, c, d] = ['d', 'c', 'b', 'a'].map((slot) => make({ slot })) as [Schedule, Schedule, Schedule, Schedule];
    b.pause();
    void c.stop();
    a.update({ at: START + 10 });
    expect(schedulesOf(supervisor)).toEqual([a, b, d]);
    await clock.advance(SECOND);
    expect(schedulesOf(supervisor)).toEqual([b, d]);
    const again = make({ slot: 'd' });
    expect(schedulesOf(supervisor)).toEqual([b, d, again]);
  });

  test('leaves out a schedule that has ended, even if it still has dates to catch up', async () => {
    const { supervisor, clock } = setup();
    const body = () => new Promise(() => {});
    const made = maker(supervisor)({ run: body }, { missed: { catchUp: 3 }, endAt: START + 5 * SECOND });
    clock.block(9 * SECOND);
    await clock.advance(0);
    expect(made).toMatchObject({ status: 'ended', totals: { pending: 2 } });
    expect(schedulesOf(supervisor)).toEqual([]);
  });

  test('returns a copy', () => {
    const { supervisor } = setup();
    const made = maker(supervisor)();
    (schedulesOf(supervisor) as Schedule[]).length = 0;
    expect(schedulesOf(supervisor)).toEqual([made]);
  });

  test('is empty for a supervisor without schedules, and from the first moment of its shutdown', async () => {
    const supervisor = new Supervisor({ clock: new VirtualClock() });
    expect(schedulesOf(supervisor)).toEqual([]);
    const [made] = [maker(supervisor)()];
    expect(schedulesOf(supervisor)).toEqual([made]);
    const closed = supervisor.shutdown();
    expect(schedulesOf(supervisor)).toEqual([]);
    await closed;
  });

  test('refuses what is no supervisor', () => {
    for (const other of [undefined, null, {}, 5, revoked(), { check: 5 }])
      expect(() => schedulesOf(other as never)).toThrow(
        expect.objectContaining({ name: 'OptionError', field: 'supervisor' }),
      );
  });
});
