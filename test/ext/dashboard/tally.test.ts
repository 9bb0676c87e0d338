import fc from 'fast-check';
import { type SlotView, slotGroup } from 'slotvisor';
import { describe, expect, it } from 'vitest';
import { seen } from '../../../src/ext/dashboard/query.ts';
import { type Tally, TallyCounter } from '../../../src/ext/dashboard/tally.ts';
import { SLOT_STATES } from '../../../src/ext/dashboard/wire.ts';
import { setup } from '../../support/setup.ts';
import { IS, take, viewsOf, worlds } from './slot-worlds.ts';

function tallyOf(views: readonly SlotView[], groupOf = slotGroup): Tally {
  const counter = new TallyCounter(1_000);
  for (const view of views) counter.add(seen(view, groupOf(view.name), 0));
  return counter.answer();
}

const idle = (name: string): SlotView => ({ name, phase: 'idle', paused: true, queuedCount: 0, queued: [] });
const dead = (name: string): SlotView => ({ ...idle(name), vital: 'dead' });

describe('the tally', () => {
  it('counts what a plain count of the views gives, over random worlds', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async ({ steps }) => {
        const made = setup({ graceMs: 300, concurrency: 12 });
        await take(made, steps);
        const views = viewsOf(made.supervisor);
        const tally = tallyOf(views);
        const count = (is: (view: SlotView) => boolean): number => views.filter(is).length;
        expect(tally.slots).toBe(views.length);
        for (const state of SLOT_STATES) expect([state, tally.states[state]]).toEqual([state, count(IS[state])]);
        const sum = (key: 'slots' | 'waiting' | 'trouble'): number =>
          tally.groups.reduce((all, group) => all + group[key], 0);
        expect(sum('slots')).toBe(views.length);
        expect(sum('waiting')).toBe(made.supervisor.stats().queued);
        expect(sum('trouble')).toBe(
          count((view) => IS.overrun(view) || IS.failing(view) || IS.backoff(view) || IS.dead(view)),
        );
        expect(tally.groupCount).toBe(new Set(views.map(({ name }) => slotGroup(name))).size);
        const waits = views.filter(IS.waiting).flatMap(({ queued }) => queued.map(({ sinceMs }) => sinceMs));
        expect(tally.oldestMs.waiting).toBe(Math.max(0, ...waits));
        const pauses = views.filter(IS.backoff).map(({ owner }) => owner?.nextAttemptInMs ?? 0);
        expect(tally.longestBackoffMs).toBe(Math.max(0, ...pauses));
      }),
      { numRuns: 100 },
    );
  });

  it('of an empty table is all zeros', () => {
    const tally = tallyOf([]);
    expect(tally).toMatchObject({ slots: 0, groups: [], groupCount: 0, failingGroups: [], waitingInPaused: 0 });
    expect(Object.values(tally.states)).toEqual(SLOT_STATES.map(() => 0));
  });

  it('shows 200 groups at most: those with trouble first, then the largest, then by name', () => {
    const views = Array.from({ length: 300 }, (_, i) => idle(`g${i + 100}:a`));
    const tally = tallyOf([...views, dead('g398:b'), dead('z:a'), idle('g399:b')]);
    expect(tally.groupCount).toBe(301);
    expect(tally.groups).toHaveLength(200);
    expect(tally.groups.slice(0, 5).map(({ group }) => group)).toEqual(['g398', 'z', 'g399', 'g100', 'g101']);
    expect(tally.groups[0]).toEqual({ group: 'g398', slots: 2, waiting: 0, trouble: 1 });
  });

  it('keeps groups apart whose names are those of Object.prototype', () => {
    expect(tallyOf([idle('__proto__:a'), idle('constructor:a'), idle('__proto__:b')]).groups).toEqual([
      { group: '__proto__', slots: 2, waiting: 0, trouble: 0 },
      { group: 'constructor', slots: 1, waiting: 0, trouble: 0 },
    ]);
  });

  it('finds what has waited longest behind a replacement that came later', async () => {
    const { supervisor, clock } = setup();
    const run = (): Promise<void> => new Promise(() => {});
    supervisor.submit({ slot: 's', run });
    await clock.advance(1);
    supervisor.submit({ slot: 's', run });
    await clock.advance(100);
    supervisor.submit({ slot: 's', admission: 'replace', run });
    await clock.advance(5);
    const [view] = [...supervisor.slots({ queued: 3 })] as [SlotView];
    expect(view.queued[0]?.sinceMs).toBe(5);
    expect(tallyOf([view]).oldestMs.waiting).toBe(105);
  });
});
