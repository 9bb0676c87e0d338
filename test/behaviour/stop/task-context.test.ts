// How a body learns of its stop: signal, canceled, onCancel, sleep and untilCanceled.

import { CanceledError, type TaskContext } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gatedSlot } from '../../support/gated-slot.ts';
import { CAUSES, REASON, running } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

describe('what a body sees of its stop (section 6)', () => {
  test('canceled and throwIfCanceled know at once, with the reason; before they are quiet', async () => {
    const { ctx, submission } = await running();
    expect(ctx.canceled).toBe(false);
    expect(() => ctx.throwIfCanceled()).not.toThrow();
    void submission.cancel(REASON);
    expect(ctx.canceled).toBe(true);
    expect(() => ctx.throwIfCanceled()).toThrow(CanceledError);
    expect(() => ctx.throwIfCanceled()).toThrow(expect.objectContaining({ by: 'caller', reason: REASON }));
  });

  test('no listener of the body runs inside the call that asks (section 4)', async () => {
    for (const { by, ask } of CAUSES.filter((cause) => cause.by !== 'deadline')) {
      const world = await running();
      let heard = 0;
      world.ctx.onCancel(() => {
        heard += 1;
      });
      world.ctx.signal.addEventListener('abort', () => {
        heard += 1;
      });
      ask(world);
      expect([by, heard]).toEqual([by, 0]);
      await world.clock.settle();
      expect([by, heard]).toEqual([by, 2]);
    }
  });

  test("signal is the attempt's own: another attempt has another, and neither is the parent", async () => {
    const { ctx, clock, submission, body, parent } = await running();
    expect(ctx.signal).toBe(ctx.signal);
    expect(ctx.signal).not.toBe(parent.signal);
    submission.restart();
    body.open('first');
    await clock.settle();
    const fresh = body.calls[1];
    expect([ctx.signal.aborted, fresh?.signal.aborted, parent.signal.aborted]).toEqual([true, false, false]);
    expect(fresh?.signal).not.toBe(ctx.signal);
  });

  test('signal, looked at for the first time after the stop, is aborted with the same reason', async () => {
    const { ctx, clock, submission } = await running();
    void submission.cancel(REASON);
    await clock.settle();
    expect(ctx.signal.aborted).toBe(true);
    expect(() => ctx.throwIfCanceled()).toThrow(ctx.signal.reason);
  });

  test('onCancel: each listener is told once, in order; a removed one is not; a late one is told all the same', async () => {
    const { ctx, clock, submission } = await running();
    const heard: string[] = [];
    const twice = () => void heard.push('twice');
    ctx.onCancel(twice);
    const remove = ctx.onCancel(() => void heard.push('removed'));
    ctx.onCancel(twice);
    remove();
    remove();
    void submission.cancel();
    await clock.settle();
    expect(heard).toEqual(['twice', 'twice']);
    ctx.onCancel(() => void heard.push('late'));
    expect(heard).toHaveLength(2); // on a turn of its own
    await clock.settle();
    expect(heard).toEqual(['twice', 'twice', 'late']);
  });

  for (const [how, listener] of [
    [
      'throws',
      (error: unknown) => {
        throw error;
      },
    ],
    ['rejects', (error: unknown) => Promise.reject(error)],
  ] as const)
    test(`an onCancel listener that ${how} harms no other, and is told as the failure of the stop`, async () => {
      const { ctx, clock, submission, body } = await running();
      const error = new Error('in a listener');
      let heard = 0;
      ctx.onCancel(() => listener(error));
      ctx.onCancel(() => {
        heard += 1;
      });
      void submission.cancel(REASON);
      await clock.settle();
      expect(heard).toBe(1);
      body.fail(ctx.signal.reason);
      expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'caller', failure: { error } });
    });

  test('sleep lasts that long, and rejects with the reason as soon as the attempt is stopped, leaving no timer', async () => {
    const { clock, supervisor } = setup();
    const woken: unknown[] = [];
    const submission = supervisor.submit({
      run: async (ctx) => {
        await ctx.sleep(100);
        woken.push(clock.now());
        await ctx.sleep(1e6).catch((error: unknown) => {
          woken.push(error, ctx.canceled);
          throw error;
        });
      },
    });
    await clock.advance(99);
    expect(woken).toEqual([]);
    await clock.advance(1);
    expect(woken).toEqual([100]);
    expect(await submission.cancel(REASON)).toEqual({ kind: 'canceled', by: 'caller', reason: REASON, attempts: 1 });
    expect(woken).toEqual([100, expect.any(CanceledError), true]);
    expect([clock.timers, clock.now()]).toEqual([0, 100]);
  });

  test('untilCanceled settles as its work does, or rejects with the reason, whichever comes first', async () => {
    const { ctx, clock, submission } = await running();
    const error = new Error('of the work');
    expect(await ctx.untilCanceled(Promise.resolve('value'))).toBe('value');
    await expect(ctx.untilCanceled(Promise.reject(error))).rejects.toBe(error);
    const endless = ctx.untilCanceled(new Promise(() => {}));
    let late: ((error: unknown) => void) | undefined;
    const failing = ctx.untilCanceled(new Promise((_, reject) => (late = reject)));
    void submission.cancel(REASON);
    await clock.settle();
    const { reason } = ctx.signal;
    expect(reason).toBeInstanceOf(CanceledError);
    await expect(endless).rejects.toBe(reason);
    late?.(error); // nobody looks at it any more
    await expect(failing).rejects.toBe(reason);
  });

  test('begun after the stop, sleep and untilCanceled reject with the reason, without waiting', async () => {
    const { ctx, clock, submission } = await running({ graceMs: Infinity });
    void submission.cancel();
    const sameTurn = ctx.sleep(1e6);
    await clock.settle();
    const later = [ctx.sleep(0), ctx.sleep(Infinity), ctx.untilCanceled(new Promise(() => {}))];
    for (const wait of [sameTurn, ...later]) await expect(wait).rejects.toBe(ctx.signal.reason);
    expect([clock.timers, clock.now()]).toEqual([0, 0]);
  });

  test('a wait that a body left behind ends with its attempt: no timer outlives it', async () => {
    const { supervisor, clock } = setup();
    const left: Promise<unknown>[] = [];
    const run = (ctx: TaskContext): string => {
      left.push(ctx.sleep(1e6), ctx.untilCanceled(new Promise(() => {})));
      return 'done';
    };
    expect(await supervisor.submit({ run }).value()).toBe('done');
    expect(clock.timers).toBe(0);
    for (const wait of left) await expect(wait).rejects.toThrow(/has ended/);
  });

  test('a sleep begun after its attempt has ended holds no timer either', async () => {
    const { ctx, supervisor, clock, submission, body } = await running();
    body.open('done');
    await submission.outcome;
    await supervisor.shutdown();
    const wait = ctx.sleep(1e6);
    await clock.settle();
    expect(clock.timers).toBe(0);
    await expect(wait).rejects.toThrow(/has ended/);
  });
});

test('a listener that is added after the stop, and fails, is told as the failure of the stop like any other', async () => {
  const { clock, gate, submit } = gatedSlot();
  const submission = submit();
  await clock.settle();
  void submission.cancel();
  await clock.settle();
  const error = new Error('in a late listener');
  gate.calls[0]?.onCancel(() => {
    throw error;
  });
  await clock.settle();
  gate.fail(gate.calls[0]?.signal.reason);
  expect(await submission.outcome).toMatchObject({ kind: 'canceled', failure: { error } });
});
