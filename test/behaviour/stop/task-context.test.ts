// How a body learns of its stop: signal, canceled, onCancel, sleep and untilCanceled.

import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CanceledError, type TaskContext } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import { gatedSlot } from '../../support/gated-slot.ts';
import { CAUSES, REASON, running } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('the stop request in the context of a body', () => {
  test('ctx.canceled and ctx.throwIfCanceled() show a stop at once, with its reason, and nothing before it', async () => {
    const { ctx, submission } = await running();
    expect(ctx.canceled).toBe(false);
    expect(() => ctx.throwIfCanceled()).not.toThrow();
    void submission.cancel(REASON);
    expect(ctx.canceled).toBe(true);
    expect(() => ctx.throwIfCanceled()).toThrow(CanceledError);
    expect(() => ctx.throwIfCanceled()).toThrow(expect.objectContaining({ by: 'caller', reason: REASON }));
  });

  test('no listener of the body runs inside the call that requests the stop', async () => {
    for (const { by, ask } of CAUSES.filter((cause) => cause.by !== 'deadline')) {
      const world = await running();
      let received = 0;
      world.ctx.onCancel(() => {
        received += 1;
      });
      world.ctx.signal.addEventListener('abort', () => {
        received += 1;
      });
      ask(world);
      expect([by, received]).toEqual([by, 0]);
      await world.clock.settle();
      expect([by, received]).toEqual([by, 2]);
    }
  });

  test('ctx.signal takes any number of listeners without a warning', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { supervisor } = setup();
    const run = async ({ signal }: TaskContext): Promise<number> => {
      await Promise.all(Array.from({ length: 50 }, () => pause(1, undefined, { signal })));
      for (let n = 0; n < 50; n += 1) signal.addEventListener('abort', () => {});
      return Array.from({ length: 50 }, () => AbortSignal.any([signal])).length;
    };
    expect(await supervisor.submit({ restart: 'never', run }).value()).toBe(50);
    expect(warn).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  test('each attempt has its own ctx.signal, which is not the signal of the spec', async () => {
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

  test('ctx.signal read for the first time after the stop is aborted with the same reason', async () => {
    const { ctx, clock, submission } = await running();
    void submission.cancel(REASON);
    await clock.settle();
    expect(ctx.signal.aborted).toBe(true);
    expect(() => ctx.throwIfCanceled()).toThrow(ctx.signal.reason);
  });

  test('ctx.onCancel() calls each listener once, in order, also a late one, and never a removed one', async () => {
    const { ctx, clock, submission } = await running();
    const received: string[] = [];
    const twice = () => void received.push('twice');
    ctx.onCancel(twice);
    const remove = ctx.onCancel(() => void received.push('removed'));
    ctx.onCancel(twice);
    remove();
    remove();
    void submission.cancel();
    await clock.settle();
    expect(received).toEqual(['twice', 'twice']);
    ctx.onCancel(() => void received.push('late'));
    expect(received).toHaveLength(2); // on its own turn
    await clock.settle();
    expect(received).toEqual(['twice', 'twice', 'late']);
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
    test(`an onCancel listener that ${how} stops no other listener, and its error is the failure in the outcome`, async () => {
      const { ctx, clock, submission, body } = await running();
      const error = new Error('in a listener');
      let received = 0;
      ctx.onCancel(() => listener(error));
      ctx.onCancel(() => {
        received += 1;
      });
      void submission.cancel(REASON);
      await clock.settle();
      expect(received).toBe(1);
      body.fail(ctx.signal.reason);
      expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'caller', failure: { error } });
    });

  test('a ctx.sleep() that is over is forgotten at once, also while its attempt goes on', async () => {
    const { ctx, clock } = await running();
    const slept = async (): Promise<WeakRef<object>> => {
      const sleep = ctx.sleep(10);
      await clock.advance(10);
      await sleep;
      return new WeakRef(sleep);
    };
    const over = await slept();
    await new Promise(setImmediate); // a WeakRef keeps its target alive until the turn ends
    collectGarbage();
    expect([over.deref(), ctx.canceled]).toEqual([undefined, false]);
  });

  test('ctx.sleep() lasts its time, and a stop rejects it with the reason at once and clears its timer', async () => {
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

  test('ctx.untilCanceled() settles as its promise does, or rejects with the reason of an earlier stop', async () => {
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
    late?.(error); // this error is ignored
    await expect(failing).rejects.toBe(reason);
  });

  test('ctx.sleep() and ctx.untilCanceled() after the stop reject with the reason at once', async () => {
    const { ctx, clock, submission } = await running({ graceMs: Infinity });
    void submission.cancel();
    const sameTurn = ctx.sleep(1e6);
    await clock.settle();
    const later = [ctx.sleep(0), ctx.sleep(Infinity), ctx.untilCanceled(new Promise(() => {}))];
    for (const wait of [sameTurn, ...later]) await expect(wait).rejects.toBe(ctx.signal.reason);
    expect([clock.timers, clock.now()]).toEqual([0, 0]);
  });

  test('a pending wait ends with its attempt and leaves no timer', async () => {
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

  test('ctx.sleep() after the end of its attempt rejects and holds no timer', async () => {
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

test('the error of an onCancel listener that was added after the stop is the failure in the outcome', async () => {
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
