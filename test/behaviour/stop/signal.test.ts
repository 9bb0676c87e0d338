// The signal of a submission.

import { getEventListeners } from 'node:events';
import { type Lease, OptionError, type Submission, type TaskContext, type TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES } from '../../../src/model/settings.ts';
import { gateBody } from '../../support/gate.ts';
import { nothingEscapes, trap } from '../../support/must-not-escape.ts';
import { rejected } from '../../support/outcomes.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { REASON } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

describe('the signal of a spec', () => {
  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

  test('a submission with an aborted signal is rejected as canceled and takes no slot', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = gateBody();
    const submission = supervisor.submit({ slot: 's', signal: AbortSignal.abort(), run: body.body });
    expect(submission.admission).toBe('rejected');
    expect(supervisor.snapshot().slots).toEqual([]);
    expect(await submission.outcome).toEqual({ kind: 'rejected', reason: 'canceled' });
    await clock.settle();
    expect(recorded.types(submission.id)).toEqual(['submitted', 'rejected']);
    expect(body.calls).toEqual([]);
  });

  test('a signal that is aborted during the lease request stops the submission', async () => {
    const parent = new AbortController();
    const lease: Lease = { fence: 1n, lost: new AbortController().signal, release: () => {} };
    const acquire = () => {
      parent.abort(REASON);
      return lease;
    };
    const { supervisor, clock } = setup({ leases: { acquire } });
    const body = gateBody();
    const submission = supervisor.submit({ signal: parent.signal, run: body.body });
    await clock.settle();
    body.open('unaware');
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'signal', reason: REASON });
  });

  test('one signal stops every submission that uses it, waiting or running', async () => {
    const { supervisor, clock } = setup();
    const parent = new AbortController();
    const submissions = ['a', 'a', 'b', 'c'].map((slot) =>
      supervisor.submit({ slot, signal: parent.signal, run: (ctx) => ctx.sleep(1e6) }),
    );
    const other = supervisor.submit({ slot: 'a', run: () => 'other' });
    await clock.settle();
    expect(listeners(parent.signal)).toBe(1); // shared by all submissions
    parent.abort(REASON);
    const outcomes = await Promise.all(submissions.map(({ outcome }) => outcome));
    const stopped = { kind: 'canceled', by: 'signal', reason: REASON, attempts: 1 };
    expect(outcomes).toEqual([stopped, { kind: 'rejected', reason: 'canceled' }, stopped, stopped]);
    expect(await other.value()).toBe('other');
    expect(listeners(parent.signal)).toBe(0);
  });

  test('thousands of submissions with any outcome leave no listener on their signal', async () => {
    const { supervisor, clock } = setup();
    const { signal } = new AbortController();
    const bodies: ((ctx: TaskContext) => unknown)[] = [
      () => 'value',
      () => {
        throw new Error('failed');
      },
      (ctx) => ctx.sleep(1e6),
      async (ctx) => ctx.signal.aborted,
    ];
    const submissions: Submission[] = [];
    for (let n = 0; n < 4_000; n += 1) {
      const run = bodies[n % 4] as TaskSpec['run'];
      const admission = ADMISSION_POLICIES[n % ADMISSION_POLICIES.length] ?? 'queue';
      submissions.push(supervisor.submit({ slot: `s${n % 999}`, admission, restart: 'never', signal, run }));
    }
    expect(listeners(signal)).toBe(1);
    await clock.advance(1);
    for (const submission of submissions) void submission.cancel();
    const outcomes = await Promise.all(submissions.map(({ outcome }) => outcome));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['completed', 'failed', 'canceled', 'rejected']));
    expect(listeners(signal)).toBe(0);
    await supervisor.idle(); // bodies whose participants were all canceled
    expect(clock.timers).toBe(0);
  });
});

describe('the signal of a submission', () => {
  test('a signal rejects a waiting submission, stops a started one with its reason, and keeps no listener', async () => {
    const { add, owner, clock, started } = await ownedSlot();
    const control = new AbortController();
    const gate = gateBody();
    const waiting = add('w', { signal: control.signal });
    const running = add('r', { slot: 't', signal: control.signal, run: gate.body });
    await clock.settle();
    control.abort('enough');
    expect(await waiting.outcome).toEqual(rejected('canceled'));
    await clock.settle();
    expect(gate.calls[0]?.canceled).toBe(true);
    gate.open('late');
    expect(await running.outcome).toEqual({
      kind: 'canceled',
      by: 'signal',
      reason: 'enough',
      value: 'late',
      attempts: 1,
    });
    owner.open('go');
    await clock.settle();
    expect([started, getEventListeners(control.signal, 'abort')]).toEqual([[], []]);
  });

  test('a signal has one listener for 1,000 submissions, and none when all have ended', async () => {
    const { add, owner, clock, supervisor } = await ownedSlot({ queueLimit: Infinity });
    const { signal } = new AbortController();
    const many = Array.from({ length: 1_000 }, (_, n) => add(`q${n}`, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    owner.open('go');
    await Promise.all(many.map(({ outcome }) => outcome));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await clock.settle();
    expect(supervisor.snapshot().slots).toEqual([]);
  });
});

describe('a signal that is aborted before submit', () => {
  test('a submission whose signal is already aborted ends at once and leaves the slot free', async () => {
    const { supervisor, clock, recorded } = setup();
    const gate = gateBody();
    const signal = AbortSignal.abort('before');
    const submission = supervisor.submit({ slot: 's', signal, run: gate.body });
    expect([submission.admission, submission.status]).toEqual(['rejected', 'ended']);
    expect(supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: () => 'free' }).admission).toBe('started');
    expect(await submission.outcome).toEqual({ kind: 'rejected', reason: 'canceled' });
    await clock.settle();
    expect(gate.calls).toHaveLength(0);
    expect(recorded.types(submission.id)).toEqual(['submitted', 'rejected']);
  });
});

describe('a hostile signal', () => {
  test.each(['addEventListener', 'removeEventListener'])(
    'a signal whose %s throws does not block the slot',
    async (broken) => {
      const signal = {
        aborted: false,
        reason: undefined,
        addEventListener: () => {},
        removeEventListener: () => {},
        [broken]: trap,
      };
      await nothingEscapes(async () => {
        const { supervisor, clock } = setup();
        try {
          supervisor.submit({ slot: 's', signal: signal as never, run: () => 'value' });
        } catch (error) {
          expect(error).toBeInstanceOf(OptionError);
        }
        const next = supervisor.submit({ slot: 's', queueTimeoutMs: 10, run: () => 'next' });
        await clock.advance(10);
        expect(await next.outcome).toEqual({ kind: 'completed', value: 'next', attempts: 1 });
        expect(supervisor.snapshot().slots).toEqual([]);
      });
    },
  );
});
