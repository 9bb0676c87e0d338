// deadFraction shuts down when too many vital slots are dead.

import { FatalError, type Submission } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never, polite } from '../../support/bodies.ts';
import { UncheckedLeaseStore } from '../../support/fake-lease-store.ts';
import { gateBody } from '../../support/gate.ts';
import { setup } from '../../support/setup.ts';

const fails = () => {
  throw new Error('dead');
};
const fatal = () => {
  throw new FatalError('dead for good');
};
const vital = { vital: true, restart: 'never' } as const;

describe('deadFraction', () => {
  for (const [deadFraction, bodies, dead] of [
    [0, [polite], false],
    [0, [polite, polite, polite, fails], true],
    [0.5, [polite, polite, fails], false],
    [0.5, [polite, polite, fails, fails], true],
    [0.5, [polite, fails, fatal, fails], true],
    [1, [fails, fatal, polite], false],
    [1, [fails, fatal], true],
    [undefined, [fails, fatal], false],
    [Infinity, [fails, fatal], false],
  ] as const)
    test(`a deadFraction of ${deadFraction} with the vital bodies ${bodies.map(({ name }) => name)} ${dead ? 'shuts the supervisor down' : 'leaves the supervisor open'}`, async () => {
      const { supervisor, clock, recorded } = setup({ deadFraction });
      for (const run of bodies) supervisor.submit({ ...vital, run });
      await clock.settle();
      expect(supervisor.phase).toBe(dead ? 'closed' : 'open');
      expect(recorded.of('shutdownStarted').map(({ cause }) => cause)).toEqual(dead ? ['deadFraction'] : []);
      expect((await supervisor.shutdown()).cause).toBe(dead ? 'deadFraction' : 'caller');
    });

  test('never begins a shutdown because of tasks that are not vital', async () => {
    const { supervisor, clock } = setup({ deadFraction: 0 });
    for (const run of [fails, fatal]) supervisor.submit({ restart: 'never', run });
    supervisor.submit({ vital: true, run: polite });
    await clock.settle();
    expect(supervisor.phase).toBe('open');
  });

  test('counts slots, however many tasks of others have started', async () => {
    const { supervisor, clock } = setup({ deadFraction: 0.5 });
    const consumers = ['a', 'b', 'c'].map((slot) => {
      const body = gateBody();
      supervisor.submit({ ...vital, slot, run: body.body });
      return body;
    });
    for (let n = 0; n < 1_000; n += 1) supervisor.submit({ run: () => n });
    await clock.settle();
    for (const { fail } of consumers.slice(0, 2)) fail(new Error('dead'));
    await clock.settle();
    expect(supervisor.phase).toBe('closing');
    consumers[2]?.open('end');
    expect((await supervisor.closed).dead).toEqual({ slots: ['a', 'b'], of: 3, threshold: 0.5 });
  });

  test('does not count the slot in which others wait behind the task that died', async () => {
    const { supervisor, clock } = setup({ deadFraction: 0.5 });
    const all = Array.from({ length: 10 }, (_, n) =>
      supervisor.submit({ ...vital, slot: 'line', run: () => (n === 0 ? fails() : n) }),
    );
    await clock.settle();
    const kinds = (await Promise.all(all.map(({ outcome }) => outcome))).map(({ kind }) => kind);
    expect(kinds).toEqual(['failed', ...Array(9).fill('completed')]);
    expect([supervisor.phase, supervisor.vitalSlots()]).toEqual(['open', []]);
  });

  test('looks at a batch when all of it is admitted', async () => {
    const store = new UncheckedLeaseStore();
    store.respond = ({ request: { slot } }) => {
      if (slot === 'a') throw new Error('the store is away');
      return store.make(slot);
    };
    const { supervisor, clock } = setup({ deadFraction: 0.5, leases: store });
    supervisor.submitAll(['a', 'b', 'c'].map((slot) => ({ vital: true, slot, run: polite })));
    await clock.settle();
    expect(supervisor.phase).toBe('open');
    expect(supervisor.vitalSlots().map(({ alive }) => alive)).toEqual([false, true, true]);
  });

  test('begins a shutdown where vital submissions get no lease', async () => {
    const store = new UncheckedLeaseStore();
    const { supervisor, clock } = setup({ deadFraction: 1, leases: store });
    const submissions = ['a', 'b'].map((slot) => supervisor.submit({ vital: true, slot, run: polite }));
    await clock.settle();
    for (const ask of store.asks) ask.fail(new Error('the store is away'));
    await clock.settle();
    for (const { outcome } of submissions) expect(await outcome).toMatchObject({ reason: 'leaseUnavailable' });
    expect(await supervisor.closed).toMatchObject({ cause: 'deadFraction', dead: { slots: ['a', 'b'], of: 2 } });
  });

  test('is not looked at during a shutdown, and hastens none', async () => {
    const { supervisor, clock } = setup({ deadFraction: 0, shutdownGraceMs: 10 });
    supervisor.submit({ run: never });
    const body = gateBody();
    supervisor.submit({ ...vital, onShutdown: 'finish', run: body.body });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 1_000 });
    body.fail(new Error('dead'));
    await clock.advance(999);
    expect(supervisor.phase).toBe('closing');
    await clock.advance(1);
    expect(await report).toMatchObject({ cause: 'caller' });
    expect(await report).not.toHaveProperty('dead');
  });
});

describe('a slot that dies', () => {
  const dies = async (spec: object, stop: (submission: Submission) => void, waitMs = 0) => {
    const { supervisor, clock } = setup({ deadFraction: 1 });
    const submission = supervisor.submit({ ...vital, slot: 's', graceMs: 5, run: never, ...spec });
    await clock.settle();
    stop(submission);
    await clock.advance(waitMs + 5);
    return { supervisor, kind: (await submission.outcome).kind };
  };
  const cancel = (submission: Submission) => void submission.cancel();
  const nothing = () => {};

  for (const [claim, spec, stop, waitMs, kind, isDead] of [
    ['killed by its timeout', { timeoutMs: 10, run: { run: never, kill: nothing } }, nothing, 10, 'failed', true],
    ['given up after its timeout', { timeoutMs: 10, onOverrun: 'abandon' }, nothing, 10, 'failed', true],
    ['killed at its deadline', { deadlineMs: 10, run: { run: never, kill: nothing } }, nothing, 10, 'killed', true],
    ['given up after its deadline', { deadlineMs: 10, onOverrun: 'abandon' }, nothing, 10, 'abandoned', true],
    ['stopped at its deadline', { deadlineMs: 10, run: polite }, nothing, 10, 'canceled', false],
    ['killed after a cancel', { run: { run: never, kill: nothing } }, cancel, 0, 'killed', true],
    ['given up after a cancel', { onOverrun: 'abandon' }, cancel, 0, 'abandoned', true],
  ] as const)
    test(`${isDead ? 'is' : 'is not'} dead when its last owner was ${claim}`, async () => {
      const { supervisor, ...end } = await dies(spec, stop, waitMs);
      expect([end.kind, supervisor.phase]).toEqual([kind, isDead ? 'closed' : 'open']);
      if (!isDead) expect(supervisor.vitalSlots()).toEqual([]);
    });
});
