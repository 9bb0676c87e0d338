// What a body can reach, and the async context in which it runs.

import { AsyncLocalStorage, executionAsyncResource } from 'node:async_hooks';
import { CanceledError, OptionError, type TaskContext, TimeoutError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

describe('what a body can reach', () => {
  test('a body and its state() are called without a `this`', async () => {
    const { supervisor } = setup();
    const seen: unknown[] = [];
    await supervisor.submit({
      state(this: unknown) {
        seen.push(this);
      },
      run(this: unknown) {
        seen.push(this);
      },
    }).outcome;
    expect(seen).toEqual([undefined, undefined]);
  });

  test('the methods of a context work when destructured', async () => {
    const { supervisor, clock } = setup({ defaults: { graceMs: 50 } });
    const received: unknown[] = [];
    const submission = supervisor.submit({
      slot: 's',
      run: async ({ onCancel, sleep, throwIfCanceled, untilCanceled, heartbeat, name }) => {
        onCancel((reason) => received.push(reason.by));
        heartbeat();
        throwIfCanceled();
        await sleep(5);
        await untilCanceled(Promise.resolve());
        received.push(name);
        await sleep(Infinity);
      },
    });
    await clock.advance(5);
    expect(await submission.cancel()).toMatchObject({ kind: 'canceled', by: 'caller' });
    expect(received).toEqual(['s', 'caller']);
  });

  test('a wait of an ended attempt fails the next attempt, and the task is retried', async () => {
    const { supervisor, clock } = setup();
    let connection: Promise<string> | undefined;
    const run = async (ctx: TaskContext) => {
      if (ctx.attempt === 1) {
        connection = ctx.untilCanceled(new Promise<string>(() => {}));
        throw new Error('something else');
      }
      return ctx.attempt === 2 ? connection : 'connected';
    };
    const submission = supervisor.submit({ backoff: { firstMs: 10 }, run });
    await clock.advance(100);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'connected', attempts: 3 });
  });

  test('a TimeoutError thrown by a body is a failure, and a CanceledError ends the task as canceled', async () => {
    const { supervisor } = setup();
    const outcomeOf = (error: Error) =>
      supervisor.submit({
        restart: 'never',
        run: () => {
          throw error;
        },
      }).outcome;
    expect((await outcomeOf(new TimeoutError('late'))).kind).toBe('failed');
    expect((await outcomeOf(new CanceledError('enough'))).kind).toBe('canceled');
  });

  test('an onCancel listener that another listener removes is not called', async () => {
    const { supervisor, clock } = setup();
    const received: string[] = [];
    const submission = supervisor.submit({
      run: (ctx) => {
        ctx.onCancel(() => {
          received.push('first');
          remove();
        });
        const remove = ctx.onCancel(() => received.push('second'));
        return ctx.sleep(Infinity);
      },
    });
    await clock.settle();
    await submission.cancel();
    expect(received).toEqual(['first']);
  });
});

test('a context has the id, slot, name, meta, attempt and fence of its task', async () => {
  const { supervisor } = setup();
  const meta = { tenant: 7 };
  const submission = supervisor.submit({
    slot: 's',
    name: 'report',
    meta,
    run: (ctx) => [ctx.id, ctx.slot, ctx.name, ctx.meta, ctx.attempt, ctx.fence],
  });
  expect(await submission.value()).toEqual([submission.id, 's', 'report', meta, 1, 0n]);
});

test('a kill runs in the async context of its submitter, as the body does', async () => {
  const { supervisor, clock } = setup();
  const store = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const note = () => void seen.push(store.getStore());
  const task = { run: () => new Promise<void>(note), kill: note };
  const { outcome } = store.run('mine', () =>
    supervisor.submit({ run: task, restart: 'never', timeoutMs: 5, graceMs: 5 }),
  );
  await store.run('other', () => clock.advance(10));
  expect(await outcome).toMatchObject({ kind: 'failed', failure: { kind: 'timedOut' } });
  expect(seen).toEqual(['mine', 'mine']);
});

test('a body that freezes its async resource finds no property on it and affects nothing', async () => {
  const { supervisor } = setup();
  const submission = supervisor.submit({
    slot: 's',
    restart: 'never',
    run: () => Object.getOwnPropertyNames(Object.freeze(executionAsyncResource())),
  });
  expect(await submission.outcome).toEqual({ kind: 'completed', value: [], attempts: 1 });
  expect(supervisor.slot('s').view().phase).toBe('idle');
});

for (const [what, call, message] of [
  [
    'ctx.onCancel() with a listener that is no function',
    (ctx) => ctx.onCancel('stop' as never),
    'listener must be a function, got "stop"',
  ],
  ['ctx.sleep() with a negative time', (ctx) => ctx.sleep(-1), 'ms must be a number of ms, 0 or more, got -1'],
] as readonly (readonly [string, (ctx: TaskContext) => unknown, string])[])
  test(`${what} throws an OptionError, which fails the attempt like any other error`, async () => {
    const { supervisor, clock } = setup();
    const outcome = await supervisor.submit({ restart: 'never', run: call }).outcome;
    expect(outcome).toMatchObject({ kind: 'failed', failure: { message } });
    expect(outcome.kind === 'failed' && outcome.failure.kind === 'thrown' && outcome.failure.error).toBeInstanceOf(
      OptionError,
    );
    expect(clock.timers).toBe(0);
  });

describe('the async context of a body', () => {
  test('state, body and onCancel listeners run in the async context of the submitter', async () => {
    const { supervisor, clock } = setup();
    const store = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const note = (where: string) => seen.push([where, store.getStore()]);
    const owner = gateBody();
    store.run('first', () => supervisor.submit({ slot: 's', run: (ctx) => [note('first'), owner.body(ctx)][1] }));
    const second = store.run('second', () =>
      supervisor.submit({
        slot: 's',
        backoff: { firstMs: 10 },
        state: () => note('state'),
        run: async (ctx) => {
          note(`attempt ${ctx.attempt}`);
          ctx.onCancel(() => note('onCancel'));
          if (ctx.attempt === 1) throw new Error('once more');
          await ctx.sleep(1_000);
        },
      }),
    );
    await clock.settle();
    store.run('opener', () => owner.open('done'));
    await clock.advance(10);
    await store.run('canceler', () => second.cancel());
    expect(seen).toEqual([
      ['first', 'first'],
      ...['state', 'attempt 1', 'state', 'attempt 2', 'onCancel'].map((where) => [where, 'second']),
    ]);
  });
});
