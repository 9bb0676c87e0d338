// What a context says of its task, and what it refuses.

import { AsyncLocalStorage, executionAsyncResource } from 'node:async_hooks';
import { OptionError, type TaskContext } from 'slotvisor';
import { expect, test } from 'vitest';
import { setup } from '../support/setup.ts';

test('a context tells its body who it is', async () => {
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

test('a body that freezes its async resource, and looks for more of it, gets at nothing', async () => {
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
  ['a listener that is no function', (ctx) => ctx.onCancel('stop' as never), 'listener must be a function, got "stop"'],
  ['a sleep of less than nothing', (ctx) => ctx.sleep(-1), 'ms must be a number of ms, 0 or more, got -1'],
] as readonly (readonly [string, (ctx: TaskContext) => unknown, string])[])
  test(`${what} is refused by name, and fails the attempt like any other error`, async () => {
    const { supervisor, clock } = setup();
    const outcome = await supervisor.submit({ restart: 'never', run: call }).outcome;
    expect(outcome).toMatchObject({ kind: 'failed', failure: { message } });
    expect(outcome.kind === 'failed' && outcome.failure.kind === 'thrown' && outcome.failure.error).toBeInstanceOf(
      OptionError,
    );
    expect(clock.timers).toBe(0);
  });
