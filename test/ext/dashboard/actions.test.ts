import { FatalError, type Supervisor, type TaskSpec } from 'slotvisor';
import { type ScheduleOptions, schedule, schedulesOf } from 'slotvisor/cron';
import type { DashboardSchedule } from 'slotvisor/dashboard';
import { describe, expect, it, test } from 'vitest';
import { nothingEscapes } from '../../support/must-not-escape.ts';
import { type Answer, world } from './world.ts';

const open = { actions: true, authorize: () => true, schedules: schedulesOf } as const;
const untilStopped: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);
/** Its body goes on after a stop request. */
const stubborn: TaskSpec['run'] = () => new Promise(() => {});

const said = ({ status, json }: Answer): unknown => [status, json];
const error = (status: number, code: string, message: unknown = expect.any(String)) => [
  status,
  { error: { code, message } },
];
const done = (text: string) => [200, { done: true, text }];
const asked = (text: string) => [202, { done: false, text }];

function scheduled(supervisor: Supervisor, options: Partial<ScheduleOptions<unknown, undefined>> = {}) {
  return schedule(supervisor, {
    everyMs: 60_000,
    name: 'usage',
    task: { slot: 'report', run: untilStopped },
    ...options,
  } as never);
}

describe('the body of an action must name one target, of those that it has', () => {
  const rows: readonly [kind: string, body: unknown, message: string][] = [
    ['pause', {}, "body of pause must have one field, 'slot' or 'schedule', got an object"],
    ['pause', { id: 'x' }, "body of pause must have one field, 'slot' or 'schedule', got an object"],
    ['pause', { slot: 'a', schedule: 'b' }, "body of pause must have one field, 'slot' or 'schedule', got an object"],
    ['restart', { slot: 'a' }, "body of restart must have one field, 'id', got an object"],
    ['trigger', { slot: 'a' }, "body of trigger must have one field, 'schedule', got an object"],
    ['cancel', { slot: 'a', id: 'x' }, "body of cancel must have one field, 'slot' or 'id', got an object"],
    ['pause', [], 'body must be an object, got an array'],
    ['pause', [{ slot: 'a' }], 'body must be an object, got an array'],
    ['pause', 'null', 'body must be an object, got null'],
    ['pause', '"a"', 'body must be an object, got "a"'],
    ['pause', '5', 'body must be an object, got 5'],
    ['pause', { slot: 5 }, 'body.slot must be a string, got 5'],
    ['pause', { slot: null }, 'body.slot must be a string, got null'],
    ['pause', { slot: ['a'] }, 'body.slot must be a string, got an array'],
    ['pause', { slot: {} }, 'body.slot must be a string, got an object'],
    ['pause', { slot: '' }, 'body.slot must not be empty, got ""'],
    ['pause', { slot: 's'.repeat(1_025) }, 'body.slot must be at most 1024 characters, got'],
    ['pause', { slots: 'a' }, 'body.slots is not an option (did you mean slot?), got "a"'],
    ['pause', { slot: 'a', force: true }, 'body.force is not an option'],
    ['pause', '{"slot": "a", "__proto__": {"id": "b"}}', 'body.__proto__ is not an option'],
    ['pause', '{"__proto__": {"slot": "a"}}', 'body.__proto__ is not an option'],
    ['pause', '{"constructor": "a"}', 'body.constructor is not an option'],
  ];
  for (const [kind, body, message] of rows)
    test(`${kind} ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const { act, supervisor } = world(open);
      expect(said(await act(kind, body))).toEqual(error(400, 'parameter', expect.stringContaining(message)));
      expect(supervisor.stats().slotCount).toBe(0);
    });
});

describe('cancel of a slot', () => {
  it('asks the owner to stop, does not wait for it, and turns away what waits', async () => {
    const { act, supervisor, clock } = world(open);
    const owner = supervisor.submit({ slot: 'a', run: stubborn });
    const waits = [1, 2].map(() => supervisor.submit({ slot: 'a', run: untilStopped }));
    await clock.settle();
    expect(said(await act('cancel', { slot: 'a' }))).toEqual(
      asked('The owner of slot "a" was asked to stop. 2 that waited were rejected.'),
    );
    expect(owner.status).toBe('stopping');
    for (const { outcome } of waits) expect(await outcome).toMatchObject({ kind: 'rejected', reason: 'canceled' });
  });

  it('is done at once where no body runs', async () => {
    const { act, supervisor, clock } = world(open);
    supervisor.slot('a').pause();
    supervisor.submit({ slot: 'a', run: untilStopped });
    expect(said(await act('cancel', { slot: 'a' }))).toEqual(done('1 that waited was rejected.'));
    supervisor.submit({ slot: 'b', run: () => Promise.reject(new Error('x')) });
    await clock.settle();
    expect(said(await act('cancel', { slot: 'b' }))).toEqual(done('The owner of slot "b" has ended.'));
  });

  it('says that nothing was there in an idle slot', async () => {
    expect(said(await world(open).act('cancel', { slot: 'none' }))).toEqual(done('Slot "none" was empty.'));
  });
});

describe('cancel of a submission', () => {
  it('asks a running one to stop, and ends one that waits', async () => {
    const { act, supervisor, clock } = world(open);
    const owner = supervisor.submit({ slot: 'a', run: stubborn });
    const waits = supervisor.submit({ slot: 'a', run: untilStopped });
    await clock.settle();
    expect(said(await act('cancel', { id: waits.id }))).toEqual(done(`Task "a" (${waits.id}) has ended.`));
    expect(said(await act('cancel', { id: owner.id }))).toEqual(asked(`Task "a" (${owner.id}) was asked to stop.`));
    expect(owner.status).toBe('stopping');
  });

  it('says that one has ended before, and that one is not known', async () => {
    const { act, supervisor } = world(open, { keepEnded: 1 });
    const ended = supervisor.submit({ slot: 'a', run: () => Promise.reject(new FatalError('x')) });
    await ended.outcome;
    expect(said(await act('cancel', { id: ended.id }))).toEqual(done(`Task "a" (${ended.id}) had ended before.`));
    for (const kind of ['cancel', 'restart'])
      expect(said(await act(kind, { id: '__proto__' }))).toEqual(error(404, 'unknownTask'));
  });
});

describe('restart', () => {
  it('asks the attempt to stop, or begins the next one at once in a backoff', async () => {
    const { act, supervisor, clock } = world(open);
    const runs = supervisor.submit({ slot: 'a', run: untilStopped });
    const fails = supervisor.submit({
      slot: 'b',
      backoff: { firstMs: 60_000 },
      run: () => Promise.reject(new Error('x')),
    });
    await clock.settle();
    expect(said(await act('restart', { id: runs.id }))).toEqual(
      asked(`Task "a" (${runs.id}): its attempt was asked to stop, and the next one begins when it has ended.`),
    );
    expect(said(await act('restart', { id: fails.id }))).toEqual(
      done(`Task "b" (${fails.id}): its next attempt begins now.`),
    );
    await clock.settle();
    expect(supervisor.stats().totals.attempts).toBe(4);
  });

  it('is refused with 409 for what waits, stops or has ended', async () => {
    const { act, supervisor, clock } = world(open, { keepEnded: 1 });
    const owner = supervisor.submit({ slot: 'a', run: stubborn });
    const waits = supervisor.submit({ slot: 'a', run: untilStopped });
    await clock.settle();
    expect(said(await act('restart', { id: waits.id }))).toEqual(
      error(409, 'notRestarted', 'the task is queued, and was not restarted'),
    );
    void waits.cancel();
    void owner.cancel();
    await clock.settle();
    expect(said(await act('restart', { id: owner.id }))).toEqual(
      error(409, 'notRestarted', 'the task is stopping, and was not restarted'),
    );
    expect(said(await act('restart', { id: waits.id }))).toEqual(
      error(409, 'notRestarted', 'the task is ended, and was not restarted'),
    );
  });
});

describe('pause and resume', () => {
  it('of a slot, idle or not, say what was so before', async () => {
    const { act, supervisor } = world(open);
    expect(said(await act('pause', { slot: 'a' }))).toEqual(
      done('Slot "a" is paused: nothing starts in it until it is resumed.'),
    );
    expect(said(await act('pause', { slot: 'a' }))).toEqual(done('Slot "a" was paused already.'));
    expect(supervisor.slot('a').view().paused).toBe(true);
    expect(said(await act('resume', { slot: 'a' }))).toEqual(done('Slot "a" is resumed.'));
    expect(said(await act('resume', { slot: 'a' }))).toEqual(done('Slot "a" was not paused.'));
    expect(supervisor.stats().slotCount).toBe(0);
  });

  it('show the text of an OptionError, where the slots are at their limit', async () => {
    const { act } = world(open, { limits: { slots: 0 } });
    expect(said(await act('pause', { slot: 'a' }))).toEqual(
      error(400, 'parameter', expect.stringContaining('limits.slots')),
    );
  });

  it('of a schedule', async () => {
    const { act, supervisor } = world(open);
    const usage = scheduled(supervisor);
    expect(said(await act('pause', { schedule: 'usage' }))).toEqual(
      done('Schedule "usage" is paused: it submits at no date until it is resumed.'),
    );
    expect(said(await act('pause', { schedule: 'usage' }))).toEqual(done('Schedule "usage" was paused already.'));
    expect(usage.status).toBe('paused');
    expect(said(await act('resume', { schedule: 'usage' }))).toEqual(done('Schedule "usage" is resumed.'));
    expect(said(await act('resume', { schedule: 'usage' }))).toEqual(done('Schedule "usage" was not paused.'));
  });
});

describe('trigger', () => {
  it('submits a run, and says what the slot has decided', async () => {
    const { act, supervisor } = world(open);
    const usage = scheduled(supervisor);
    expect(said(await act('trigger', { schedule: 'usage' }))).toEqual(
      done('Schedule "usage" has submitted a run, which owns its slot.'),
    );
    expect(usage.totals.triggered).toBe(1);
    expect(said(await act('trigger', { schedule: 'usage' }))).toEqual(
      error(409, 'rejected', 'the run was rejected (slotBusy)'),
    );
    scheduled(supervisor, { name: 'queued', task: { slot: 'report', admission: 'queue', run: untilStopped } });
    expect(said(await act('trigger', { schedule: 'queued' }))).toEqual(
      done('Schedule "queued" has submitted a run, which waits for its slot.'),
    );
  });

  it('finds no schedule that is not there, also where there are none at all', async () => {
    for (const options of [open, { ...open, schedules: undefined }, { ...open, schedules: () => [] }])
      expect(said(await world(options).act('trigger', { schedule: 'x' }))).toEqual(error(404, 'unknownSchedule'));
  });

  it('says that a schedule has ended', async () => {
    const { supervisor } = world();
    const usage = scheduled(supervisor);
    await usage.stop();
    const { act } = world({ ...open, schedules: () => [usage] });
    for (const kind of ['trigger', 'pause', 'resume'])
      expect(said(await act(kind, { schedule: 'usage' }))).toEqual(error(409, 'ended'));
  });

  it('is not harmed by one whose promises reject', async () => {
    const rejects = (): never => Promise.reject(new Error('secret')) as never;
    const odd: DashboardSchedule = {
      name: 'odd',
      slot: 's',
      when: {},
      status: 'active',
      runs: [],
      totals: {},
      next: () => [],
      pause: rejects,
      resume: rejects,
      trigger: () => ({ id: 'id', admission: 'started', outcome: rejects() }),
    };
    const { act } = world({ ...open, schedules: () => [odd] });
    await nothingEscapes(async () => {
      for (const kind of ['pause', 'resume', 'trigger'])
        expect((await act(kind, { schedule: 'odd' })).status).toBe(200);
    });
  });

  it('finds a schedule beside one whose getter throws', async () => {
    const broken = {
      get name(): string {
        throw new Error('secret');
      },
    } as DashboardSchedule;
    const { act, supervisor } = world({ ...open, schedules: (of) => [broken, ...schedulesOf(of)] });
    scheduled(supervisor);
    expect((await act('trigger', { schedule: 'usage' })).status).toBe(200);
  });
});

it('each action is of the supervisor that is asked for', async () => {
  const jobs = world().supervisor;
  const { act, supervisor } = world(open, {}, [{ name: 'jobs', supervisor: jobs }]);
  expect((await act('pause', { slot: 'a' }, {}, '?of=jobs')).status).toBe(200);
  expect([supervisor, jobs].map((one) => one.slot('a').view().paused)).toEqual([false, true]);
  expect(said(await act('pause', { slot: 'a' }, {}, '?of=none'))).toEqual(error(404, 'unknownSupervisor'));
});

it('a closed supervisor answers 409 to every action', async () => {
  const { act, supervisor } = world(open);
  await supervisor.shutdown();
  for (const [kind, body] of [
    ['pause', { slot: 'a' }],
    ['cancel', { id: 'x' }],
    ['trigger', { schedule: 'x' }],
  ] as const)
    expect(said(await act(kind, body))).toEqual(error(409, 'closed', 'the supervisor is closed'));
});
