// What a supervisor with `keepEnded` still knows of submissions that have ended.

import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { setup } from '../../support/setup.ts';

describe('an ended submission', () => {
  test('is not found by default', async () => {
    const { supervisor, clock } = setup();
    const { id } = supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect([supervisor.get(id), await supervisor.cancel(id), supervisor.restart(id)]).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });

  test('is found while it is one of the last that ended', async () => {
    const { supervisor, clock } = setup({ keepEnded: 2 });
    const ids = [1, 2, 3].map((value) => supervisor.submit({ slot: 's', name: `n${value}`, run: () => value }).id);
    await clock.settle();
    const [first, second, third] = ids.map((id) => supervisor.get(id));
    expect(first).toBeUndefined();
    expect(second).toMatchObject({ id: ids[1], slot: 's', name: 'n2', admission: 'queued', status: 'ended' });
    expect([await second?.value(), await third?.value()]).toEqual([2, 3]);
    expect(supervisor.get(ids[1] as never)).toBe(second);
  });

  test('gives its outcome to cancel, and false to restart', async () => {
    const { supervisor, clock } = setup({ keepEnded: 9 });
    const task = supervisor.submit({ run: () => 1 });
    await clock.settle();
    expect(await supervisor.cancel(task.id, 'late')).toBe(await task.outcome);
    expect(supervisor.restart(task.id)).toBe(false);
  });

  test('rejects value() with the error that its own handle has', async () => {
    const { supervisor, clock } = setup({ keepEnded: 9, slotDefaults: { queueLimit: 1, onFull: 'dropOldest' } });
    const tasks = [1, 2, 3].map(() => supervisor.submit({ slot: 's', run: never }));
    await clock.settle();
    const dropped = tasks[1];
    const of = (promise: Promise<unknown> | undefined) => promise?.catch((error: Error) => error.message);
    const message = await of(dropped?.value());
    expect(message).toContain('queueLimit is 1');
    expect(await of(supervisor.get(dropped?.id as never)?.value())).toBe(message);
  });

  test('is unknown to tasks, views, counts and idle()', async () => {
    const { supervisor, clock } = setup({ keepEnded: 9 });
    supervisor.submit({ slot: 's', run: () => 1 });
    await clock.settle();
    await supervisor.idle();
    expect(supervisor.tasks()).toEqual([]);
    expect(supervisor.snapshot()).toMatchObject({ slots: [], queued: 0 });
    expect(supervisor.slot('s').view()).toMatchObject({ phase: 'idle', queued: [] });
  });

  test('is still found after a shutdown', async () => {
    const { supervisor, clock } = setup({ keepEnded: 9 });
    const { id } = supervisor.submit({ run: (ctx) => ctx.sleep(Infinity) });
    await clock.settle();
    await supervisor.shutdown();
    expect(await supervisor.get(id)?.outcome).toMatchObject({ kind: 'canceled', by: 'shutdown' });
  });
});

describe('kept are submissions', () => {
  test('that owned, shared or waited', async () => {
    const { supervisor, clock } = setup({ keepEnded: 9 });
    const owner = supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(Infinity) });
    await clock.settle();
    const joined = supervisor.submit({ slot: 's', admission: 'join', run: never });
    const queued = supervisor.submit({ slot: 's', run: never });
    await supervisor.slot('s').cancel();
    await clock.settle();
    const kinds = [owner, joined, queued].map(async ({ id }) => (await supervisor.get(id)?.outcome)?.kind);
    expect(await Promise.all(kinds)).toEqual(['canceled', 'canceled', 'rejected']);
  });

  test('and not those that submit turned away', async () => {
    const { supervisor, clock } = setup({ keepEnded: 9, leases: { acquire: () => null } });
    const none = supervisor.submit({ slot: 's', run: never }); // the lease store answers at once
    const aborted = supervisor.submit({ slot: 's', signal: AbortSignal.abort(), run: never });
    await clock.settle();
    expect([none, aborted].map(({ admission }) => admission)).toEqual(['rejected', 'rejected']);
    expect([none, aborted].map(({ id }) => supervisor.get(id))).toEqual([undefined, undefined]);
  });
});
