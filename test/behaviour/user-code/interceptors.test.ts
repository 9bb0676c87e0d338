// aroundAttempt interceptors that break their contract.

import type { AroundAttempt, Outcome, TaskContext } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import { boom, mustNotEscape, raise } from '../../support/must-not-escape.ts';
import { setup } from '../../support/setup.ts';

describe('an interceptor that breaks its contract', () => {
  type Around = (next: () => Promise<void>) => unknown;
  const around =
    (hostile: Around): AroundAttempt =>
    (info, next) =>
      (info.meta === 'hostile' ? hostile(next) : next()) as Promise<void>;

  test.each<readonly [name: string, hostile: Around, calls: number, outcome: Outcome['kind'], error: unknown]>([
    ['never calls next', async () => {}, 0, 'failed', expect.any(Error)],
    ['calls next after the attempt has ended', async (next) => void setImmediate(next), 0, 'failed', expect.any(Error)],
    ['does not wait for next', async (next) => void next(), 1, 'completed', undefined],
    ['returns no promise', (next) => void next(), 1, 'completed', undefined],
    ['calls next twice', (next) => Promise.all([next(), next()]), 1, 'completed', undefined],
    ['calls next again', (next) => next().then(next), 1, 'completed', undefined],
    ['throws while the body is alive', (next) => [next(), raise(boom)], 1, 'failed', boom],
    ['rejects while the body is alive', (next) => [next(), Promise.reject(boom)][1], 1, 'failed', boom],
  ])(
    'an interceptor that %s causes at most one call of the body, and its end is awaited',
    async (_, hostile, calls, kind, error) => {
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
    },
  );

  test.each<readonly [name: string, hostile: Around]>([
    ['swallows it', (next) => next().catch(() => {})],
    ['throws another error', (next) => next().catch(() => raise(new Error('of the interceptor')))],
    ['ignores it', async (next) => void next()],
  ])('the failure of a body counts although the interceptor %s', async (_, hostile) => {
    const { outcome } = await mustNotEscape({
      options: { aroundAttempt: around(hostile) },
      spec: { meta: 'hostile', run: (ctx) => ctx.sleep(5).then(() => raise(boom)) },
      outcome: 'failed',
    });
    expect(outcome).toMatchObject({ failure: { error: boom } });
  });
});

describe('a body starts only within its attempt (S1, S7)', () => {
  /** An interceptor that calls the body when the test opens it. */
  function slowInterceptor() {
    const slow = gateBody<void>();
    const aroundAttempt = async (_: unknown, next: () => Promise<void>): Promise<void> => {
      await slow.body(undefined as never);
      await next();
    };
    return { slow, aroundAttempt };
  }

  test.for([
    ['killed', { graceMs: 10 }, true],
    ['abandoned', { graceMs: 10, onOverrun: 'abandon' }, false],
    ['canceled', { graceMs: 1_000 }, false],
  ] as const)(
    'an interceptor that calls next() after its attempt was %s starts nothing',
    async ([kind, spec, killable]) => {
      const { slow, aroundAttempt } = slowInterceptor();
      const { supervisor, clock } = setup({ aroundAttempt });
      const body = gateBody();
      const run = killable ? { run: body.body, kill: () => {} } : body.body;
      const submission = supervisor.submit({ slot: 's', ...spec, run });
      await clock.settle();
      const canceled = submission.cancel();
      await clock.advance(10);
      slow.open();
      expect((await canceled).kind).toBe(kind);
      await clock.settle();
      expect(body.calls).toEqual([]);
    },
  );

  test('an interceptor that calls next() after the shutdown starts nothing', async () => {
    const { slow, aroundAttempt } = slowInterceptor();
    const { supervisor, clock } = setup({ aroundAttempt });
    const body = gateBody();
    supervisor.submit({ run: body.body });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 0 });
    await clock.advance(0);
    expect((await report).abandoned).toHaveLength(1);
    slow.open();
    await clock.settle();
    expect(body.calls).toEqual([]);
  });

  test('a state() that stops its own task starts nothing', async () => {
    const { supervisor } = setup();
    const body = gateBody();
    const submission = supervisor.submit({
      slot: 's',
      state: () => {
        void supervisor.slot('s').cancel();
      },
      run: body.body as never,
    });
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'slot' });
    expect(body.calls).toEqual([]);
  });
});
