// Values, thenables and promises returned by user code.

import { describe, expect, test } from 'vitest';
import { leaseWith } from '../../support/fake-lease-store.ts';
import { gateBody } from '../../support/gate.ts';
import {
  awaited,
  boom,
  far,
  type Hostile,
  mustNotEscape,
  NEVER,
  nothingEscapes,
  RETURNED,
  raise,
  revoked,
  stopAndEnd,
  trap,
} from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

describe('a value returned by a body', () => {
  test.each(RETURNED)('%s, returned by a body, settles as `await` would settle it', async (_, run) => {
    const expected = await awaited(run);
    const { outcome } = await mustNotEscape({ spec: { run }, outcome: expected.ok ? 'completed' : 'failed' });
    if (expected.ok) expect(outcome).toEqual({ kind: 'completed', value: expected.value, attempts: 1 });
    else expect(outcome).toMatchObject({ failure: { kind: 'thrown', error: expected.error } });
  });

  test('a promise that is resolved with itself is a failure', async () => {
    const run = () => {
      const self: Promise<unknown> = new Promise((yes) => setImmediate(() => yes(self)));
      return self;
    };
    const { outcome } = await mustNotEscape({ spec: { run }, outcome: 'failed' });
    expect(outcome).toMatchObject({ failure: { error: expect.any(TypeError) } });
  });

  test.each<readonly [name: string, run: unknown]>([
    ['a class', class Body {}],
    ['a revoked proxy of a function', revoked(() => {})],
    ['a proxy whose call throws', new Proxy(() => {}, { apply: trap })],
    ['a function of another realm that throws', far('() => { throw new TypeError("far") }')],
  ])('%s as the body fails the attempt', async (_, run) => {
    const { outcome } = await mustNotEscape({ spec: { run: run as never }, outcome: 'failed' });
    expect(outcome).toMatchObject({ because: 'policy', failure: { kind: 'thrown' }, attempts: 1 });
  });

  test.each(['function*', 'async function*'])(
    'a %s as the body completes with a generator object, and its code never runs',
    async (kind) => {
      const run = far(`(trap) => ${kind} () { yield trap(); }`) as (made: () => never) => () => unknown;
      const { outcome } = await mustNotEscape({ spec: { run: run(trap) }, outcome: 'completed' });
      expect(outcome.kind === 'completed' && String(outcome.value)).toMatch(/^\[object (Async)?Generator\]$/);
    },
  );

  test.each(NEVER)('%s, returned by a body, occupies the slot until the body is abandoned (S1)', async (_, run) => {
    const { outcome, supervisor } = await mustNotEscape({
      spec: { run, graceMs: 10, onOverrun: 'abandon' },
      drive: async ({ clock }, submission) => {
        await clock.advance(1_000);
        expect(submission.status).toBe('running');
        void submission.cancel();
      },
      outcome: 'abandoned',
    });
    expect(outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
    expect(supervisor.snapshot().abandonedAlive).toBe(1);
  });
});

describe('a value returned by another user function', () => {
  const AWAITED: readonly (readonly [name: string, around: (made: () => unknown, ok: boolean) => Hostile])[] = [
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
      'the acquire of a lease store',
      (acquire) => ({
        options: { leases: { acquire: acquire as never } },
        spec: {},
        outcome: 'rejected',
        witness: 'rejected',
      }),
    ],
    [
      'the release of a lease',
      (release) => ({ options: { leases: { acquire: () => leaseWith({ release }) } }, spec: {}, outcome: 'completed' }),
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

  for (const [name, around] of AWAITED)
    test.each(RETURNED)(
      `when ${name} returns %s, it settles as \`await\` would settle it and nothing escapes`,
      async (_, make) => {
        await mustNotEscape(around(make, (await awaited(make)).ok));
      },
    );

  test.each(RETURNED)('a retryIf that returns %s is not awaited', async (_, make) => {
    const { outcome } = await mustNotEscape({
      spec: { retryIf: make as never, restart: 'onFailure', maxRetries: 0, run: () => raise(boom) },
      outcome: 'failed',
    });
    expect(outcome).toMatchObject({ failure: { error: boom }, attempts: 1 });
  });

  test('a rejected promise from state() that the body never reads does not escape', async () => {
    await nothingEscapes(async () => {
      const { supervisor } = setup();
      await supervisor.submit({ restart: 'never', state: () => Promise.reject(boom), run: () => 'blind' }).outcome;
      expect(supervisor.snapshot().slots).toEqual([]);
    });
  });

  test.each(NEVER)('a shutdown bounds a subscriber that returns %s', async (_, make) => {
    await nothingEscapes(async () => {
      const { supervisor, clock, recorded } = setup({ subscriberGraceMs: 20 });
      supervisor.subscribe(make as never);
      expect(await supervisor.submit({ run: () => 'value' }).value()).toBe('value');
      const closed = supervisor.shutdown();
      await clock.advance(20);
      expect(await closed).toMatchObject({ clean: true, counts: { completed: 1 } });
      expect(recorded.types()).toContain('finished');
      expect(clock.timers).toBe(0);
    });
  });
});
