// The safety promises, with one test for each promise.

import {
  backoffDelayMs,
  CanceledError,
  FatalError,
  OptionError,
  type Outcome,
  type Submission,
  type TaskContext,
  type TaskEvent,
  type TaskSpec,
} from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { JITTERS } from '../../src/model/backoff.ts';
import { CONSTANT_BACKOFF } from '../support/bodies.ts';
import { gateBody } from '../support/gate.ts';
import { finish, type GatedSlot, gatedSlot } from '../support/gated-slot.ts';
import { type Hostile, mustNotEscape, trap, watchEscapes } from '../support/must-not-escape.ts';
import { type Setup, setup } from '../support/setup.ts';

const boom = new Error('boom');

const fail = (): never => {
  throw boom;
};

describe('safety', () => {
  test('at most one body of a slot is alive, including an overrunning one, after any kind of stop (S1)', async () => {
    const stops: readonly [string, (world: GatedSlot, owner: Submission) => unknown][] = [
      ['cancel', (_, owner) => void owner.cancel()],
      ['slot.cancel', ({ supervisor }) => void supervisor.slot('s').cancel()],
      ['restart', (_, owner) => expect(owner.restart()).toBe(true)],
      ['replace', ({ submit }) => void submit({ admission: 'replace' })],
      ['timeout', ({ clock }) => clock.advance(50)],
    ];
    for (const [name, stop] of stops) {
      const world = gatedSlot({ defaults: { graceMs: 5 } });
      const { supervisor, clock, gate, submit } = world;
      const owner = submit({ timeoutMs: 50 });
      await clock.settle();
      await stop(world, owner);
      supervisor.slot('s').submit({ run: gate.body, restart: 'never' });
      await clock.advance(1_000);
      expect([name, owner.status, gate.calls.length]).toEqual([name, 'overrun', 1]);
      while (gate.alive > 0) {
        expect(gate.alive).toBe(1);
        gate.open('ended');
        await clock.settle();
      }
      expect(gate.calls.length).toBeGreaterThan(1);
    }
  });

  test('a body is called once per attempt, and never after the outcome', async () => {
    const { clock, submit } = gatedSlot();
    const calls: number[] = [];
    const run = (ctx: TaskContext): never => {
      calls.push(ctx.attempt);
      throw boom;
    };
    const { outcome } = submit({ run, restart: 'onFailure', maxRetries: 2, backoff: CONSTANT_BACKOFF });
    expect(calls).toEqual([]);
    await clock.advance(3_600_000);
    expect(await outcome).toMatchObject({ kind: 'failed', attempts: 3 });
    expect(calls).toEqual([1, 2, 3]);
  });

  test('each submission has one outcome of seven kinds, and its promise never rejects (S3)', async () => {
    const { supervisor, clock, submit } = gatedSlot({ defaults: { graceMs: 10 } });
    const hang = () => new Promise(() => {});
    const until = (ctx: TaskContext) => ctx.sleep(Infinity);
    const submissions: Record<Outcome['kind'], Submission> = {
      completed: submit({ slot: 'a', run: () => 1 }),
      failed: submit({ slot: 'b', run: fail }),
      fatal: submit({ slot: 'c', run: () => Promise.reject(new FatalError('for good')) }),
      canceled: submit({ slot: 'd', run: until }),
      killed: submit({ slot: 'e', run: { run: hang, kill: () => {} } }),
      abandoned: submit({ slot: 'f', run: hang, onOverrun: 'abandon' }),
      rejected: submit({ slot: 'd', admission: 'dropIfRunning' }),
    };
    const kinds: string[] = [];
    for (const { outcome } of Object.values(submissions)) void outcome.then(({ kind }) => kinds.push(kind));
    await clock.settle();
    for (const kind of ['canceled', 'killed', 'abandoned'] as const) void submissions[kind].cancel();
    await clock.advance(10);
    for (const [kind, { outcome }] of Object.entries(submissions)) expect((await outcome).kind).toBe(kind);
    expect(kinds.sort()).toEqual(Object.keys(submissions).sort());
    const { submitted } = supervisor.snapshot().totals;
    expect(submitted).toBe(7);
  });

  // The totals count a rejected submission, but not an invalid spec.
  test('a rejected submission and an invalid spec never run and leave no entry in the table', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    const spare = gateBody();
    expect(submit({ run: spare.body, signal: AbortSignal.abort() }).admission).toBe('rejected');
    expect(() => submit({ run: spare.body, timeoutMs: -1 })).toThrow(OptionError);
    expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { submitted: 1, rejected: 1 } });
    submit();
    const dropped = submit({ run: spare.body, admission: 'dropIfRunning' });
    expect([supervisor.get(dropped.id), supervisor.tasks().length]).toEqual([undefined, 1]);
    await clock.settle();
    gate.open('done');
    await clock.advance(1_000);
    expect([spare.calls, supervisor.tasks(), supervisor.snapshot().slots]).toEqual([[], [], []]);
  });

  test('a submission sees an earlier submission of the same turn', async () => {
    const { submit } = gatedSlot();
    const first = submit({ admission: 'dropIfRunning' });
    const second = submit({ admission: 'dropIfRunning' });
    expect([first.admission, second.admission]).toEqual(['started', 'rejected']);
    expect(await second.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: first.id });
  });

  // A paused slot without an owner is not busy, so dropIfRunning waits there.
  test('dropIfRunning is rejected in the same turn while the slot has an owner, in any status of the owner', async () => {
    const reach: readonly [Submission['status'], Partial<TaskSpec>, (owner: Submission, world: Setup) => unknown][] = [
      ['starting', {}, (_, { supervisor }) => supervisor.pause()],
      ['running', {}, (_, { clock }) => clock.settle()],
      ['backoff', { run: fail, restart: 'onFailure', backoff: CONSTANT_BACKOFF }, (_, { clock }) => clock.settle()],
      ['interval', { run: () => 1, restart: 'always', intervalMs: 9 }, (_, { clock }) => clock.settle()],
      ['stopping', {}, (owner, { clock }) => clock.settle().then(() => void owner.cancel())],
      ['overrun', { timeoutMs: 1, graceMs: 1 }, (_, { clock }) => clock.advance(2)],
    ];
    for (const [status, spec, act] of reach) {
      const world = gatedSlot();
      const owner = world.submit(spec);
      await act(owner, world);
      expect(owner.status).toBe(status);
      const dropped = world.submit({ admission: 'dropIfRunning', name: 'dropped' });
      expect(dropped.admission).toBe('rejected');
      expect(await dropped.outcome).toEqual({ kind: 'rejected', reason: 'slotBusy', by: owner.id });
      expect(world.gate.calls.some(({ name }) => name === 'dropped')).toBe(false);
    }
    const { supervisor, submit } = gatedSlot();
    supervisor.slot('s').pause();
    expect(submit({ admission: 'dropIfRunning' }).admission).toBe('queued');
  });

  test('queued bodies start in the order of their admission, even if one is canceled, throws or rejects (S4)', async () => {
    const world = gatedSlot();
    const started: string[] = [];
    const step = (name: string, end: () => unknown = () => name) =>
      world.submit({
        name,
        run: () => {
          started.push(name);
          return end();
        },
      });
    world.submit();
    const canceled = step('canceled');
    step('throws', fail);
    step('rejects', () => Promise.reject(boom));
    step('last');
    void canceled.cancel();
    await finish(world);
    expect(started).toEqual(['throws', 'rejects', 'last']);
  });

  test('with queueLimit n the (n + 1)-th waiting submission is rejected with queueFull', async () => {
    const { submit } = gatedSlot({ slotDefaults: { queueLimit: 3 } });
    submit();
    expect([1, 2, 3, 4].map(() => submit().admission)).toEqual(['queued', 'queued', 'queued', 'rejected']);
    expect(await submit().outcome).toEqual({ kind: 'rejected', reason: 'queueFull' });
  });

  // A replacement evicts no queued submission. It supersedes only an earlier waiting replacement.
  test('the latest replacement starts next, after the proof of end, and before the queue (S1, S4)', async () => {
    const world = gatedSlot();
    const { clock, gate, submit } = world;
    submit({ name: 'owner' });
    await clock.settle();
    submit({ name: 'queued' });
    const early = submit({ name: 'early', admission: 'replace' });
    const latest = submit({ name: 'latest', admission: 'replace' });
    expect(await early.outcome).toEqual({ kind: 'rejected', reason: 'superseded', by: latest.id });
    await clock.settle();
    expect([gate.calls.map(({ name }) => name), gate.calls[0]?.canceled]).toEqual([['owner'], true]);
    await finish(world);
    expect(gate.calls.map(({ name }) => name)).toEqual(['owner', 'latest', 'queued']);
  });

  test('of 100 replacements in a row only the last one starts', async () => {
    const world = gatedSlot();
    const storm = [world.submit({ name: '0' })];
    await world.clock.settle();
    for (let n = 1; n <= 100; n += 1) storm.push(world.submit({ name: `${n}`, admission: 'replace' }));
    await finish(world);
    expect(world.gate.calls.map(({ name }) => name)).toEqual(['0', '100']);
    const outcomes = await Promise.all(storm.map(({ outcome }) => outcome));
    expect(outcomes.filter((outcome) => outcome.kind === 'rejected')).toHaveLength(99);
  });

  // A canceled submission that never owned its slot is rejected with `canceled`.
  test('a submission that is canceled before its start is never called, frees its place and keeps the order of the others (S4)', async () => {
    const world = gatedSlot({ slotDefaults: { queueLimit: 3 } });
    const { gate, submit } = world;
    submit({ name: 'owner' });
    const [, middle] = ['a', 'b', 'c'].map((name) => submit({ name }));
    expect(submit().admission).toBe('rejected');
    expect(await middle?.cancel('enough')).toMatchObject({ kind: 'rejected', reason: 'canceled' });
    expect(submit({ name: 'd' }).admission).toBe('queued');
    await finish(world);
    expect(gate.calls.map(({ name }) => name)).toEqual(['owner', 'a', 'c', 'd']);
  });

  // A value after a stop request is `canceled` too. Its event is still attemptSucceeded.
  const ways: readonly [string, (ctx: TaskContext) => unknown, string, boolean][] = [
    ['a value', () => 'late', 'attemptSucceeded', false],
    ['the stop reason', (ctx) => Promise.reject(ctx.signal.reason), 'attemptCanceled', false],
    ['another error', fail, 'attemptCanceled', true],
    ['a new CanceledError', () => Promise.reject(new CanceledError('mine')), 'attemptCanceled', true],
  ];
  test.for(ways)(
    'a running task that is canceled and ends with %s gets one abort with the reason and is canceled',
    async ([, end, event, threw]) => {
      const { clock, submit, recorded } = gatedSlot();
      const reason = { why: 'enough' };
      const reasons: unknown[] = [];
      const run = async (ctx: TaskContext) => {
        ctx.signal.addEventListener('abort', () => reasons.push(ctx.signal.reason));
        await ctx.sleep(Infinity).catch(() => {});
        return end(ctx);
      };
      const submission = submit({ run });
      await clock.settle();
      void submission.cancel(reason);
      void submission.cancel('later');
      const outcome = await submission.outcome;
      expect(outcome).toMatchObject({ kind: 'canceled', by: 'caller', attempts: 1 });
      expect(outcome.kind === 'canceled' && outcome.reason === reason).toBe(true);
      expect('failure' in outcome).toBe(threw);
      expect(reasons).toHaveLength(1);
      expect((reasons[0] as CanceledError).reason).toBe(reason);
      await clock.settle();
      expect(recorded.types(submission.id)).toContain(event);
    },
  );

  test('each attempt has its own signal, which aborts at most once and never before the body is called', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    let aborts = 0;
    const signals: AbortSignal[] = [];
    const run = (ctx: TaskContext) => {
      expect(ctx.signal.aborted).toBe(false);
      signals.push(ctx.signal);
      ctx.signal.addEventListener('abort', () => (aborts += 1));
      return gate.body(ctx);
    };
    void submit({ run, slot: 'early' }).cancel();
    const submission = submit({ run, restart: 'onFailure', timeoutMs: 10, backoff: CONSTANT_BACKOFF });
    await clock.advance(10);
    expect([signals.length, aborts]).toEqual([1, 1]);
    gate.fail(boom);
    await clock.advance(110);
    void submission.cancel();
    void supervisor.slot('s').cancel();
    void supervisor.shutdown();
    await clock.settle();
    expect([new Set(signals).size, aborts]).toEqual([2, 2]);
  });

  const stops: readonly [string, (world: GatedSlot, owner: Submission) => unknown][] = [
    ['cancel', (_, owner) => owner.cancel()],
    ['replace', ({ submit }) => submit({ admission: 'replace', name: 'other' })],
    ['shutdown', ({ supervisor }) => supervisor.shutdown()],
  ];
  test.for(stops)('no retry starts after a %s, even if its backoff is already due (S8)', async ([, stop]) => {
    const world = gatedSlot();
    const { clock, submit, recorded } = world;
    const owner = submit({ run: fail, restart: 'onFailure', backoff: CONSTANT_BACKOFF });
    await clock.settle();
    clock.block(100); // the timer is due but has not fired
    void stop(world, owner);
    await clock.advance(1_000);
    expect(await owner.outcome).toMatchObject({ kind: 'canceled', attempts: 1 });
    expect(recorded.types(owner.id).filter((type) => type === 'attemptStarted')).toHaveLength(1);
  });

  // A success ends a streak of retries. A stable period does not.
  test('a success resets the retries counted for maxRetries, but not the restarts counted for restartLimit', async () => {
    const run = (ctx: TaskContext) => (ctx.attempt === 3 ? 'success' : fail());
    const { clock, submit } = gatedSlot();
    const retried = submit({ run, restart: 'always', maxRetries: 2, backoff: CONSTANT_BACKOFF });
    const restartLimit = { restarts: 3, withinMs: 1_000_000 };
    const limited = submit({
      slot: 'l',
      run,
      restart: 'always',
      maxRetries: 2,
      backoff: CONSTANT_BACKOFF,
      restartLimit,
    });
    await clock.advance(10_000);
    expect(await retried.outcome).toMatchObject({ because: 'maxRetries', attempts: 6 });
    expect(await limited.outcome).toMatchObject({ because: 'restartLimit', attempts: 5 });
  });

  // A delay may have a fraction of a millisecond.
  test.for(JITTERS)('a backoff with jitter %s is finite and within its bounds up to attempt 1,000,000', (jitter) => {
    const backoff = { firstMs: 50, factor: 3, maxMs: 20_000, floorMs: 10, jitter };
    const from = { none: 50, full: 10, equal: 25, band: 50, decorrelated: 50 }[jitter];
    const attempts = [...Array.from({ length: 1_000 }, (_, n) => n), 10_000, 100_000, 1_000_000];
    for (const random of [0, 0.5, 1 - 2 ** -53]) {
      let delay = backoff.firstMs;
      for (const attempt of attempts) {
        delay = backoffDelayMs(backoff, attempt, () => random, delay);
        if (!(delay >= from && delay <= 20_000)) throw new Error(`attempt ${attempt}: ${delay}`);
      }
      expect(Number.isFinite(delay)).toBe(true);
    }
  });

  test('a timeout aborts the signal, and the slot stays occupied until the body has settled (S1)', async () => {
    const { clock, gate, submit } = gatedSlot({ defaults: { graceMs: 10 } });
    const owner = submit({ timeoutMs: 50 });
    const next = submit();
    await clock.advance(100_000);
    expect([gate.calls[0]?.signal.aborted, owner.status, next.status]).toEqual([true, 'overrun', 'queued']);
    gate.open('too late');
    await clock.settle();
    expect([(await owner.outcome).kind, next.status]).toEqual(['failed', 'running']);
  });

  const failingListener = (ctx: TaskContext<unknown>) => {
    ctx.onCancel(trap);
    return ctx.sleep(1);
  };
  test.for<Hostile>([
    { spec: { run: trap }, outcome: 'failed' },
    { spec: { run: () => Object.defineProperty({}, 'then', { get: trap }) }, outcome: 'failed' },
    { spec: { state: trap }, outcome: 'failed' },
    { spec: { run: fail, restart: 'onFailure', retryIf: trap }, outcome: 'failed' },
    { spec: { run: failingListener }, drive: (_, s) => s.cancel(), outcome: 'canceled' },
    { options: { aroundAttempt: trap }, spec: {}, outcome: 'failed', witness: 'failed' },
    { options: { random: trap }, spec: { run: fail, restart: 'onFailure', maxRetries: 1 }, outcome: 'failed' },
    { spec: {}, drive: ({ supervisor }) => supervisor.subscribe(trap), outcome: 'completed' },
  ])('an error thrown in or around a body does not reach the process (%#)', async (hostile) => {
    expect((await mustNotEscape(hostile)).clock.timers).toBe(0);
  });

  test('an error thrown by an abort listener on ctx.signal is the exception: Node reports it as uncaught', async () => {
    const { clock, submit } = gatedSlot();
    const watch = watchEscapes();
    const run = (ctx: TaskContext) => {
      ctx.signal.addEventListener('abort', fail);
      return ctx.sleep(Infinity);
    };
    const submission = submit({ run });
    await clock.settle();
    expect((await submission.cancel()).kind).toBe('canceled');
    expect(await watch.stop()).toEqual(['uncaughtException']);
  });
});

