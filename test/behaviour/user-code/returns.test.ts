// Values, thenables and promises returned by user code.

import { describe, expect, test } from 'vitest';
import { type GateBody, gateBody } from '../../support/gate.ts';
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
  trap,
} from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

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

describe('whatever a body returns ends as `await` would end it', () => {
  test.each(RETURNED)('%s', async (_, run) => {
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
  ])('%s as the body is a failed attempt', async (_, run) => {
    const { outcome } = await mustNotEscape({ spec: { run: run as never }, outcome: 'failed' });
    expect(outcome).toMatchObject({ because: 'policy', failure: { kind: 'thrown' }, attempts: 1 });
  });

  test.each(['function*', 'async function*'])('what a %s returns is a value: its code never runs', async (kind) => {
    const run = far(`(trap) => ${kind} () { yield trap(); }`) as (made: () => never) => () => unknown;
    const { outcome } = await mustNotEscape({ spec: { run: run(trap) }, outcome: 'completed' });
    expect(outcome.kind === 'completed' && String(outcome.value)).toMatch(/^\[object (Async)?Generator\]$/);
  });

  test.each(NEVER)('%s holds the slot until it is given up', async (_, run) => {
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
});
