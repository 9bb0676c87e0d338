// What ends many submissions at once: the decision is one step, and the outcomes come in parts.

import type { TaskContext } from 'slotvisor';
import { expect, test } from 'vitest';
import { polite } from '../support/bodies.ts';
import { rejected } from '../support/outcomes.ts';
import { wrongCounts } from '../support/recount.ts';
import { setup } from '../support/setup.ts';

const MANY = 3_000;
const unbounded = { slotDefaults: { queueLimit: Infinity } };

test('a cancel of a slot decides at once, and gives the outcomes in order on later turns', async () => {
  const { supervisor, clock } = setup(unbounded);
  const owner = supervisor.submit({ slot: 's', run: polite });
  await clock.settle();
  const ended: number[] = [];
  const all = Array.from({ length: MANY }, () => supervisor.submit({ slot: 's', run: polite }));
  all.forEach((one, n) => void one.outcome.then(() => ended.push(n)));
  let isSettled = false;
  void supervisor
    .slot('s')
    .cancel()
    .then(() => {
      isSettled = supervisor.stats().totals.rejected === MANY;
    });
  const last = all[MANY - 1];
  expect([last?.status, supervisor.stats().queued, supervisor.slot('s').view().queuedCount]).toEqual(['queued', 0, 0]);
  expect(wrongCounts(supervisor)).toEqual([]);
  void last?.cancel('too late');
  const next = supervisor.submit({ slot: 's', run: () => 'next' });
  await clock.settle();
  expect(ended).toEqual(all.map((_, n) => n));
  expect(await last?.outcome).toEqual(rejected('canceled'));
  expect((await owner.outcome).kind).toBe('canceled');
  expect(await next.value()).toBe('next');
  expect(isSettled).toBe(true);
});

test('a slot is idle, and no longer live, once all that left it have their outcome', async () => {
  const { supervisor, clock } = setup(unbounded);
  const owner = supervisor.submit({ slot: 's', run: polite });
  await clock.settle();
  const slot = supervisor.slot('s');
  const rejectedWhenIdle: number[] = [];
  const awaitIdle = () => void slot.idle().then(() => rejectedWhenIdle.push(supervisor.stats().totals.rejected));
  for (let n = 0; n < 2; n += 1) {
    for (let k = 0; k < MANY; k += 1) supervisor.submit({ slot: 's', run: polite });
    void slot.cancel();
  }
  awaitIdle();
  await owner.outcome;
  awaitIdle(); // nothing is in it now
  expect([slot.view().phase, supervisor.stats().slotCount]).toEqual(['idle', 1]);
  await clock.settle();
  expect(rejectedWhenIdle).toEqual([2 * MANY, 2 * MANY]);
  expect(supervisor.stats().slotCount).toBe(0);
});

test('nothing whose signal is aborted starts, also where its turn comes first', async () => {
  const { supervisor, clock } = setup(unbounded);
  const { signal, abort } = (() => {
    const controller = new AbortController();
    return { signal: controller.signal, abort: () => controller.abort() };
  })();
  let bodies = 0;
  const run = () => {
    bodies += 1;
  };
  const owner = supervisor.submit({ slot: 's', signal, run: polite });
  await clock.settle();
  const all = Array.from({ length: MANY }, () => supervisor.submit({ slot: 's', signal, run }));
  const after = supervisor.submit({ slot: 's', run: () => 'after' });
  abort();
  await clock.settle();
  expect((await owner.outcome).kind).toBe('canceled');
  for (const one of all) expect(await one.outcome).toEqual(rejected('canceled'));
  expect([bodies, await after.value(), supervisor.stats().totals.started]).toEqual([0, 'after', 2]);
});

test('S7: no attempt begins after the call of shutdown, in any of many slots, and the report is exact', async () => {
  const { supervisor, clock } = setup({ concurrency: 10, ...unbounded });
  let late = 0;
  let isClosed = false;
  const run = (ctx: Parameters<typeof polite>[0]) => {
    if (isClosed) late += 1;
    return polite(ctx);
  };
  for (let n = 0; n < MANY; n += 1) for (let k = 0; k < 2; k += 1) supervisor.submit({ slot: `s${n}`, run });
  await clock.settle();
  const report = supervisor.shutdown();
  isClosed = true;
  await clock.settle();
  expect((await report).counts).toMatchObject({ canceled: MANY, rejected: MANY });
  expect([late, supervisor.stats().totals.attempts, clock.timers]).toEqual([0, 10, 0]);
});

