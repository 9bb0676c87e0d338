// The signal of a submission.

import { getEventListeners } from 'node:events';
import {
  type Lease,
  OptionError,
  type Outcome,
  type RejectReason,
  type Submission,
  type TaskContext,
  type TaskSpec,
} from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { nothingEscapes, trap } from '../../support/must-not-escape.ts';
import { ownedSlot } from '../../support/owned-slot.ts';
import { REASON } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

const rejected = (reason: RejectReason, by?: Submission): Outcome => ({
  kind: 'rejected',
  reason,
  ...(by !== undefined && { by: by.id }),
});

describe('the signal of a spec (section 6)', () => {
  const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

  test('aborted already: rejected, canceled, and no slot is taken', async () => {
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

  test('aborted while the lease store is asked: told to stop like any other', async () => {
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
    body.open('heard of nothing');
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'signal', reason: REASON });
  });

  test('one signal stops everything that was submitted with it, waiting or running', async () => {
    const { supervisor, clock } = setup();
    const parent = new AbortController();
    const submissions = ['a', 'a', 'b', 'c'].map((slot) =>
      supervisor.submit({ slot, signal: parent.signal, run: (ctx) => ctx.sleep(1e6) }),
    );
    const other = supervisor.submit({ slot: 'a', run: () => 'other' });
    await clock.settle();
    expect(listeners(parent.signal)).toBe(1); // however many wait for it
    parent.abort(REASON);
    const outcomes = await Promise.all(submissions.map(({ outcome }) => outcome));
    const stopped = { kind: 'canceled', by: 'signal', reason: REASON, attempts: 1 };
    expect(outcomes).toEqual([stopped, { kind: 'rejected', reason: 'canceled' }, stopped, stopped]);
    expect(await other.value()).toBe('other');
    expect(listeners(parent.signal)).toBe(0);
  });

  test('thousands of submissions, however they end, leave no listener on it', async () => {
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
      const admission = (['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'] as const)[n % 5] ?? 'queue';
      submissions.push(supervisor.submit({ slot: `s${n % 999}`, admission, restart: 'never', signal, run }));
    }
    expect(listeners(signal)).toBe(1);
    await clock.advance(1);
    for (const submission of submissions) void submission.cancel();
    const outcomes = await Promise.all(submissions.map(({ outcome }) => outcome));
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['completed', 'failed', 'canceled', 'rejected']));
    expect(listeners(signal)).toBe(0);
    await supervisor.idle(); // bodies whose sharers have all left
    expect(clock.timers).toBe(0);
  });
});

describe('the signal of a submission', () => {
  test('waiting: rejected canceled; started: told to stop with its reason; both leave no listener', async () => {
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
    expect(await running.outcome).toEqual({ kind: 'canceled', by: 'signal', reason: 'enough', attempts: 1 });
    owner.open('go');
    await clock.settle();
    expect([started, getEventListeners(control.signal, 'abort')]).toEqual([[], []]);
  });

  test('however many share it, it carries one listener, and none when all have ended', async () => {
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
  test('a signal that is aborted already: rejected, canceled, and the slot is not taken', async () => {
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

test('a signal that is listed twice counts once', async () => {
  const { supervisor, clock } = setup({ graceMs: 1_000 });
  const body = gateBody();
  const run = supervisor.run([{ run: body.body }], { signals: ['SIGUSR2', 'SIGUSR2'] });
  await clock.settle();
  process.emit('SIGUSR2');
  await clock.advance(500);
  expect(supervisor.snapshot().phase).toBe('draining');
  body.open('end');
  expect((await run).shutdown).toMatchObject({ cause: 'signal', withinGrace: true });
});

describe('a hostile signal', () => {
  test.each(['addEventListener', 'removeEventListener'])('a signal whose %s throws blocks no slot', async (broken) => {
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
  });
});
