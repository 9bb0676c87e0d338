import { type AroundAttempt, OptionError, type Outcome, type TaskContext } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { type GateBody, gateBody } from '../support/gate.ts';
import {
  awaited,
  boom,
  expectThrown,
  type Hostile,
  looks,
  type Made,
  mustNotEscape,
  NEVER,
  nothingEscapes,
  RETURNED,
  raise,
  revoked,
  type Survived,
  THROWN,
  trap,
} from '../support/must-not-escape.ts';
import { setup } from '../support/setup.ts';

const lease = (parts: object = {}) => ({
  fence: 1n,
  lost: new AbortController().signal,
  release: () => {},
  ...parts,
});

/** Lets the body overrun its grace of 10 ms, then end by itself if nothing else ended it. */
const stopAndEnd =
  (gate: GateBody<string>): NonNullable<Hostile['drive']> =>
  async ({ clock }, submission) => {
    void submission.cancel();
    await clock.advance(10);
    if (submission.status !== 'ended') gate.open('late');
    await clock.settle();
  };

describe('every function of the user is guarded', () => {
  interface Seam {
    readonly name: string;
    readonly around: (hostile: () => unknown) => Hostile;
    readonly check?: (survived: Survived, thrown: unknown, way: 'throws' | 'rejects') => void;
  }
  const SEAMS: readonly Seam[] = [
    {
      name: 'state',
      around: (state) => ({ spec: { state, run: (ctx) => ctx.state }, outcome: 'failed' }),
      check: ({ outcome }, thrown) => expectThrown(outcome, thrown),
    },
    {
      name: 'retryIf',
      around: (retryIf) => ({
        spec: { retryIf: retryIf as never, restart: 'onFailure', run: () => raise(boom) },
        outcome: 'failed',
      }),
      check: ({ outcome }, thrown, way) => {
        if (outcome.kind !== 'failed') throw new Error(outcome.kind);
        const { because, failure, retryIfError, attempts } = outcome;
        expect([because, failure.kind === 'thrown' && failure.error, attempts]).toEqual(['retryIf', boom, 1]);
        if (way === 'throws') expect(Object.is(retryIfError, thrown)).toBe(true);
        else expect(retryIfError).toBeInstanceOf(TypeError);
      },
    },
    {
      name: 'kill',
      around: (kill) => {
        const gate = gateBody();
        const run = { run: gate.body as never, kill: kill as never };
        return { spec: { run, graceMs: 10 }, drive: stopAndEnd(gate), outcome: 'canceled' };
      },
      check: ({ recorded }) => expect(recorded.of('overrun').map(({ action }) => action)).toEqual(['kill', 'hold']),
    },
    {
      name: 'an onCancel listener',
      around: (listener) => {
        const gate = gateBody();
        const run = (ctx: TaskContext<unknown>) => {
          ctx.onCancel(listener);
          return gate.body(ctx as never);
        };
        return { spec: { run }, drive: stopAndEnd(gate), outcome: 'canceled' };
      },
    },
    {
      name: 'aroundAttempt',
      around: (around) => ({
        options: { aroundAttempt: around as never },
        spec: {},
        outcome: 'failed',
        witness: 'failed',
      }),
      check: ({ outcome }, thrown) => expectThrown(outcome, thrown),
    },
    {
      name: 'aroundAttempt, after next(),',
      around: (around) => ({
        options: { aroundAttempt: (_, next) => next().then(around) as never },
        spec: {},
        outcome: 'failed',
        witness: 'failed',
      }),
      check: ({ outcome }, thrown) => expectThrown(outcome, thrown),
    },
    {
      name: 'a subscriber',
      around: (onEvent) => ({
        spec: { run: (ctx) => ctx.sleep(10) },
        drive: ({ supervisor }) => void supervisor.subscribe({ name: 'bad', onEvent: onEvent as never }),
        outcome: 'completed',
      }),
      check: ({ recorded }, thrown) => {
        const failures = recorded.of('subscriberFailed');
        expect(failures.length).toBeGreaterThan(0);
        expect(failures.every(({ subscriber, error }) => subscriber === 'bad' && Object.is(error, thrown))).toBe(true);
      },
    },
    {
      name: 'the store, asked for a lease,',
      around: (acquire) => ({
        options: { leases: { acquire: acquire as never } },
        spec: {},
        outcome: 'rejected',
        witness: 'rejected',
      }),
      check: ({ outcome }, thrown) => {
        if (outcome.kind !== 'rejected') throw new Error(outcome.kind);
        expect(outcome.reason).toBe('leaseUnavailable');
        expect(Object.is(outcome.error, thrown)).toBe(true);
      },
    },
    {
      name: 'the release of a lease',
      around: (release) => ({
        options: { leases: { acquire: () => lease({ release }) } },
        spec: {},
        outcome: 'completed',
      }),
    },
  ];

  for (const { name, around, check } of SEAMS)
    for (const way of ['throws', 'rejects'] as const)
      test.each(THROWN)(`${name} ${way} %s`, async (_, make) => {
        const thrown = make();
        const survived = await mustNotEscape(
          around(way === 'throws' ? () => raise(thrown) : () => Promise.reject(thrown)),
        );
        check?.(survived, thrown, way);
      });
});

