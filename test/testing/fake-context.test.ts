import { setImmediate as turn } from 'node:timers/promises';
import { CanceledError, OptionError, type StopCause, Supervisor, type TaskContext, TimeoutError } from 'slotvisor';
import { type FakeStopCause, fakeContext, VirtualClock } from 'slotvisor/testing';
import { describe, expect, test, vi } from 'vitest';
import { deferred } from '../../src/kernel/deferred.ts';

/** A context of a second attempt, and the ways to look at it from outside. */
interface Given {
  readonly ctx: TaskContext<string>;
  readonly clock: VirtualClock;
  /** Resolves one turn later. */
  cancel(reason?: unknown): Promise<void>;
  /** What the first listener that failed threw. */
  listenerError(): Promise<unknown>;
}

const meta = { tenant: 'acme' };
const state = 'fresh';

async function ofSupervisor(): Promise<Given> {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock, defaults: { backoff: { firstMs: 0 }, graceMs: Infinity } });
  const body = deferred<void>();
  const context = deferred<TaskContext<string>>();
  const submission = supervisor.submit({
    slot: 'sync:acme',
    name: 'sync',
    meta,
    state: () => state,
    run: (ctx) => {
      if (ctx.attempt === 1) throw new Error('no answer');
      context.resolve(ctx);
      return body.promise;
    },
  });
  await clock.advance(0);
  const ctx = await context.promise;
  return {
    ctx,
    clock,
    cancel: async (reason) => {
      void submission.cancel(reason);
      await undefined;
    },
    listenerError: async () => {
      body.reject(ctx.signal.reason);
      const outcome = await submission.outcome;
      const failure = 'failure' in outcome ? outcome.failure : undefined;
      return failure?.kind === 'thrown' ? failure.error : undefined;
    },
  };
}

async function ofFake(): Promise<Given> {
  const clock = new VirtualClock();
  const fake = fakeContext({ slot: 'sync:acme', name: 'sync', meta, state, attempt: 2, clock });
  return { ...fake, clock, listenerError: async () => fake.listenerErrors[0] };
}

describe.for([
  ['a supervisor', ofSupervisor],
  ['fakeContext', ofFake],
] as const)('the context of %s', ([, given]) => {
  test('shows its task, its attempt, its state and its fence', async () => {
    const { slot, name, attempt, fence, meta: seen, state: fresh, canceled, id } = (await given()).ctx;
    expect({ slot, name, attempt, fence, seen, fresh, canceled }).toEqual({
      slot: 'sync:acme',
      name: 'sync',
      attempt: 2,
      fence: 0n,
      seen: meta,
      fresh: 'fresh',
      canceled: false,
    });
    expect(id).toMatch(/^.+-1$/);
  });

  test('is canceled at once, and aborts its signal one turn later, with the reason', async () => {
    const { ctx, cancel } = await given();
    const { signal } = ctx;
    const canceling = cancel('newer');
    expect([ctx.canceled, signal.aborted]).toEqual([true, false]);
    await canceling;
    expect([ctx.signal, signal.aborted]).toEqual([signal, true]);
    expect(signal.reason).toBeInstanceOf(CanceledError);
    expect(signal.reason).toMatchObject({ by: 'caller', reason: 'newer', message: 'stopped by caller' });
  });

  test('has a signal that is aborted already where the body first looks at it after the stop request', async () => {
    const { ctx, cancel } = await given();
    await cancel();
    expect(ctx.signal.aborted).toBe(true);
  });

  test('keeps the first stop reason', async () => {
    const { ctx, cancel } = await given();
    await cancel('first');
    await cancel('second');
    expect(ctx.signal.reason).toMatchObject({ reason: 'first' });
  });

  test('calls each onCancel listener once, unless it was removed, and a late one on a later turn', async () => {
    const { ctx, cancel } = await given();
    const { onCancel } = ctx;
    const [kept, removed, late] = [vi.fn(), vi.fn(), vi.fn()];
    onCancel(kept);
    onCancel(removed)();
    const canceling = cancel();
    expect(kept).not.toHaveBeenCalled();
    await canceling;
    onCancel(late);
    expect(late).not.toHaveBeenCalled();
    await turn();
    expect(kept).toHaveBeenCalledExactlyOnceWith(ctx.signal.reason);
    expect(late).toHaveBeenCalledExactlyOnceWith(ctx.signal.reason);
    expect(removed).not.toHaveBeenCalled();
  });

  test('catches what a listener throws, calls the others, and reports it', async () => {
    const { ctx, cancel, listenerError } = await given();
    const error = new Error('in a listener');
    const other = vi.fn();
    ctx.onCancel(() => {
      throw error;
    });
    ctx.onCancel(other);
    await cancel();
    expect(other).toHaveBeenCalledTimes(1);
    expect(await listenerError()).toBe(error);
  });

  test('reports what a listener rejects with', async () => {
    const { ctx, cancel, listenerError } = await given();
    const error = new Error('in a listener');
    ctx.onCancel(() => Promise.reject(error));
    await cancel();
    await turn();
    expect(await listenerError()).toBe(error);
  });

  test('sleeps on its clock', async () => {
    const { ctx, clock } = await given();
    const { sleep } = ctx;
    const woke = vi.fn();
    void sleep(50).then(woke);
    await clock.advance(49);
    expect(woke).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(woke).toHaveBeenCalledTimes(1);
  });

  test('ends every sleep with the stop reason, leaves no timer, and lets a body drop the promise', async () => {
    const { ctx, clock, cancel } = await given();
    const sleeping = ctx.sleep(50);
    void ctx.sleep(Infinity); // an unhandled rejection would fail this test
    await Promise.all([expect(sleeping).rejects.toBeInstanceOf(CanceledError), cancel()]);
    await expect(sleeping).rejects.toBe(ctx.signal.reason);
    await expect(ctx.sleep(50)).rejects.toBe(ctx.signal.reason);
    await turn();
    expect(clock.timers).toBe(0);
  });

  test('settles untilCanceled as its work does, or with the stop reason', async () => {
    const { ctx, cancel } = await given();
    const { untilCanceled } = ctx;
    expect(await untilCanceled(Promise.resolve(7))).toBe(7);
    await expect(untilCanceled(Promise.reject(new Error('boom')))).rejects.toThrow('boom');
    const waiting = untilCanceled(new Promise(() => {}));
    void untilCanceled(new Promise(() => {}));
    await Promise.all([expect(waiting).rejects.toMatchObject({ by: 'caller' }), cancel()]);
  });

  test('throws the stop reason in throwIfCanceled, from the stop request on', async () => {
    const { ctx, cancel } = await given();
    const { throwIfCanceled } = ctx;
    throwIfCanceled();
    const canceling = cancel();
    expect(throwIfCanceled).toThrow(CanceledError);
    await canceling;
  });

  test('owns its slot until the stop request, also while it asks', async () => {
    const { ctx, cancel } = await given();
    const { ensureOwned } = ctx;
    await ensureOwned();
    const asking = ensureOwned();
    await Promise.all([expect(asking).rejects.toMatchObject({ by: 'caller' }), cancel()]);
    await expect(ensureOwned()).rejects.toBe(ctx.signal.reason);
  });

  test('lets the event loop have its turns, whatever a body that asks again and again has caught', async () => {
    const { ctx, cancel } = await given();
    await cancel();
    let rounds = 0;
    const asking = (async () => {
      for (; rounds < 100; rounds += 1) await ctx.ensureOwned().catch(() => {});
    })();
    await turn();
    await turn();
    expect(rounds).toBeLessThan(5);
    await asking;
  });

  test('takes a heartbeat', async () => {
    const { heartbeat } = (await given()).ctx;
    expect(heartbeat()).toBeUndefined();
  });

  test('refuses a listener that is no function, and a time that is no duration', async () => {
    const { ctx } = await given();
    expect(() => ctx.onCancel('stop' as never)).toThrow('listener must be a function, got "stop"');
    expect(() => ctx.sleep(-1)).toThrow('ms must be a number of ms, 0 or more, got -1');
  });
});

