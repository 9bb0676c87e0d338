// The supervisor holds nothing when all work has ended.

import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { CONSTANT_BACKOFF } from '../support/bodies.ts';
import { gateBody } from '../support/gate.ts';
import { finish, gatedSlot } from '../support/gated-slot.ts';
import { setup } from '../support/setup.ts';

const fail = (): never => {
  throw new Error('boom');
};

describe('resources', () => {
  test('when all work has ended no table entry, no timer and no listener on the parent signal is left (S6)', async () => {
    const parent = new AbortController();
    const world = gatedSlot({ defaults: { graceMs: 10 }, slots: { idle: { queueLimit: 1 } } });
    const { supervisor, clock, submit } = world;
    const shared = { signal: parent.signal, timeoutMs: 50, stallMs: 40, queueTimeoutMs: 1_000, deadlineMs: 5_000 };
    submit(shared);
    submit({ ...shared, admission: 'join' });
    submit({ ...shared, run: fail, restart: 'onFailure', maxRetries: 2, backoff: CONSTANT_BACKOFF });
    void submit(shared).cancel();
    submit({ ...shared, admission: 'replace' });
    submit({ ...shared, slot: 't', run: (ctx) => ctx.sleep(10) });
    await clock.advance(20);
    expect(clock.timers).toBeGreaterThan(0);
    expect(getEventListeners(parent.signal, 'abort').length).toBeGreaterThan(0);
    await finish(world);
    expect(supervisor.snapshot()).toMatchObject({ slots: [], owners: 0, queued: 0, overrun: 0, abandonedAlive: 0 });
    expect([clock.timers, getEventListeners(parent.signal, 'abort')]).toEqual([0, []]);
  });

  test('after run() with signal handlers no timer and no listener of the process is left', async () => {
    const count = () => process.eventNames().map((name) => [name, process.listenerCount(name)]);
    const before = count();
    const { supervisor, clock } = setup();
    const gate = gateBody();
    const report = supervisor.run([{ run: gate.body }], { signals: ['SIGTERM', 'SIGINT'] });
    expect(count()).not.toEqual(before);
    await clock.settle();
    gate.open('done');
    expect((await report).outcomes.map(({ kind }) => kind)).toEqual(['completed']);
    expect([count(), clock.timers]).toEqual([before, 0]);
  });
});
