import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { LiveTaskContext } from '../../src/engine/task-context.ts';
import { CancelToken } from '../../src/kernel/cancel-token.ts';
import { deferred } from '../../src/kernel/deferred.ts';
import { CanceledError } from '../../src/model/error.ts';
import type { TaskId } from '../../src/model/id.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

function setup() {
  const clock = new VirtualClock();
  const token = new CancelToken<CanceledError>();
  const reason = new CanceledError('stop');
  const meta = { own: true };
  const attempt = {
    host: { runtime: { clock }, submission: { id: 'x-1' as TaskId, slot: 's', name: 'n', meta } },
    fence: 3n,
    number: 2,
    token,
    get canceled() {
      return token.canceled;
    },
    onCancel: (listener: (reason: CanceledError) => void) => token.onCancel(listener, () => {}),
    get isOver() {
      return token.canceled;
    },
    confirmLease: vi.fn(async () => {}),
    heartbeat: vi.fn(),
  };
  const cancel = () => {
    token.cancel(reason);
    token.deliver(() => {});
  };
  const ctx = new LiveTaskContext(attempt);
  return { ctx, attempt, clock, token, reason, meta, cancel };
}

test('a context shows its submission, its attempt and the fence of its lease', () => {
  const { ctx, meta } = setup();
  const { id, slot, name, attempt, fence, state } = ctx;
  expect({ id, slot, name, attempt, fence, state }).toEqual({
    id: 'x-1',
    slot: 's',
    name: 'n',
    attempt: 2,
    fence: 3n,
    state: undefined,
  });
  expect(ctx.meta).toBe(meta);
});

test('the signal is that of the attempt, and is aborted with the stop reason', () => {
  const { ctx, reason, cancel } = setup();
  const { signal } = ctx;
  expect([ctx.signal, signal.aborted, ctx.canceled]).toEqual([signal, false, false]);
  cancel();
  expect([signal.aborted, signal.reason, ctx.canceled]).toEqual([true, reason, true]);
});

test('throwIfCanceled throws the stop reason, and only after a stop request', () => {
  const { ctx, reason, token } = setup();
  const { throwIfCanceled } = ctx;
  throwIfCanceled();
  token.cancel(reason);
  expect(throwIfCanceled).toThrow(reason);
});

test('onCancel calls its listener with the stop reason, unless it was removed', () => {
  const { ctx, reason, cancel } = setup();
  const { onCancel } = ctx;
  const [kept, removed] = [vi.fn(), vi.fn()];
  onCancel(kept);
  onCancel(removed)();
  cancel();
  expect(kept).toHaveBeenCalledExactlyOnceWith(reason);
  expect(removed).not.toHaveBeenCalled();
});

test.for([undefined, 'f'])('onCancel refuses %s as a listener', (listener) => {
  expect(() => setup().ctx.onCancel(listener as never)).toThrow(expect.objectContaining({ field: 'listener' }));
});

test("sleep resolves after its time on the supervisor's clock", async () => {
  const { ctx, clock } = setup();
  const { sleep } = ctx;
  const woke = vi.fn();
  void sleep(50).then(woke);
  await clock.advance(49);
  expect(woke).not.toHaveBeenCalled();
  await clock.advance(1);
  expect(woke).toHaveBeenCalledTimes(1);
});

test('sleep rejects with the stop reason and leaves no timer, also when nothing awaits it', async () => {
  const { ctx, clock, reason, cancel } = setup();
  const sleeping = ctx.sleep(50);
  void ctx.sleep(Infinity); // an unhandled rejection would fail this test
  cancel();
  await expect(sleeping).rejects.toBe(reason);
  await turn();
  expect(clock.timers).toBe(0);
});

test.for([-1, Number.NaN, '5'])('sleep refuses a time of %s', (ms) => {
  expect(() => setup().ctx.sleep(ms as number)).toThrow(expect.objectContaining({ field: 'ms' }));
});

test('untilCanceled settles as its work does', async () => {
  const { untilCanceled } = setup().ctx;
  expect(await untilCanceled(Promise.resolve(7))).toBe(7);
  await expect(untilCanceled(Promise.reject(new Error('boom')))).rejects.toThrow('boom');
});

test('untilCanceled rejects with the stop reason when that comes first, also when nothing awaits it', async () => {
  const { ctx, reason, cancel } = setup();
  const work = deferred<number>();
  const waiting = ctx.untilCanceled(work.promise);
  void ctx.untilCanceled(work.promise); // an unhandled rejection would fail this test
  cancel();
  await expect(waiting).rejects.toBe(reason);
  await turn();
});

test('heartbeat is passed to the attempt', () => {
  const { ctx, attempt } = setup();
  const { heartbeat } = ctx;
  heartbeat();
  expect(attempt.heartbeat).toHaveBeenCalledTimes(1);
});

test('ensureOwned asks for the lease, and rejects with what the store threw, also when nothing awaits it', async () => {
  const { ctx, attempt, reason } = setup();
  const { ensureOwned } = ctx;
  await ensureOwned();
  attempt.confirmLease.mockRejectedValue(reason);
  void ensureOwned(); // an unhandled rejection would fail this test
  await expect(ensureOwned()).rejects.toBe(reason);
  expect(attempt.confirmLease).toHaveBeenCalledTimes(3);
});
