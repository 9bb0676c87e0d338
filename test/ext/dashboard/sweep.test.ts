import fc from 'fast-check';
import { type Clock, ClosedError, type Supervisor, slotGroup, type TaskSpec } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, it } from 'vitest';
import type { SlotQuery } from '../../../src/ext/dashboard/query.ts';
import { Sweeper, type SweepSettings, type Swept, viewerAgeMs } from '../../../src/ext/dashboard/sweep.ts';
import { setup } from '../../support/setup.ts';
import { plainPage, take, worlds } from './slot-worlds.ts';

const forever: TaskSpec['run'] = (ctx) => ctx.sleep(Infinity);

const ask = (fields: Partial<SlotQuery> = {}): SlotQuery => ({
  q: '',
  states: [],
  sort: 'name',
  offset: 0,
  limit: 200,
  ...fields,
});

/** A clock that goes on by 1 ms at each look. */
class Ticking extends VirtualClock {
  override now(): number {
    this.block(1);
    return super.now();
  }
}

/** The supervisor, with a count of its sweeps. */
function counted(supervisor: Supervisor) {
  const count = { sweeps: 0 };
  const swept: Swept = {
    clock: supervisor.clock,
    get: (id) => supervisor.get(id),
    slot: (name) => supervisor.slot(name),
    vitalSlots: () => supervisor.vitalSlots(),
    slots: (options) => {
      count.sweeps += 1;
      return supervisor.slots(options);
    },
  };
  return { count, swept };
}

function sweeping(names: readonly string[] = ['a', 'b', 'c'], settings: Partial<SweepSettings> = {}, clock?: Clock) {
  const made = setup();
  for (const slot of names) made.supervisor.submit({ slot, run: forever });
  const { count, swept } = counted(made.supervisor);
  const sweeper = new Sweeper(swept, { groupOf: slotGroup, ...settings }, clock ?? made.clock);
  return { ...made, sweeper, count };
}