test('a fake context needs no option: it is the first attempt of a task in a slot of its own', () => {
  const { id, slot, name, attempt, fence, meta: none, state: absent } = fakeContext().ctx;
  expect({ id, slot, name, attempt, fence, none, absent }).toEqual({
    id: 'fake-1',
    slot: 'fake-1',
    name: 'fake-1',
    attempt: 1,
    fence: 0n,
    none: undefined,
    absent: undefined,
  });
});

test('a fake context shows the id and the fence that it was given, and a name alone is its slot too', () => {
  const { id, slot, fence, name } = fakeContext({ id: 'sync-7', name: 'sync', fence: 9n }).ctx;
  expect([id, slot, name, fence]).toEqual(['sync-7', 'sync', 'sync', 9n]);
});

test.for<FakeStopCause>(['caller', 'replace', 'slot', 'signal', 'deadline', 'shutdown', 'leaseLost'])(
  'a fake context can be stopped by %s',
  async (by) => {
    const { ctx, cancel } = fakeContext();
    await cancel('why', by);
    expect(ctx.signal.reason).toMatchObject({ by, reason: 'why', message: `stopped by ${by}` });
    expect(ctx.signal.reason).not.toBeInstanceOf(TimeoutError);
  },
);

test('a fake context that is stopped by timeout gets a TimeoutError', async () => {
  const { ctx, cancel } = fakeContext();
  await cancel(undefined, 'timeout');
  expect(ctx.signal.reason).toBeInstanceOf(TimeoutError);
  expect(ctx.signal.reason.by).toBe<StopCause>('deadline');
});

test('a fake context counts heartbeats', () => {
  const { ctx, heartbeats } = fakeContext();
  ctx.heartbeat();
  ctx.heartbeat();
  expect(heartbeats()).toBe(2);
});

test('a fake context without a clock sleeps in the time of the platform, or of the fake timers that it finds', async () => {
  vi.useFakeTimers();
  try {
    const { sleep } = fakeContext().ctx;
    const woke = vi.fn();
    void sleep(60_000).then(woke);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(woke).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(woke).toHaveBeenCalledTimes(1);
  } finally {
    vi.useRealTimers();
  }
});

test.for<[options: unknown, message: string]>([
  [5, 'options must be an object, got 5'],
  [{ atempt: 2 }, 'atempt is not an option (did you mean attempt?), got 2'],
  [{ attempt: 0 }, /^attempt must be a whole number from 1 to \d+, got 0$/ as never],
  [{ fence: 3 }, 'fence must be a bigint, got 3'],
  [{ slot: '' }, 'slot must not be empty, got ""'],
  [{ clock: {} }, 'clock.now must be a function, got undefined'],
])('a fake context refuses %o', ([options, message]) => {
  expect(() => fakeContext(options as never)).toThrow(OptionError);
  expect(() => fakeContext(options as never)).toThrow(message);
});

test.for(['task', 'queueTimeout', 'timedOut'])('a fake context cannot be stopped by %s', async (by) => {
  const { ctx, cancel } = fakeContext();
  await expect(cancel(undefined, by as never)).rejects.toThrow(/^by must be one of 'caller', .*'timeout', got /);
  expect(ctx.canceled).toBe(false);
});
