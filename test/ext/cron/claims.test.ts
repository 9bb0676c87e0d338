// Claims: processes that share a store run each date once, and find the dates that came while no
// process ran. The store is slow, away, or answers nonsense.

import type { TaskContext } from 'slotvisor';
import { type DateClaims, type MissedPolicy, type ScheduleOptions, schedule } from 'slotvisor/cron';
import { describe, expect, test } from 'vitest';
import { nothingEscapes } from '../../support/must-not-escape.ts';
import { DAY, HOUR, MINUTE, SECOND, START, type World, world } from './world.ts';

const away = new Error('the store is away');

/** A store in memory. `claim` and `last` can be replaced. */
class FakeStore implements DateClaims {
  readonly asked: string[] = [];
  readonly #claimed = new Set<string>();
  lastDate: Date | undefined;
  /** Called for each claim, before it is answered. */
  before: (due: Date) => unknown = () => {};

  async claim(schedule: string, due: Date): Promise<boolean> {
    const key = `${schedule} ${due.toISOString()}`;
    this.asked.push(due.toISOString().slice(11, 19));
    await this.before(due);
    if (this.#claimed.has(key)) return false;
    this.#claimed.add(key);
    if (this.lastDate === undefined || due > this.lastDate) this.lastDate = due;
    return true;
  }

  async last(_: string): Promise<Date | undefined> {
    return this.lastDate;
  }
}

/** The next calls fail, so many times. */
const failing = (times: number) => () => {
  if (times-- > 0) throw away;
};

/** Calls wait here until the test lets them go on. */
function held() {
  const open: (() => void)[] = [];
  return {
    wait: () => new Promise<void>((resolve) => void open.push(resolve)),
    goOn: () => {
      for (const resolve of open.splice(0)) resolve();
    },
  };
}

const MINUTELY = { name: 'minutely', cron: '* * * * *', timezone: 'UTC' } as const;

function makeClaimed({ make }: World, claims: DateClaims, options: Partial<ScheduleOptions> = {}) {
  return make({ ...MINUTELY, claims, ...options, task: { slot: 's', restart: 'never', ...options.task } } as never);
}

describe('claims need', () => {
  const run = () => {};
  const complete = { ...MINUTELY, task: { slot: 's', run } };
  const rate = { name: 'n', everyMs: HOUR, startAt: START, task: { slot: 's', run } };
  const rows: readonly [string, object, RegExp][] = [
    ['a name', { ...complete, name: undefined }, /^name must be given with claims/],
    ['a slot or a name of the task', { ...complete, task: { run } }, /^task\.slot must be given with claims/],
    ['a timezone with cron', { ...complete, timezone: undefined }, /^timezone must be given with claims/],
    ['a startAt with everyMs', { ...rate, startAt: undefined }, /^startAt must be given with claims and everyMs/],
    [
      'a timezone where a startAt has no offset',
      { ...rate, startAt: '2020-01-02T00:00' },
      /^timezone must be given with claims/,
    ],
    [
      'a timezone where at has no offset',
      { name: 'n', at: '2020-01-02T00:00', task: { slot: 's', run } },
      /^timezone must be given with claims/,
    ],
    ['an object', { ...complete, claims: 5 }, /^claims must have the methods claim and last, got 5/],
    ['the method claim', { ...complete, claims: { last() {} } }, /^claims must have the methods claim and last/],
    ['the method last', { ...complete, claims: { claim() {} } }, /^claims must have the methods claim and last/],
  ];
  for (const [what, options, text] of rows)
    test(`${what}`, () => {
      const { supervisor, clock } = world();
      const claims = new FakeStore();
      expect(() => schedule(supervisor, { claims, ...options } as never)).toThrow(text);
      expect([claims.asked, clock.timers]).toEqual([[], 0]);
    });

  for (const [what, options] of [
    ['a name of the task instead of its slot', { ...complete, task: { name: 'n', run } }],
    ['no timezone with everyMs', rate],
    ['no timezone where at has an offset', { name: 'n', at: '2020-01-02T00:00Z', task: { slot: 's', run } }],
  ] as const)
    test(`only ${what}`, () => {
      expect(schedule(world().supervisor, { claims: new FakeStore(), ...options } as never).status).toBe('active');
    });

  test('an update that keeps what they need', async () => {
    const made = makeClaimed(world(), new FakeStore());
    expect(() => made.schedule.update({ everyMs: HOUR })).toThrow(/^startAt must be given with claims and everyMs/);
    expect(() => made.schedule.update({ task: { run: () => {} } })).toThrow(/^task.slot must be given with claims/);
    made.schedule.update({ everyMs: HOUR, startAt: START + HOUR });
    expect(made.schedule.next()).toEqual([new Date(START + HOUR)]);
  });
});

describe('processes that share a store', () => {
  test('run each date once in all, and count it as elsewhere in the others', async () => {
    const one = world();
    const store = new FakeStore();
    const all = [
      makeClaimed(one, store),
      makeClaimed(world(START, one.clock), store),
      makeClaimed(world(START, one.clock), store),
    ];
    await one.clock.advance(10 * MINUTE);
    const ran = all.reduce((sum, { schedule: { totals } }) => sum + totals.ran, 0);
    expect(ran).toBe(10);
    for (const { schedule: made } of all) {
      expect(made.totals).toMatchObject({ elsewhere: 10 - made.totals.ran, missed: 0, pending: 0 });
      expect(made.runs.filter(({ kind }) => kind === 'elsewhere')).toHaveLength(made.totals.elsewhere);
    }
    expect(all.flatMap(({ dues }) => dues).sort()).toEqual(store.asked.filter((_, i) => i % 3 === 0));
  });

  test('give back the place of a date under maxRuns that another process has claimed', async () => {
    const one = world();
    const store = new FakeStore();
    await store.claim('minutely', new Date(START + MINUTE));
    const made = makeClaimed(one, store, { maxRuns: 1 });
    await one.clock.advance(MINUTE);
    expect(made.schedule).toMatchObject({ status: 'active', totals: { elsewhere: 1, ran: 0 } });
    await one.clock.advance(MINUTE);
    expect(made.schedule).toMatchObject({ status: 'ended', totals: { elsewhere: 1, ran: 1 } });
  });

  test('find the dates of a fixed rate at startAt + k * everyMs on the wall clock, whenever they begin', async () => {
    const one = world();
    const store = new FakeStore();
    const rate = { cron: undefined, everyMs: 10 * MINUTE, startAt: START - DAY + 3 * MINUTE, timezone: undefined };
    const first = makeClaimed(one, store, rate as never);
    await one.clock.advance(5 * MINUTE);
    const second = makeClaimed(world(START, one.clock), store, rate as never);
    one.clock.setWall(START + 12 * MINUTE);
    await one.clock.advance(32 * MINUTE);
    expect(second.schedule.next()).toEqual([new Date(START + 53 * MINUTE)]);
    expect([...new Set(store.asked)]).toEqual(['00:03:00', '00:13:00', '00:23:00', '00:33:00', '00:43:00']);
    expect(first.schedule.totals.ran + second.schedule.totals.ran).toBe(5);
  });

  test('claim nothing for a trigger', async () => {
    const one = world();
    const store = new FakeStore();
    const made = makeClaimed(one, store);
    await made.schedule.trigger().outcome;
    expect(store.asked).toEqual([]);
    expect(made.schedule.totals).toMatchObject({ triggered: 1, submitted: 1, ran: 0 });
  });
});

describe('dates after the last claimed one, while no process ran,', () => {
  const rows: readonly [MissedPolicy, string[], number][] = [
    ['skip', [], 5],
    ['once', ['00:00:00 at 00:00:30'], 4],
    [{ catchUp: 2 }, ['23:59:00 at 00:00:30', '00:00:00 at 00:00:30'], 3],
    [
      { catchUp: 9 },
      ['23:56:00', '23:57:00', '23:58:00', '23:59:00', '00:00:00'].map((time) => `${time} at 00:00:30`),
      0,
    ],
  ];
  for (const [missed, dues, lost] of rows)
    test(`are treated as missed: ${JSON.stringify(missed)} says`, async () => {
      const one = world(START + 30 * SECOND);
      const store = new FakeStore();
      store.lastDate = new Date(START - 5 * MINUTE);
      const made = makeClaimed(one, store, { missed, toleranceMs: 29 * SECOND });
      await one.clock.settle();
      expect(made.dues).toEqual(dues);
      expect(made.schedule.totals).toMatchObject({ ran: 5 - lost, missed: lost, pending: 0 });
      await one.clock.advance(MINUTE);
      expect(made.dues.slice(dues.length)).toEqual(['00:01:00']);
    });

  for (const [what, lastMs] of [
    ['there is no last one', undefined],
    ['the last one is the latest date', START],
    ['the last one is in the future', START + HOUR],
  ] as const)
    test(`are none if ${what}`, async () => {
      const one = world(START + 30 * SECOND);
      const store = new FakeStore();
      store.lastDate = lastMs === undefined ? undefined : new Date(lastMs);
      const made = makeClaimed(one, store, { missed: { catchUp: 9 } });
      await one.clock.settle();
      expect(made.schedule.totals).toMatchObject({ ran: 0, missed: 0, pending: 0 });
    });

  test('include one at the very moment at which the schedule is made', async () => {
    const one = world();
    const store = new FakeStore();
    store.lastDate = new Date(START - MINUTE);
    const made = makeClaimed(one, store);
    await one.clock.settle();
    expect(made.dues).toEqual(['00:00:00']);
  });

  test('are claimed too: another process may have caught them up', async () => {
    const one = world();
    const store = new FakeStore();
    store.lastDate = new Date(START - 3 * MINUTE);
    await store.claim('minutely', new Date(START - MINUTE));
    store.lastDate = new Date(START - 3 * MINUTE);
    const made = makeClaimed(one, store, { missed: { catchUp: 9 } });
    await one.clock.settle();
    expect(made.dues).toEqual(['23:58:00 at 00:00:00', '00:00:00']);
    expect(made.schedule.totals).toMatchObject({ ran: 2, elsewhere: 1, missed: 0 });
  });

  test('wait in the queue of their slot, whatever the policy of the task', async () => {
    const one = world();
    const store = new FakeStore();
    store.lastDate = new Date(START - 3 * MINUTE);
    const owner = one.supervisor.submit({ slot: 's', run: (ctx: TaskContext) => ctx.sleep(10 * SECOND) });
    const made = makeClaimed(one, store, { missed: { catchUp: 9 }, task: { admission: 'dropIfRunning' } as never });
    await one.clock.settle();
    expect(made.schedule.totals).toMatchObject({ submitted: 1, dropped: 0, pending: 3 });
    await one.clock.advance(10 * SECOND);
    expect((await owner.outcome).kind).toBe('completed');
    expect(made.schedule.totals).toMatchObject({ ran: 3, dropped: 0, pending: 0 });
    expect(made.dues).toEqual(['23:58:00', '23:59:00', '00:00:00'].map((t) => `${t} at 00:00:10`));
  });

  test('are counted when the store answers, however late, and not if the schedule is stopped before', async () => {
    for (const isStopped of [false, true]) {
      const one = world();
      const answer = held();
      const last = async () => {
        await answer.wait();
        return new Date(START - 3 * MINUTE);
      };
      const made = makeClaimed(one, { claim: async () => true, last }, { missed: 'once' });
      await one.clock.advance(2 * MINUTE);
      expect(made.schedule.totals).toMatchObject({ ran: 2, missed: 0, pending: 0 });
      if (isStopped) await made.schedule.stop();
      answer.goOn();
      await one.clock.settle();
      expect(made.schedule.totals).toMatchObject(isStopped ? { ran: 2, missed: 0 } : { ran: 3, missed: 2 });
    }
  });
});

describe('a store that is away', () => {
  test('is asked again with a growing delay, and the date runs if it answers within toleranceMs', async () => {
    const one = world();
    const store = new FakeStore();
    const times: number[] = [];
    store.before = () => {
      times.push(one.clock.now() - MINUTE);
      if (times.length < 6) throw away;
    };
    const errors: unknown[] = [];
    const made = makeClaimed(one, store, { onError: (error) => void errors.push(error) });
    await one.clock.advance(MINUTE + 10 * SECOND);
    expect(times).toEqual([0, 100, 300, 700, 1_500, 3_100]);
    expect(made.dues).toEqual(['00:01:00 at 00:01:03']);
    expect(made.schedule.totals).toMatchObject({ ran: 1, missed: 0, pending: 0 });
    expect(errors).toEqual([]);
  });

  test('makes the date missed, and onError hears why, once toleranceMs is over', async () => {
    const one = world();
    const store = new FakeStore();
    store.before = failing(Infinity);
    const errors: unknown[] = [];
    const made = makeClaimed(one, store, {
      toleranceMs: 10 * SECOND,
      maxRuns: 1,
      onError: (error) => void errors.push(error),
    });
    await one.clock.advance(MINUTE + 5 * SECOND);
    expect(made.schedule.totals).toMatchObject({ missed: 0, pending: 1 });
    await one.clock.advance(5 * SECOND);
    expect(made.schedule.totals).toMatchObject({ missed: 1, errors: 0, pending: 0, submitted: 0 });
    expect(errors).toEqual([away]);
    expect(made.schedule.runs).toMatchObject([
      { kind: 'missed', count: 1, due: new Date(START + MINUTE) },
      { kind: 'error', error: away },
    ]);
    expect(made.schedule.runs[1]).not.toHaveProperty('due');
    // The place of the date is free again.
    store.before = () => {};
    await one.clock.advance(MINUTE);
    expect(made.schedule).toMatchObject({ status: 'ended', totals: { ran: 1, missed: 1 } });
  });

  test('is asked a last time when the date is toleranceMs late', async () => {
    const one = world();
    const store = new FakeStore();
    store.before = () => {
      if (one.clock.now() < 2 * MINUTE) throw away;
    };
    const made = makeClaimed(one, store, { toleranceMs: MINUTE, endAt: START + MINUTE + SECOND });
    await one.clock.advance(2 * MINUTE - 1);
    expect(made.schedule.totals).toMatchObject({ missed: 0, pending: 1 });
    await one.clock.advance(1);
    expect(made.dues).toEqual(['00:01:00 at 00:02:00']);
    expect(made.schedule.totals).toMatchObject({ ran: 1, missed: 0, pending: 0 });
  });

  test('is asked for a date that was late already only until it is toleranceMs late', async () => {
    const one = world();
    const store = new FakeStore();
    store.before = failing(Infinity);
    const made = makeClaimed(one, store, { toleranceMs: 50 * SECOND });
    one.clock.block(MINUTE + 40 * SECOND);
    await one.clock.advance(9 * SECOND);
    expect(made.schedule.totals).toMatchObject({ missed: 0, pending: 1 });
    await one.clock.advance(SECOND);
    expect(made.schedule.totals).toMatchObject({ missed: 1, pending: 0 });
  });

  test('is asked at least once, with a toleranceMs of 0', async () => {
    const one = world();
    const store = new FakeStore();
    const made = makeClaimed(one, store, { toleranceMs: 0 });
    await one.clock.advance(MINUTE);
    store.before = failing(1);
    await one.clock.advance(MINUTE);
    expect(made.schedule.totals).toMatchObject({ ran: 1, missed: 1 });
    expect(store.asked).toEqual(['00:01:00', '00:02:00']);
  });

  test('is asked for a date that is caught up for toleranceMs, and the next one follows', async () => {
    const one = world();
    const store = new FakeStore();
    store.lastDate = new Date(START - 2 * MINUTE);
    store.before = (due) => {
      if (due.getTime() < START) throw away;
    };
    const made = makeClaimed(one, store, { missed: { catchUp: 2 }, toleranceMs: 20 * SECOND });
    await one.clock.advance(10 * SECOND);
    expect(made.schedule.totals).toMatchObject({ ran: 0, missed: 0, pending: 2 });
    await one.clock.advance(10 * SECOND);
    expect(made.schedule.totals).toMatchObject({ ran: 1, missed: 1, pending: 0 });
  });

  test('is asked for the last date until it answers, and onError hears its first failure only', async () => {
    const one = world();
    const errors: unknown[] = [];
    let failures = 8;
    const last = async () => {
      if (failures-- > 0) throw away;
      return new Date(START - HOUR);
    };
    const claims = { claim: async () => true, last };
    const made = makeClaimed(one, claims, { missed: 'once', onError: (error) => void errors.push(error) });
    await one.clock.advance(26 * SECOND);
    expect(made.schedule.totals).toMatchObject({ ran: 1, missed: 59 });
    expect(errors).toEqual([away]);
  });

  for (const [what, answer] of [
    ['throws at once', () => undefined],
    ['returns no promise', () => true],
  ] as const)
    test(`may have a claim that ${what}`, async () => {
      const one = world();
      const claim = () => {
        const value = answer();
        if (value === undefined) throw away;
        return value;
      };
      const last = () => {
        throw away;
      };
      const errors: unknown[] = [];
      const made = makeClaimed(one, { claim, last } as never, {
        toleranceMs: SECOND,
        onError: (error) => void errors.push(error),
      });
      await nothingEscapes(() => one.clock.advance(MINUTE + SECOND));
      const isAnswer = what === 'returns no promise';
      expect(made.schedule.totals).toMatchObject(isAnswer ? { ran: 1, missed: 0 } : { ran: 0, missed: 1 });
      expect(errors).toEqual(isAnswer ? [away] : [away, away]);
    });

  for (const got of ['yes', 1, null, undefined, {}])
    test(`is one whose claim resolves to ${JSON.stringify(got)}`, async () => {
      const one = world();
      const errors: unknown[] = [];
      const claims = { claim: async () => got, last: async () => undefined };
      const onError = (error: unknown) => void errors.push(error);
      const made = makeClaimed(one, claims as never, { toleranceMs: SECOND, onError });
      await one.clock.advance(MINUTE + 2 * SECOND);
      expect(made.dues).toEqual([]);
      expect(made.schedule.totals).toMatchObject({ missed: 1, elsewhere: 0, pending: 0 });
      expect(errors).toEqual([new TypeError(`claims.claim must resolve to true or false, got ${typeof got}`)]);
    });

  for (const got of [5, '2019-12-31T00:00Z', null, new Date(Number.NaN)])
    test(`is one whose last resolves to ${String(got)}`, async () => {
      const one = world();
      const errors: unknown[] = [];
      const claims = { claim: async () => true, last: async () => got };
      const onError = (error: unknown) => void errors.push(error);
      const made = makeClaimed(one, claims as never, { missed: 'once', onError });
      await one.clock.advance(MINUTE);
      expect(made.schedule.totals).toMatchObject({ ran: 1, missed: 0 });
      expect(errors).toEqual([
        new TypeError(`claims.last must resolve to a valid Date or undefined, got ${typeof got}`),
      ]);
      await made.schedule.stop();
      expect(one.clock.timers).toBe(0);
    });
});

describe('while a claim is under way', () => {
  /** The claim of the first date waits. */
  async function underWay(options: Partial<ScheduleOptions> = {}) {
    const one = world();
    const store = new FakeStore();
    const answer = held();
    store.before = answer.wait;
    const made = makeClaimed(one, store, options);
    await one.clock.advance(MINUTE);
    expect(made.schedule.totals).toMatchObject({ pending: 1, submitted: 0 });
    const goOn = async () => {
      answer.goOn();
      await one.clock.settle();
    };
    return { ...one, ...made, store, goOn };
  }

  for (const way of ['stop', 'shutdown'] as const)
    test(`a ${way} makes its date missed, and a late answer changes nothing`, async () => {
      const { clock, supervisor, schedule: made, dues, goOn } = await underWay();
      const ended = way === 'stop' ? made.stop() : supervisor.shutdown();
      expect(made).toMatchObject({ status: 'ended', totals: { missed: 1, pending: 0 } });
      await ended;
      const { totals, runs } = made;
      await goOn();
      await clock.advance(HOUR);
      expect([made.totals, made.runs, dues]).toEqual([totals, runs, []]);
      expect(clock.timers).toBe(0);
    });

  test('an end between two attempts leaves no timer', async () => {
    const one = world();
    const store = new FakeStore();
    store.before = failing(Infinity);
    store.last = async () => {
      throw away;
    };
    const made = makeClaimed(one, store);
    await one.clock.advance(MINUTE + SECOND);
    await made.schedule.stop();
    expect(one.clock.timers).toBe(0);
    const { length } = store.asked;
    await one.clock.advance(HOUR);
    expect(store.asked).toHaveLength(length);
  });

  test('a pause does not hold back its date', async () => {
    const { clock, schedule: made, dues, goOn } = await underWay();
    made.pause();
    await goOn();
    expect(dues).toEqual(['00:01:00']);
    await clock.advance(2 * MINUTE);
    expect(made.totals).toMatchObject({ ran: 1, pending: 2 });
  });

  test('an update of the dates leaves it alone, and an update of the task gives it the new task', async () => {
    const { clock, schedule: made, dues, goOn } = await underWay();
    const others: string[] = [];
    made.update({
      cron: '30 * * * *',
      task: { slot: 'other', run: (_, due) => void others.push(due.toISOString().slice(11, 16)) },
    });
    expect(made.totals).toMatchObject({ pending: 1, missed: 0 });
    await goOn();
    expect([dues, others]).toEqual([[], ['00:01']]);
    await clock.advance(30 * MINUTE);
    await goOn();
    expect(others).toEqual(['00:01', '00:30']);
    expect(made.totals).toMatchObject({ ran: 2, missed: 0, pending: 0 });
  });

  test('it takes a place under maxRuns: a date that finds none is missed', async () => {
    const { clock, schedule: made, goOn } = await underWay({ maxRuns: 1 });
    await clock.advance(MINUTE);
    expect(made.totals).toMatchObject({ pending: 1, missed: 1 });
    await goOn();
    expect(made).toMatchObject({ status: 'ended', totals: { ran: 1, missed: 1, pending: 0 } });
  });

  test('the end of the dates does not take it back: the last one still runs', async () => {
    const { clock, schedule: made, dues, goOn } = await underWay({ endAt: '2020-01-01T00:02' });
    expect(made.status).toBe('ended');
    await goOn();
    expect(dues).toEqual(['00:01:00']);
    expect(clock.timers).toBe(0);
  });
});

test('of more than 1,000 claims that never end, the oldest are missed', async () => {
  const one = world();
  const claims = { claim: () => new Promise(() => {}), last: async () => undefined };
  const errors: unknown[] = [];
  const options = { onError: (error: unknown) => void errors.push(error), cron: '* * * * * *' };
  const { schedule: made } = makeClaimed(one, claims as never, options);
  await one.clock.advance(1_003 * SECOND);
  expect(made.totals).toMatchObject({ ran: 0, missed: 3, pending: 1_000 });
  expect(errors.map(String)).toEqual(Array(3).fill(expect.stringContaining('the claims have not answered')));
});

for (const hung of ['claim', 'last'] as const)
  test(`a call of ${hung} that never ends holds up neither other dates, nor a stop, nor a shutdown`, async () => {
    const one = world();
    const claims = { claim: async () => true, last: async () => undefined, [hung]: () => new Promise(() => {}) };
    const all = [makeClaimed(one, claims as never), one.make({ ...MINUTELY, name: 'other' })];
    await one.clock.advance(2 * MINUTE);
    const pending = hung === 'claim' ? 2 : 0;
    expect(all[0]?.schedule.totals).toMatchObject({ ran: 2 - pending, missed: 0, pending });
    expect(all[1]?.dues).toEqual(['00:01:00', '00:02:00']);
    await all[0]?.schedule.stop();
    await one.supervisor.shutdown();
    expect(one.clock.timers).toBe(0);
  });