describe('every function of the user that may be waited for ends as `await` would end it', () => {
  const WAITED: readonly (readonly [name: string, around: (made: () => unknown, ok: boolean) => Hostile])[] = [
    [
      'kill',
      (kill, ok) => {
        const gate = gateBody();
        const run = { run: gate.body as never, kill: kill as never };
        return { spec: { run, graceMs: 10 }, drive: stopAndEnd(gate), outcome: ok ? 'killed' : 'canceled' };
      },
    ],
    [
      'a subscriber',
      (onEvent) => ({
        spec: { run: (ctx) => ctx.sleep(10) },
        drive: ({ supervisor }) => void supervisor.subscribe({ onEvent: onEvent as never }),
        outcome: 'completed',
      }),
    ],
    [
      'an onCancel listener',
      (listener) => ({
        spec: { run: (ctx) => ctx.onCancel(listener) && ctx.sleep(10) },
        drive: (_, submission) => void submission.cancel(),
        outcome: 'canceled',
      }),
    ],
    [
      'the store, asked for a lease,',
      (acquire) => ({
        options: { leases: { acquire: acquire as never } },
        spec: {},
        outcome: 'rejected',
        witness: 'rejected',
      }),
    ],
    [
      'the release of a lease',
      (release) => ({ options: { leases: { acquire: () => lease({ release }) } }, spec: {}, outcome: 'completed' }),
    ],
    [
      'aroundAttempt',
      (made, ok) => ({
        options: { aroundAttempt: (_, next) => [next(), made()][1] as never },
        spec: {},
        outcome: ok ? 'completed' : 'failed',
        witness: ok ? 'completed' : 'failed',
      }),
    ],
  ];
  for (const [name, around] of WAITED)
    test.each(RETURNED)(`${name} returns %s`, async (_, make) => {
      await mustNotEscape(around(make, (await awaited(make)).ok));
    });

  test.each(RETURNED)('retryIf is never waited for: %s', async (_, make) => {
    const { outcome } = await mustNotEscape({
      spec: { retryIf: make as never, restart: 'onFailure', maxRetries: 0, run: () => raise(boom) },
      outcome: 'failed',
    });
    expect(outcome).toMatchObject({ failure: { error: boom }, attempts: 1 });
  });

  test('a state that rejects and that its body never looks at stays inside', async () => {
    await nothingEscapes(async () => {
      const { supervisor } = setup();
      await supervisor.submit({ restart: 'never', state: () => Promise.reject(boom), run: () => 'blind' }).outcome;
      expect(supervisor.snapshot().slots).toEqual([]);
    });
  });

  test.each(NEVER)('%s: a subscriber that waits for it is bounded by the shutdown', async (_, make) => {
    await nothingEscapes(async () => {
      const { supervisor, clock, recorded } = setup({ subscriberGraceMs: 20 });
      supervisor.subscribe(make as never);
      expect(await supervisor.submit({ run: () => 'value' }).value()).toBe('value');
      const closed = supervisor.shutdown();
      await clock.advance(20);
      expect(await closed).toMatchObject({ withinGrace: true, counts: { completed: 1 } });
      expect(recorded.types()).toContain('finished');
      expect(clock.timers).toBe(0);
    });
  });

  test.each(NEVER)('%s: a kill that waits for it proves nothing, and the end of the body does', async (_, kill) => {
    const gate = gateBody();
    await mustNotEscape({
      spec: { run: { run: gate.body as never, kill: kill as never }, graceMs: 10 },
      drive: async ({ clock }, submission) => {
        void submission.cancel();
        await clock.advance(1_000);
        expect(submission.status).toBe('overrun');
        gate.open('late');
      },
      outcome: 'killed',
    });
  });
});