describe('events, names and numbers', () => {
  test('a slow or throwing subscriber loses only its own events, and each loss is counted', async () => {
    const { supervisor, clock, recorded } = setup();
    const isTaskEvent = ({ type }: TaskEvent) => type !== 'eventsDropped' && type !== 'subscriberFailed';
    const slow: TaskEvent[] = [];
    let go = () => {};
    const slowly = (event: TaskEvent) => {
      slow.push(event);
      return new Promise<void>((resolve) => {
        go = resolve;
      });
    };
    supervisor.subscribe(slowly, { capacity: 5 });
    supervisor.subscribe(fail);
    for (let n = 0; n < 50; n += 1) supervisor.submit({ run: () => n });
    await clock.settle();
    for (let seen = 0; seen < slow.length; await clock.settle()) {
      seen = slow.length;
      go();
    }
    const dropped = slow.reduce((sum, event) => sum + (event.type === 'eventsDropped' ? event.count : 0), 0);
    // Each failure of the throwing subscriber is an event for the others.
    const sent = recorded.events.filter(({ type }) => type !== 'eventsDropped').length;
    expect(slow.filter(({ type }) => type !== 'eventsDropped').length + dropped).toBe(sent);
    expect(dropped).toBeGreaterThan(0);
    expect(recorded.events.filter(isTaskEvent)).toHaveLength(50 * 5);
    for (const { events } of [{ events: slow }, recorded])
      expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).sort((a, b) => a - b));
  });

  // The supervisor keeps nothing of ended work. The submission keeps its outcome, and `get` finds
  // only live submissions.
  test('an outcome is never lost with its events, and stays the same object (S3)', async () => {
    const { supervisor, clock } = setup();
    supervisor.subscribe(() => new Promise(() => {}), { capacity: 1 });
    const all = Array.from({ length: 2_000 }, (_, n) => supervisor.submit({ run: () => n }));
    const early = await all[7]?.outcome;
    await clock.settle();
    expect(await Promise.all(all.map((each) => each.value()))).toEqual(all.map((_, n) => n));
    expect(await all[7]?.outcome).toBe(early);
    expect(supervisor.get(all[7]?.id as Submission['id'])).toBeUndefined();
  });

  // A rejected submission has no `finished`. A canceled participant of a shared body has its
  // `finished` before the attempt has ended.
  test('the events of each submission match one grammar, and no event follows the last one', async () => {
    const world = gatedSlot({ defaults: { graceMs: 10 } });
    const { clock, submit, recorded } = world;
    const flaky = (ctx: TaskContext) => (ctx.attempt < 3 ? fail() : 'third');
    const all = [
      submit({ run: flaky, restart: 'onFailure', backoff: CONSTANT_BACKOFF }),
      submit({ timeoutMs: 5, restart: 'onFailure', maxRetries: 1, backoff: CONSTANT_BACKOFF }),
      submit({ admission: 'dropIfRunning' }),
      submit({ queueTimeoutMs: 1 }),
      submit({ admission: 'replace' }),
      submit({ admission: 'replace' }),
      submit({ slot: 'late', run: (ctx) => ctx.sleep(Infinity), deadlineMs: 20 }),
      submit({ slot: 'other', run: (ctx) => ctx.sleep(20) }),
      submit({ slot: 'other', admission: 'join' }),
    ];
    await clock.advance(1_000);
    await finish(world);
    const attempt = 'attemptStarted( stopRequested)?( overrun)? attempt(Succeeded|Failed|TimedOut|Stalled|Canceled)';
    const owner = `started (${attempt} (backoffScheduled )?)*(stopRequested )?finished`;
    const grammar = new RegExp(`^submitted ((queued )?(rejected|${owner})|joined finished)$`);
    for (const { id } of all) expect(recorded.types(id).join(' ')).toMatch(grammar);
  });

  test.for(['__proto__', 'constructor', 'toString', ' ', '\0', '\ud800', '\u{1f9ea}', 'x'.repeat(1_024)])(
    '%j is a legal name',
    async (slot) => {
      const { supervisor, clock, gate, submit } = gatedSlot({ slots: { [slot]: { queueLimit: 1 } } });
      expect(supervisor.slot(slot).view().phase).toBe('idle');
      const owner = submit({ slot });
      expect([submit({ slot }).admission, submit({ slot: `${slot}`.slice(1) || 'y' }).admission]).toEqual([
        'queued',
        'started',
      ]);
      await clock.settle();
      expect([owner.slot, gate.calls[0]?.slot, supervisor.slot(slot).view().owner?.id]).toEqual([slot, slot, owner.id]);
      expect(submit({ slot, admission: 'dropIfRunning' }).admission).toBe('rejected');
    },
  );

  test.for(['', 'x'.repeat(1_025)])(
    '%j is an invalid name and slot, because it is empty or longer than 1,024 code units',
    (name) => {
      const { supervisor, submit } = gatedSlot();
      for (const spec of [{ slot: name }, { name }]) expect(() => submit(spec)).toThrow(OptionError);
      expect(() => supervisor.slot(name)).toThrow(OptionError);
    },
  );

  test('an invalid number is an OptionError, and Infinity means never and sets no timer', async () => {
    const { supervisor, clock, submit } = gatedSlot();
    const durations = ['timeoutMs', 'stallMs', 'graceMs', 'queueTimeoutMs', 'deadlineMs'] as const;
    for (const field of [...durations, 'maxRetries', 'priority'] as const)
      for (const wrong of [Number.NaN, '5', 5n, null, ...(field === 'priority' ? [] : [-1])])
        expect(() => submit({ [field]: wrong })).toThrow(expect.objectContaining({ name: 'OptionError', field }));
    expect(supervisor.snapshot().totals.submitted).toBe(0);
    const never = Object.fromEntries(durations.map((field) => [field, Infinity]));
    submit({ ...never, maxRetries: Infinity });
    void submit({ ...never, slot: 't' }).cancel();
    await clock.settle();
    expect([clock.timers, supervisor.snapshot().owners]).toEqual([0, 1]);
  });
});