test('S7: no body of many slots is called after the call of shutdown, also where it was about to be called', async () => {
  const { supervisor } = setup(unbounded);
  let bodies = 0;
  const run = () => {
    bodies += 1;
  };
  for (let n = 0; n < MANY; n += 1) supervisor.submit({ run });
  expect((await supervisor.shutdown()).counts).toMatchObject({ canceled: MANY, completed: 0 });
  expect([bodies, supervisor.stats().gate.inside]).toEqual([0, 0]);
});

test('a finisher of many slots, and a task of a later stage, begin although not all slots are closed', async () => {
  const { supervisor, clock } = setup(unbounded);
  const bodies: string[] = [];
  for (let n = 0; n < MANY; n += 1) supervisor.submit({ run: polite });
  const run = ({ slot }: TaskContext) => void bodies.push(slot);
  const finisher = supervisor.submit({ slot: 'finisher', onShutdown: 'finish', run });
  const later = supervisor.submit({ slot: 'later', shutdownStage: 1, run });
  const report = supervisor.shutdown();
  await clock.settle();
  expect([(await finisher.outcome).kind, (await later.outcome).kind]).toEqual(['completed', 'completed']);
  expect([bodies.sort(), (await report).counts.canceled]).toEqual([['finisher', 'later'], MANY]);
});

test('a stage whose many bodies all end while the shutdown visits them is over at once', async () => {
  const { supervisor, clock } = setup(unbounded);
  const ends: (() => void)[] = [];
  const endAll = () => {
    for (const end of ends.splice(0)) end();
  };
  const run = (ctx: TaskContext) => {
    ctx.onCancel(endAll);
    return new Promise<void>((end) => void ends.push(end));
  };
  for (let n = 0; n < MANY; n += 1) supervisor.submit({ run });
  const later = supervisor.submit({ shutdownStage: 1, run: polite });
  await clock.settle();
  void supervisor.shutdown();
  await clock.settle();
  expect([later.status, clock.now()]).toEqual(['ended', 0]);
});

test('a shutdown whose many bodies all end while it visits them leaves no timer', async () => {
  const { supervisor, clock } = setup(unbounded);
  const ends: (() => void)[] = [];
  for (let n = 0; n < MANY; n += 1) supervisor.submit({ run: () => new Promise<void>((end) => void ends.push(end)) });
  await clock.settle();
  const report = supervisor.shutdown({ graceMs: 10 });
  const endAll = () => {
    for (const end of ends.splice(0)) end();
  };
  supervisor.subscribe({ onEvent: endAll }, { types: ['overrun'] });
  await clock.advance(10);
  expect((await report).abandoned).toHaveLength(1_024);
  expect(clock.timers).toBe(0);
});

test('a resume lets those that waited begin in their order, later submissions behind them, and none that is canceled meanwhile', async () => {
  const { supervisor, clock } = setup();
  const began: number[] = [];
  const submit = (n: number) => supervisor.submit({ run: () => began.push(n) });
  supervisor.pause();
  const all = Array.from({ length: MANY }, (_, n) => submit(n));
  supervisor.resume();
  submit(MANY);
  const last = all[MANY - 1];
  expect([last?.status, supervisor.stats().pending]).toEqual(['starting', MANY - 1_024 + 1]);
  await last?.cancel();
  await clock.settle();
  expect(began).toEqual([...all.keys(), MANY].filter((n) => n !== MANY - 1));
  expect(wrongCounts(supervisor)).toEqual([]);
});

test('S7: a shutdown within a resume lets none of those begin that have not begun', async () => {
  const { supervisor, clock } = setup();
  supervisor.pause();
  const all = Array.from({ length: MANY }, () => supervisor.submit({ run: () => 'began' }));
  supervisor.resume();
  const report = supervisor.shutdown();
  await clock.settle();
  expect((await report).counts).toMatchObject({ completed: 0, canceled: MANY });
  expect((await Promise.all(all.map(({ outcome }) => outcome))).every(({ kind }) => kind === 'canceled')).toBe(true);
});
