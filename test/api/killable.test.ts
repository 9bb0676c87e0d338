import { setImmediate as turn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { killable } from '../../src/api/killable.ts';
import { type Deferred, deferred } from '../../src/kernel/deferred.ts';
import { CanceledError } from '../../src/model/error.ts';
import type { TaskContext } from '../../src/model/task.ts';
import { cleanupAndKill } from '../support/around-run.ts';

interface Attempt {
  readonly ctx: TaskContext;
  /** Delivers a stop request. */
  cancel(): void;
  readonly listeners: Set<(reason: CanceledError) => void>;
}

const reason = new CanceledError('stop');

function attemptOf(id: string, attempt: number, canceled = false): Attempt {
  const listeners = new Set<(reason: CanceledError) => void>();
  const ctx = {
    id,
    attempt,
    throwIfCanceled: () => {
      if (canceled) throw reason;
    },
    onCancel: (listener: (reason: CanceledError) => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as TaskContext;
  return {
    ctx,
    listeners,
    cancel: () => {
      for (const listener of listeners) listener(reason);
    },
  };
}

/** A task whose bodies end when the test says so. */
function setup() {
  const bodies: { ended: Deferred<string>; stop: ReturnType<typeof vi.fn>; kill: ReturnType<typeof vi.fn> }[] = [];
  const start = vi.fn((_: TaskContext) => {
    const body = { ended: deferred<string>(), stop: vi.fn(), kill: vi.fn() };
    bodies.push(body);
    return { ended: body.ended.promise, stop: body.stop, kill: body.kill };
  });
  return { bodies, start, task: killable<string>(start) };
}

test('each attempt starts one body with its context, and ends as the body does', async () => {
  const { bodies, start, task } = setup();
  const [first, second] = [attemptOf('x-1', 1), attemptOf('x-1', 2)];
  const [one, two] = [task.run(first.ctx), task.run(second.ctx)];
  expect(start.mock.calls).toEqual([[first.ctx], [second.ctx]]);
  bodies[0]?.ended.resolve('value');
  bodies[1]?.ended.reject(new Error('boom'));
  expect(await one).toBe('value');
  await expect(two).rejects.toThrow('boom');
});

test('further arguments of `run` are passed on to start', async () => {
  const start = vi.fn((_: TaskContext, due: Date, more?: string) => ({
    ended: Promise.resolve(`${due.getTime()} ${more}`),
    stop: () => {},
    kill: () => {},
  }));
  const { ctx } = attemptOf('x-1', 1);
  expect(await killable(start).run(ctx, new Date(5), 'more')).toBe('5 more');
  expect(start.mock.calls).toEqual([[ctx, new Date(5), 'more']]);
});

test('what start throws fails the attempt', async () => {
  const task = killable(() => {
    throw new Error('no thread');
  });
  await expect(task.run(attemptOf('x-1', 1).ctx)).rejects.toThrow('no thread');
});

test('a body that was stopped before it began is not started', async () => {
  const { start, task } = setup();
  await expect(task.run(attemptOf('x-1', 1, true).ctx)).rejects.toBe(reason);
  expect(start).not.toHaveBeenCalled();
});

test('a stop request is passed to the body of its attempt, with its reason', () => {
  const { bodies, task } = setup();
  const [first, second] = [attemptOf('x-1', 1), attemptOf('x-2', 1)];
  void task.run(first.ctx);
  void task.run(second.ctx);
  second.cancel();
  expect(bodies.map(({ stop }) => stop.mock.calls)).toEqual([[], [[reason]]]);
});

test('a body that has ended gets neither a stop nor a kill, whether it succeeded or failed', async () => {
  for (const end of [(ended: Deferred<string>) => ended.resolve(''), (ended: Deferred<string>) => ended.reject(1)]) {
    const { bodies, task } = setup();
    const attempt = attemptOf('x-1', 1);
    const running = Promise.resolve(task.run(attempt.ctx)).catch(() => {});
    end(bodies[0]?.ended as Deferred<string>);
    await running;
    expect(attempt.listeners.size).toBe(0);
    await task.kill(attempt.ctx);
    expect(bodies[0]?.kill).not.toHaveBeenCalled();
  }
});

test('a kill ends the body of its own attempt, and resolves when that body is dead', async () => {
  const { bodies, task } = setup();
  const [first, second] = [attemptOf('x-1', 1), attemptOf('x-1', 2)];
  void task.run(first.ctx);
  void task.run(second.ctx);
  const dead = deferred<void>();
  bodies[1]?.kill.mockReturnValue(dead.promise);
  const resolved = vi.fn();
  const killed = Promise.resolve(task.kill(second.ctx)).then(resolved);
  await turn();
  expect(resolved).not.toHaveBeenCalled();
  dead.resolve();
  await killed;
  const kills = () => bodies.map(({ kill }) => kill.mock.calls.length);
  expect(kills()).toEqual([0, 1]);
  await task.kill(first.ctx);
  expect(kills()).toEqual([1, 1]);
});

test('a kill that fails rejects, and the next kill reaches the body again', async () => {
  const { bodies, task } = setup();
  const attempt = attemptOf('x-1', 1);
  void task.run(attempt.ctx);
  bodies[0]?.kill.mockRejectedValueOnce(new Error('still alive'));
  await expect(task.kill(attempt.ctx)).rejects.toThrow('still alive');
  await task.kill(attempt.ctx);
  expect(bodies[0]?.kill).toHaveBeenCalledTimes(2);
});

test('a kill resolves after the code around `run` has gone on, however many microtasks that takes', async () => {
  const body = { ended: deferred<string>(), stop: () => {} };
  const task = killable<string>(() => ({
    ...body,
    ended: body.ended.promise,
    kill: () => body.ended.reject(new Error('killed')),
  }));
  const order = await cleanupAndKill(task, attemptOf('x-1', 1).ctx);
  expect(order).toEqual(['cleaned up', 'killed']);
});

test('a kill of a body that ends at the same moment also resolves after the code around `run`', async () => {
  const { bodies, task } = setup();
  const attempt = attemptOf('x-1', 1);
  const order: string[] = [];
  const running = Promise.resolve(task.run(attempt.ctx))
    .finally(() => {})
    .finally(() => order.push('cleaned up'));
  bodies[0]?.ended.resolve('value');
  await Promise.resolve(); // it is a body that has ended from here on
  await Promise.resolve(task.kill(attempt.ctx)).then(() => order.push('killed'));
  await running;
  expect(order).toEqual(['cleaned up', 'killed']);
});

test('a kill of an attempt that never started resolves', async () => {
  await expect(setup().task.kill(attemptOf('x-1', 1).ctx)).resolves.toBeUndefined();
});

test('a kill that resolved is not passed on again, also while the end of the body is never reported', async () => {
  const { bodies, task } = setup();
  const attempt = attemptOf('x-1', 1);
  void task.run(attempt.ctx);
  await task.kill(attempt.ctx);
  await task.kill(attempt.ctx);
  expect(bodies[0]?.kill).toHaveBeenCalledTimes(1);
});

test('a start that is not a function is refused when the task is made', () => {
  expect(() => killable(undefined as never)).toThrow(
    expect.objectContaining({ name: 'OptionError', message: 'start must be a function, got undefined' }),
  );
});

test.for([
  ['a promise', Promise.resolve({})],
  ['a body without an end', { stop: () => {}, kill: () => {} }],
  ['undefined', undefined],
])('an attempt whose start returns %s fails, and does not count as ended', async ([, body]) => {
  const task = killable(() => body as never);
  await expect(task.run(attemptOf('x-1', 1).ctx)).rejects.toThrow(
    'start must return a running body, whose ended is a promise',
  );
});