describe('an interceptor that does not keep its part', () => {
  type Around = (next: () => Promise<void>) => unknown;
  const around =
    (hostile: Around): AroundAttempt =>
    (info, next) =>
      (info.meta === 'hostile' ? hostile(next) : next()) as Promise<void>;

  test.each<readonly [name: string, hostile: Around, calls: number, outcome: Outcome['kind'], error: unknown]>([
    ['never calls next', async () => {}, 0, 'failed', expect.any(Error)],
    ['calls next when it is all over', async (next) => void setImmediate(next), 0, 'failed', expect.any(Error)],
    ['does not wait for next', async (next) => void next(), 1, 'completed', undefined],
    ['returns no promise', (next) => void next(), 1, 'completed', undefined],
    ['calls next twice', (next) => Promise.all([next(), next()]), 1, 'completed', undefined],
    ['calls next again', (next) => next().then(next), 1, 'completed', undefined],
    ['throws while the body is alive', (next) => [next(), raise(boom)], 1, 'failed', boom],
    ['rejects while the body is alive', (next) => [next(), Promise.reject(boom)][1], 1, 'failed', boom],
  ])('%s: one call of the body at most, and its end is waited for', async (_, hostile, calls, kind, error) => {
    const seen: string[] = [];
    const run = async (ctx: TaskContext<unknown>) => {
      seen.push('start');
      await ctx.sleep(50);
      seen.push('end');
    };
    const { outcome } = await mustNotEscape({
      options: { aroundAttempt: around(hostile) },
      spec: { meta: 'hostile', run },
      drive: ({ recorded }) => {
        void recorded.until(({ type }) => type === 'finished').then(() => seen.push('finished'));
      },
      outcome: kind,
    });
    expect(seen).toEqual(calls === 0 ? ['finished'] : ['start', 'end', 'finished']);
    if (error !== undefined) expect(outcome).toMatchObject({ failure: { error } });
  });

  test.each<readonly [name: string, hostile: Around]>([
    ['swallows it', (next) => next().catch(() => {})],
    ['throws its own instead', (next) => next().catch(() => raise(new Error('of the interceptor')))],
    ['lets it fall', async (next) => void next()],
  ])("the body's failure counts, though the interceptor %s", async (_, hostile) => {
    const { outcome } = await mustNotEscape({
      options: { aroundAttempt: around(hostile) },
      spec: { meta: 'hostile', run: (ctx) => ctx.sleep(5).then(() => raise(boom)) },
      outcome: 'failed',
    });
    expect(outcome).toMatchObject({ failure: { error: boom } });
  });
});

