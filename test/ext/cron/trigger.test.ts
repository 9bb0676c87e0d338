// trigger: a run that is no date.

import { AsyncLocalStorage } from 'node:async_hooks';
import { ClosedError, Supervisor, type TaskContext } from 'slotvisor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { HOUR, MINUTE, SECOND, START, world } from './world.ts';

afterEach(() => vi.restoreAllMocks());

const NONE = { ran: 0, superseded: 0, dropped: 0, missed: 0, elsewhere: 0, errors: 0, pending: 0 };

describe('a trigger', () => {
  test('counts in submitted and triggered, and in no box of dates, while it waits and however it ends', async () => {
    for (const admission of ['dropIfRunning', 'queue', 'replace', 'keepLatest', 'join'] as const) {
      const { clock, make } = world();
      const body = gateBody();
      const { schedule: made } = make({ everyMs: HOUR, task: { admission, run: body.body } });
      for (let n = 1; n <= 4; n += 1) {
        made.trigger();
        await clock.settle();
        expect(made.totals).toEqual({ ...NONE, submitted: n, triggered: n });
      }
      for (let n = 1; n <= 4; n += 1) {
        body.open('done');
        await clock.settle();
      }
      expect(made.totals).toEqual({ ...NONE, submitted: 4, triggered: 4 });
      expect(made.runs.map((run) => run.kind === 'submitted' && run.cause)).toEqual(Array(4).fill('trigger'));
    }
  });

  test('that supersedes a date, or makes it dropped, leaves the date in its own count', async () => {
    const { clock, make } = world();
    const body = gateBody();
    const { schedule: made } = make({ everyMs: SECOND, task: { admission: 'keepLatest', run: body.body } });
    made.trigger();
    await clock.advance(SECOND); // the date waits behind the first trigger
    made.trigger();
    await clock.settle();
    expect(made.totals).toEqual({ ...NONE, submitted: 3, triggered: 2, superseded: 1 });
    made.update({ task: { slot: made.slot, admission: 'dropIfRunning', run: body.body } });
    await clock.advance(SECOND);
    expect(made.totals).toEqual({ ...NONE, submitted: 4, triggered: 2, superseded: 1, dropped: 1 });
  });

  test('moves no date and draws no delay', async () => {
    const { clock, make } = world();
    const random = vi.fn(() => 0.5);
    const { schedule: made } = make({ cron: '0 * * * * *', jitterMs: SECOND, random });
    const [next, draws] = [made.next(3), random.mock.calls.length];
    made.trigger();
    await clock.settle();
    expect([made.next(3), random.mock.calls.length]).toEqual([next, draws]);
  });

  test('passes the moment of its call to the body as the date', async () => {
    const { clock, make } = world();
    const made = make({ cron: '0 * * * *' });
    await clock.advance(90 * SECOND);
    made.schedule.trigger();
    await clock.settle();
    expect(made.dues).toEqual(['00:01:30']);
    const now = new Date(START + 90 * SECOND);
    expect(made.schedule.runs).toMatchObject([{ kind: 'submitted', cause: 'trigger', due: now, at: now }]);
  });

  test('runs in the async context of the schedule call, as a date and a date that is caught up do', async () => {
    const { clock, make } = world();
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const note = () => void seen.push(storage.getStore());
    const run = async (ctx: TaskContext) => {
      note();
      await ctx.sleep(10);
      note();
    };
    const made = storage.run('maker', () => make({ everyMs: SECOND, missed: { catchUp: 3 }, task: { run } }).schedule);
    storage.run('triggerer', () => made.trigger());
    await clock.advance(500);
    storage.run('updater', () => made.update({ everyMs: 2 * SECOND }));
    storage.run('pauser', () => made.pause());
    clock.block(6 * SECOND);
    storage.run('resumer', () => made.resume());
    await storage.run('advancer', () => clock.advance(SECOND));
    expect(made.totals).toMatchObject({ triggered: 1, ran: 3 });
    expect(seen).toEqual(Array(8).fill('maker'));
  });

  test('works while the schedule is paused, and has places left or not', async () => {
    const { clock, make } = world();
    const body = gateBody();
    const { schedule: made } = make({ everyMs: SECOND, maxRuns: 2, task: { admission: 'queue', run: body.body } });
    await clock.advance(2 * SECOND);
    made.pause();
    const submission = made.trigger();
    expect(submission.admission).toBe('queued');
    for (let i = 0; i < 2; i += 1) {
      body.open('done');
      await clock.settle();
    }
    expect(made).toMatchObject({ status: 'ended', totals: { ran: 2, triggered: 1 } });
    expect(submission.status).toBe('running'); // the end stops no run
  });

  test('is refused once the schedule has ended, and counts nothing then', async () => {
    const { clock, supervisor, make } = world();
    const [stopped, closed] = [make({ everyMs: SECOND }).schedule, make({ everyMs: SECOND }).schedule];
    void stopped.stop();
    void supervisor.shutdown();
    for (const made of [stopped, closed]) {
      expect(() => made.trigger()).toThrow(ClosedError);
      expect(made.totals).toEqual({ ...NONE, submitted: 0, triggered: 0 });
    }
    await clock.settle();
  });

  test('passes on what submit throws, and counts nothing then', () => {
    const { make } = world();
    const made = make({ everyMs: SECOND }).schedule;
    vi.spyOn(Supervisor.prototype, 'submit').mockImplementationOnce(() => {
      throw new Error('out of order');
    });
    expect(() => made.trigger()).toThrow('out of order');
    expect(made.totals).toEqual({ ...NONE, submitted: 0, triggered: 0 });
    expect(made.runs).toEqual([]);
  });

  test('is waited for by stop', async () => {
    const { clock, make } = world();
    const body = gateBody();
    const made = make({ everyMs: HOUR, task: { run: body.body } }).schedule;
    made.trigger();
    await clock.advance(MINUTE);
    let stopped = false;
    void made.stop().then(() => {
      stopped = true;
    });
    await clock.advance(MINUTE);
    expect(stopped).toBe(false);
    body.open('done');
    await clock.settle();
    expect(stopped).toBe(true);
  });
});
