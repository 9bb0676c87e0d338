// Guards that no call holds the event loop for long: the outcomes and the stop requests between two
// of its turns are counted, not timed.

import { type Submission, Supervisor, type TaskContext } from 'slotvisor';
import { afterEach, expect, test, vi } from 'vitest';
import { Actor } from '../../src/engine/actor.ts';
import { Attempt } from '../../src/engine/attempt.ts';
import { Ledger } from '../../src/engine/ledger.ts';
import { PARTS_A_CALL } from '../../src/kernel/long-jobs.ts';

const MANY = 5 * PARTS_A_CALL;
const polite = (ctx: TaskContext): Promise<void> => ctx.sleep(Infinity);
const body = (): void => {};

afterEach(() => {
  vi.restoreAllMocks();
});

/** Returns the most outcomes and stop requests between two turns of the event loop. */
async function mostInATurn(call: () => unknown): Promise<number> {
  let [most, count] = [0, 0];
  const { settle } = Ledger.prototype;
  vi.spyOn(Ledger.prototype, 'settle').mockImplementation(function (this: Ledger, ...args) {
    count += 1;
    settle.apply(this, args);
  });
  const { requestStop } = Actor.prototype;
  vi.spyOn(Actor.prototype, 'requestStop').mockImplementation(function (this: Actor, ...args) {
    count += 1;
    requestStop.apply(this, args);
  });
  let isOver = false;
  const look = (): void => {
    most = Math.max(most, count);
    count = 0;
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  await call();
  await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  return most;
}

const newSupervisor = () => new Supervisor({ slotDefaults: { queueLimit: Infinity }, warnings: false });

function fill(supervisor: Supervisor, spec: object = {}): Submission[] {
  return Array.from({ length: MANY }, () => supervisor.submit({ slot: 's', run: body, ...spec }));
}

async function owned(): Promise<Supervisor> {
  const supervisor = newSupervisor();
  supervisor.submit({ slot: 's', run: polite });
  await new Promise((resolve) => setImmediate(resolve));
  return supervisor;
}

test('a cancel of a slot settles no more than 1,024 between two turns of the event loop, and one more for its owner', async () => {
  const supervisor = await owned();
  fill(supervisor);
  expect(await mostInATurn(() => supervisor.slot('s').cancel())).toBeLessThanOrEqual(PARTS_A_CALL + 2);
  expect(supervisor.stats().totals.rejected).toBe(MANY);
});

test('a shutdown settles no more of what waits in one slot', async () => {
  const supervisor = await owned();
  fill(supervisor);
  expect(await mostInATurn(() => supervisor.shutdown())).toBeLessThanOrEqual(PARTS_A_CALL + 2);
});

test('a shutdown asks no more than that to stop, and settles no more than that', async () => {
  const supervisor = newSupervisor();
  for (let n = 0; n < MANY; n += 1) supervisor.submit({ run: polite });
  while (supervisor.stats().tasks.running < MANY) await new Promise((resolve) => setImmediate(resolve));
  expect(await mostInATurn(() => supervisor.shutdown())).toBeLessThanOrEqual(2 * PARTS_A_CALL);
});

test('of the stop requests of a shutdown no more than that are undelivered at a time', async () => {
  const supervisor = newSupervisor();
  for (let n = 0; n < MANY; n += 1) supervisor.submit({ run: polite });
  while (supervisor.stats().tasks.running < MANY) await new Promise((resolve) => setImmediate(resolve));
  let [most, asked] = [0, 0];
  const { interrupt, deliver } = Attempt.prototype;
  vi.spyOn(Attempt.prototype, 'interrupt').mockImplementation(function (this: Attempt, ...args) {
    asked += 1;
    most = Math.max(most, asked);
    interrupt.apply(this, args);
  });
  vi.spyOn(Attempt.prototype, 'deliver').mockImplementation(function (this: Attempt) {
    asked -= 1;
    deliver.call(this);
  });
  await supervisor.shutdown();
  expect(most).toBeLessThanOrEqual(PARTS_A_CALL);
  expect(asked).toBe(0);
});

test('the abort of a signal that many share settles no more than that', async () => {
  const supervisor = await owned();
  const controller = new AbortController();
  const all = fill(supervisor, { signal: controller.signal });
  const abort = async () => {
    controller.abort();
    await all.at(-1)?.outcome;
  };
  expect(await mostInATurn(abort)).toBeLessThanOrEqual(PARTS_A_CALL);
});

test('the end of a body that many share settles no more than that', async () => {
  const supervisor = await owned();
  const all = fill(supervisor, { admission: 'join' });
  const end = async () => {
    void supervisor.slot('s').cancel();
    await all.at(-1)?.outcome;
  };
  expect(await mostInATurn(end)).toBeLessThanOrEqual(PARTS_A_CALL + 2);
});

test('a submission that finds a queue over its lowered limit settles no more than that', async () => {
  const supervisor = await owned();
  const all = fill(supervisor);
  supervisor.slot('s').configure({ queueLimit: 10, onFull: 'dropOldest' });
  const submit = async () => {
    supervisor.submit({ slot: 's', run: body });
    await all[MANY - 10]?.outcome;
  };
  expect(await mostInATurn(submit)).toBeLessThanOrEqual(PARTS_A_CALL);
  expect(supervisor.stats()).toMatchObject({ queued: 10, rejections: { queueFull: MANY - 9 } });
});

/** Returns how many left the gate's queue between two turns of the event loop, at most. */
async function mostLetIn(supervisor: Supervisor, call: () => void): Promise<number> {
  const queued = () => supervisor.stats().gate.queued;
  let [most, before] = [0, queued()];
  call();
  while (before > 0) {
    most = Math.max(most, before - queued());
    before = queued();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return most;
}

test('a resume lets no more than that in', async () => {
  const supervisor = newSupervisor();
  supervisor.pause();
  for (let n = 0; n < MANY; n += 1) supervisor.submit({ run: body });
  expect(await mostLetIn(supervisor, () => supervisor.resume())).toBe(PARTS_A_CALL);
  await supervisor.idle();
  expect(supervisor.stats().totals.completed).toBe(MANY);
});

test('a change of the concurrency lets no more than that in', async () => {
  const supervisor = new Supervisor({ concurrency: 1 });
  supervisor.submit({ run: polite });
  for (let n = 0; n < MANY; n += 1) supervisor.submit({ run: body });
  const letIn = () => supervisor.configure({ concurrency: Infinity });
  expect(await mostLetIn(supervisor, letIn)).toBe(PARTS_A_CALL);
  while (supervisor.stats().totals.completed < MANY) await new Promise((resolve) => setImmediate(resolve));
  await supervisor.shutdown();
});