describe('what stands around: stores, chance, time, signals', () => {
  const unreadable = (name: string, get: () => unknown = trap): object =>
    Object.defineProperty(lease() as object, name, { get });
  test.each<readonly [name: string, answer: () => unknown, outcome: Outcome['kind']]>([
    ['undefined', () => undefined, 'rejected'],
    ['a word', () => 'granted', 'rejected'],
    ['an empty object', () => ({}), 'rejected'],
    ['a lease with a number for a fence', () => lease({ fence: 1 }), 'rejected'],
    ['a lease without a release', () => lease({ release: undefined }), 'rejected'],
    ['a lease whose loss is no signal', () => lease({ lost: { aborted: false } }), 'rejected'],
    ['a lease whose revocation is no signal', () => lease({ revoked: { aborted: false } }), 'rejected'],
    ['a lease whose fence cannot be read', () => unreadable('fence'), 'rejected'],
    ['a lease whose loss cannot be read', () => unreadable('lost'), 'rejected'],
    ['a lease whose revocation cannot be read', () => unreadable('revoked'), 'rejected'],
    ['a lease whose release cannot be read', () => unreadable('release'), 'rejected'],
    ['a lease that cannot say whether it is contended', () => unreadable('contended'), 'completed'],
    [
      'a lease whose fence can be read once',
      () =>
        unreadable(
          'fence',
          looks(() => 1n, trap),
        ),
      'completed',
    ],
    ['a lease that is lost already', () => lease({ lost: AbortSignal.abort() }), 'rejected'],
    ['a revoked proxy', () => revoked(), 'rejected'],
  ])('a store that answers with %s', async (_, answer, kind) => {
    for (const acquire of [answer, () => new Promise((yes) => setImmediate(() => yes(answer())))]) {
      const { outcome } = await mustNotEscape({
        options: { leases: { acquire: acquire as never } },
        spec: { run: (ctx) => ctx.sleep(5) },
        outcome: kind,
        witness: kind,
      });
      if (outcome.kind === 'rejected') expect(outcome.reason).toBe('leaseUnavailable');
    }
  });

  test.each([...THROWN.map(([name, make]): Made => [`throws ${name}`, () => raise(make())]), ...NEVER])(
    'the shutdown ends, though the close of the store gives this: %s',
    async (_, close) => {
      await nothingEscapes(async () => {
        const { supervisor, clock } = setup({ leases: { acquire: () => lease(), close: close as never } });
        await supervisor.submit({ run: () => 'value' }).outcome;
        const closed = supervisor.shutdown();
        await clock.advance(60_000);
        expect(await closed).toMatchObject({ withinGrace: true });
        expect(clock.timers).toBe(0);
      });
    },
  );

  test.each<readonly [name: string, random: () => unknown]>([
    ['throws', trap],
    ['is not a number', () => Number.NaN],
    ['is too large', () => 1e9],
    ['is negative', () => -1],
    ['is infinite', () => Infinity],
    ['is text', () => '0.5'],
    ['is a bigint', () => 1n],
    ['is a revoked proxy', () => revoked()],
  ])('chance that %s leaves every delay within its bounds', async (_, random) => {
    const run = (ctx: TaskContext<unknown>) => (ctx.attempt < 4 ? raise(boom) : 'done');
    const { recorded } = await mustNotEscape({
      options: { random: random as never },
      spec: { restart: 'onFailure', backoff: { firstMs: 100, factor: 1, jitter: 'equal' }, run },
      outcome: 'completed',
    });
    const delays = recorded.of('backoffScheduled').map(({ delayMs }) => delayMs);
    expect(delays).toHaveLength(3);
    expect(delays.filter((delay) => delay >= 50 && delay <= 100)).toEqual(delays);
  });

  /** What is canceled fires all the same, and as often as told. */
  class Stubborn extends VirtualClock {
    times = 1;
    override setTimer(ms: number, fire: () => void): () => void {
      super.setTimer(ms, () => {
        for (let time = 0; time < this.times; time += 1) fire();
      });
      return () => {};
    }
  }
  test.each([1, 2])('timers that fire after they were canceled, %s time(s), change nothing', async (times) => {
    await nothingEscapes(async () => {
      const clock = Object.assign(new Stubborn(), { times });
      const { supervisor } = setup({ clock });
      const timers = { timeoutMs: 100, stallMs: 90, deadlineMs: 5_000, queueTimeoutMs: 50, graceMs: 10 } as const;
      const order: string[] = [];
      const run = async (ctx: TaskContext) => {
        order.push(`first ${ctx.attempt}`);
        await ctx.sleep(5);
        return ctx.attempt === 1 ? raise(boom) : 'first';
      };
      const submissions = [
        supervisor.submit({ ...timers, slot: 's', backoff: { firstMs: 10 }, run }),
        supervisor.submit({ ...timers, slot: 's', run: () => order.push('second') }),
        supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(10_000) }),
      ];
      await clock.advance(20_000);
      expect(await Promise.all(submissions.map(({ outcome }) => outcome))).toMatchObject([
        { kind: 'completed', value: 'first', attempts: 2 },
        { kind: 'completed', value: 3, attempts: 1 },
        { kind: 'completed', attempts: 1 },
      ]);
      expect(order).toEqual(['first 1', 'first 2', 'second']);
      expect(supervisor.snapshot()).toMatchObject({ slots: [], totals: { attempts: 4, retries: 1 } });
    });
  });

  test('a backoff that was cut short starts nothing when its timer fires all the same', async () => {
    const clock = new Stubborn();
    const { supervisor } = setup({ clock });
    const attempts: number[] = [];
    const run = (ctx: TaskContext) => attempts.push(ctx.attempt) && raise(boom);
    const submission = supervisor.submit({ backoff: { firstMs: 10 }, run });
    await clock.settle();
    expect(await submission.cancel()).toEqual({ kind: 'canceled', by: 'caller', attempts: 1 });
    await clock.advance(1_000);
    expect(attempts).toEqual([1]);
  });

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