const names = ({ rows }: { readonly rows: readonly { readonly slot: string }[] }): string[] =>
  rows.map(({ slot }) => slot);
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${String(i).padStart(4, '0')}`);

describe('a page', () => {
  it('is what a plain filter and sort of the snapshot gives, over random worlds', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async ({ steps, query }) => {
        const made = setup({ graceMs: 300, concurrency: 12 });
        const sweeper = new Sweeper(made.supervisor, { groupOf: slotGroup }, made.clock);
        await take(made, steps);
        const page = await sweeper.page(query, 0);
        const plain = plainPage(made.supervisor, query);
        expect({ total: page.total, of: page.of, names: names(page) }).toEqual(plain);
        const tally = await sweeper.tally(0);
        expect(tally.slots).toBe(plain.of);
        sweeper.close();
      }),
      { numRuns: 150 },
    );
  });

  it('says how many match and how many there are, whatever it shows of them', async () => {
    const { sweeper } = sweeping(numbered(30));
    const page = await sweeper.page(ask({ q: 's000', offset: 8, limit: 5 }), 0);
    expect(page).toMatchObject({ total: 10, of: 30, offset: 8 });
    expect(names(page)).toEqual(['s0008', 's0009']);
  });

  it('finds a task that waits by its id, and none that has ended', async () => {
    const { sweeper, supervisor, clock } = sweeping();
    for (let i = 0; i < 9; i += 1) supervisor.submit({ slot: 'b', run: forever });
    const last = supervisor.submit({ slot: 'b', admission: 'join', run: forever });
    expect(names(await sweeper.page(ask({ q: last.id }), 0))).toEqual(['b']);
    await last.cancel();
    await clock.advance(1_000);
    expect(names(await sweeper.page(ask({ q: last.id }), 0))).toEqual([]);
  });

  it('shows a vital slot that is dead, once, also while it is paused', async () => {
    const { sweeper, supervisor, clock } = sweeping(['z']);
    const run = () => Promise.reject(new Error('no'));
    for (const slot of ['x', 'y']) supervisor.submit({ slot, vital: true, restart: 'never', run });
    await clock.settle();
    supervisor.slot('x').pause();
    const page = sweeper.page(ask(), 0);
    await clock.settle();
    expect(await page).toMatchObject({
      of: 3,
      total: 3,
      rows: [{ slot: 'x', vital: 'dead' }, { slot: 'y', vital: 'dead' }, { slot: 'z' }],
    });
    supervisor.submit({ slot: 'y', run: forever });
    await clock.advance(100);
    expect((await sweeper.page(ask({ states: ['dead'] }), 0)).rows).toMatchObject([{ slot: 'x' }]);
  });

  it('knows what has waited longest, also behind a replacement that came later', async () => {
    const { sweeper, supervisor, clock } = sweeping(['a']);
    supervisor.submit({ slot: 'a', run: forever });
    supervisor.slot('a').pause();
    await clock.advance(100);
    supervisor.submit({ slot: 'a', admission: 'replace', run: forever });
    await clock.advance(5);
    expect((await sweeper.tally(0)).oldestMs.waiting).toBe(105);
  });

  it('counts a slot to the group other where group throws, and shows it where meta throws', async () => {
    const refuse = (): never => {
      throw new Error('no');
    };
    const { sweeper } = sweeping(['a'], { groupOf: () => 'other', meta: refuse });
    expect((await sweeper.page(ask({ group: 'other' }), 0)).rows).toMatchObject([
      { owner: { meta: '[not shown: no]' } },
    ]);
  });
});

describe('a sweep', () => {
  it('lets the event loop have a turn at least every 4 ms, and answers all the same', async () => {
    const { sweeper } = sweeping(numbered(2_000), {}, new Ticking());
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    const page = await sweeper.page(ask({ offset: 1_000, limit: 3 }), 0);
    isOver = true;
    expect(names(page)).toEqual(['s1000', 's1001', 's1002']);
    expect(turns).toBeGreaterThan(2_000 / 4 - 10);
    sweeper.close();
  });

  it('ends, and shows no slot twice, while slots leave and come back', async () => {
    const { sweeper, supervisor, count } = sweeping(numbered(200), {}, new Ticking());
    const flapping = numbered(200).filter((_, i) => i % 7 === 0);
    const isOver = { now: false };
    const flap = (): void => {
      for (const slot of flapping) {
        void supervisor.slot(slot).cancel();
        supervisor.submit({ slot, admission: 'replace', run: (ctx) => ctx.untilCanceled(new Promise(() => {})) });
      }
      if (!isOver.now) setImmediate(flap);
    };
    setImmediate(flap);
    const page = await sweeper.page(ask(), 0);
    isOver.now = true;
    expect(count.sweeps).toBe(1);
    expect(new Set(names(page)).size).toBe(page.rows.length);
    expect(page.total).toBe(page.rows.length);
    expect(names(page)).toEqual(expect.arrayContaining(numbered(200).filter((name) => !flapping.includes(name))));
    sweeper.close();
  });

  it('shows no slot that goes before it is reached, and goes on', async () => {
    const { sweeper, supervisor, clock } = sweeping(numbered(50), {}, new Ticking());
    await clock.settle();
    setImmediate(() => setImmediate(() => void supervisor.slot('s0040').cancel()));
    const page = await sweeper.page(ask(), 0);
    expect(page.of).toBe(49);
    expect(names(page)).not.toContain('s0040');
    sweeper.close();
  });

  it('answers all that came before it, and equal queries by one object', async () => {
    const { sweeper, count } = sweeping();
    const pages = await Promise.all([
      sweeper.page(ask(), 0),
      sweeper.page(ask({ q: 'a' }), 0),
      sweeper.page(ask(), 0),
      sweeper.tally(0),
    ]);
    expect(count.sweeps).toBe(1);
    expect(pages[2]).toBe(pages[0]);
    expect(pages[1]?.rows).toHaveLength(1);
  });

  it('is followed by one that answers all that came meanwhile', async () => {
    const later: Promise<unknown>[] = [];
    const groupOf = (): string => {
      if (later.length < 10) later.push(sweeper.page(ask(), 0), sweeper.tally(0));
      return 'g';
    };
    const { sweeper, count } = sweeping(numbered(5), { groupOf });
    await sweeper.page(ask(), 0);
    await Promise.all(later);
    expect(later).toHaveLength(10);
    expect(count.sweeps).toBe(2);
  });

  it('also answers what was asked for meanwhile, where that may be as old as it is', async () => {
    const later: Promise<unknown>[] = [];
    const groupOf = (): string => {
      later.push(sweeper.page(ask(), 500));
      return 'g';
    };
    const { sweeper, count } = sweeping(['a'], { groupOf });
    const first = await sweeper.page(ask(), 0);
    expect(await later[0]).toBe(first);
    expect(count.sweeps).toBe(1);
  });

  it('that fails rejects what it should have answered, and the next one works', async () => {
    let isBroken = true;
    const groupOf = (): string => {
      if (isBroken) throw new Error('broken');
      return 'g';
    };
    const { sweeper } = sweeping(['a'], { groupOf });
    await expect(sweeper.page(ask(), 0)).rejects.toThrow('broken');
    isBroken = false;
    expect(names(await sweeper.page(ask(), 0))).toEqual(['a']);
  });

  it('does not happen while there is an answer that is young enough', async () => {
    const { sweeper, count, clock } = sweeping();
    const first = await sweeper.page(ask(), 500);
    await clock.advance(499);
    expect(await sweeper.page(ask(), 500)).toBe(first);
    expect(count.sweeps).toBe(1);
    await clock.advance(1);
    expect(await sweeper.page(ask(), 500)).not.toBe(first);
    expect(await sweeper.page(ask(), 0)).not.toBe(first);
    expect(count.sweeps).toBe(3);
  });

  it('also refreshes what was asked for within the last seconds, so that many viewers cost as one', async () => {
    const { sweeper, count, clock } = sweeping();
    const views = ['a', 'b', 'c', 'd'].map((q) => ask({ q }));
    for (let round = 0; round < 10; round += 1)
      for (const query of views) {
        await sweeper.page(query, 500);
        await clock.advance(125);
      }
    expect(count.sweeps).toBeLessThanOrEqual(4 + 10);
  });
});

/** Each slot costs 1 ms of the clock. */
function costly(slots: number) {
  const clock = new VirtualClock();
  const groupOf = (): string => {
    clock.block(1);
    return 'g';
  };
  const made = sweeping(numbered(slots), { groupOf }, clock);
  return { ...made, clock };
}

describe('what sweeps cost', () => {
  it.each([
    ['20 % of the time, however often is asked', 0.2, () => 0],
    ['5 % of the time, where a viewer asks for answers of its age', 0.05, viewerAgeMs],
  ] as const)('is at most %s', async (_, share, ageOf) => {
    const { sweeper, count, clock } = costly(50);
    const startMs = clock.now();
    for (let i = 0; i < 800; i += 1) {
      for (const q of ['', 's', 's0001']) void sweeper.page(ask({ q }), ageOf(sweeper.costMs)).catch(() => {});
      await clock.advance(5);
    }
    expect(sweeper.costMs).toBe(50);
    const spent = ((count.sweeps - 1) * 50) / (clock.now() - startMs); // the last one has no rest after it yet
    expect(spent).toBeLessThanOrEqual(share);
    expect(spent).toBeGreaterThan(share / 2);
    sweeper.close();
  });

  it('is nothing when nothing is asked, and no timer is left and no answer kept', async () => {
    const { sweeper, count, clock } = costly(10);
    await sweeper.page(ask(), 0);
    expect(count.sweeps).toBe(1);
    await clock.advance(60_000);
    expect(count.sweeps).toBe(1);
    expect(clock.timers).toBe(0);
    await sweeper.page(ask(), Infinity);
    expect(count.sweeps).toBe(2);
  });

  it('stays small with many queries: only the last fifty are kept', async () => {
    const { sweeper, count, clock } = costly(1);
    for (let i = 0; i < 60; i += 1) {
      void sweeper.page(ask({ q: `${i}` }), 0);
      await clock.settle();
    }
    await clock.advance(100);
    const before = count.sweeps;
    await sweeper.page(ask({ q: '59' }), 4_000);
    expect(count.sweeps).toBe(before);
    const forgotten = sweeper.page(ask({ q: '0' }), 4_000);
    await clock.advance(100);
    await forgotten;
    expect(count.sweeps).toBe(before + 1);
  });
});

describe('close', () => {
  it('rejects what waits for a sweep, for its end, and for the rest after it, and leaves no timer', async () => {
    const { sweeper, clock, count } = costly(100);
    const before = sweeper.page(ask(), 0);
    sweeper.close();
    await expect(before).rejects.toThrow(ClosedError);
    await clock.settle();
    expect(count.sweeps).toBe(0);
    await expect(sweeper.tally(0)).rejects.toThrow('the dashboard is closed');
    expect(clock.timers).toBe(0);
  });

  it('ends a sweep that is under way', async () => {
    const clock = new VirtualClock();
    let met = 0;
    const groupOf = (): string => {
      clock.block(1);
      met += 1;
      return 'g';
    };
    const { sweeper } = sweeping(numbered(100), { groupOf }, clock);
    const page = sweeper.page(ask(), 0);
    setImmediate(() => setImmediate(() => sweeper.close()));
    await expect(page).rejects.toThrow(ClosedError);
    await clock.settle();
    expect(met).toBeGreaterThan(0);
    expect(met).toBeLessThan(20);
    expect(clock.timers).toBe(0);
  });

  it('ends the rest before the next sweep', async () => {
    const { sweeper, clock } = costly(10);
    await sweeper.page(ask(), 0);
    const next = sweeper.page(ask(), 0);
    await clock.settle();
    expect(clock.timers).toBeGreaterThan(0);
    sweeper.close();
    await expect(next).rejects.toThrow(ClosedError);
    expect(clock.timers).toBe(0);
  });
});
