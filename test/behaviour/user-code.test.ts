// Code of the user that takes its time, comes back into the library, or looks where it should not.

import { setImmediate as turn } from 'node:timers/promises';
import { CanceledError, type Lease, Supervisor, type TaskContext, TimeoutError } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { setup } from '../support/setup.ts';

describe('a body begins only while its attempt is on (S1, S7)', () => {
  /** It waits until the test opens it, and only then calls the body. */
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

  test('a state that stops its own task starts nothing', async () => {
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

describe('code that comes back into the library', () => {
  test('a join from within the lease’s own getter gets its outcome', async () => {
    const late: { submission?: { outcome: Promise<unknown> } } = {};
    const lease: Lease = {
      fence: 1n,
      lost: new AbortController().signal,
      get contended() {
        late.submission ??= supervisor.submit({ slot: 's', admission: 'join', run: () => 'own' });
        return false;
      },
      release: () => {},
    };
    const { supervisor } = setup({ leases: { acquire: () => lease } });
    expect(await supervisor.submit({ slot: 's', run: () => 'first' }).value()).toBe('first');
    expect(await late.submission?.outcome).toMatchObject({ kind: 'completed' });
    expect((await supervisor.shutdown()).withinGrace).toBe(true);
  });

  test('a look-alike of a signal that submits when it is let go does not lose the slot it submits to (S1)', async () => {
    const { supervisor, clock } = setup();
    const fresh = gateBody();
    const signal = {
      aborted: false,
      reason: undefined,
      addEventListener: () => {},
      removeEventListener: () => {
        void supervisor.slot('s').cancel();
        supervisor.submit({ slot: 's', run: fresh.body });
      },
    } as unknown as AbortSignal;
    await supervisor.submit({ slot: 's', signal, run: () => 'done' }).outcome;
    await clock.settle();
    const other = gateBody();
    supervisor.submit({ slot: 's', run: other.body });
    await clock.settle();
    expect(fresh.alive + other.alive).toBe(1);
  });

  test('a lease whose loss can be asked for once harms its own slot alone', async () => {
    let asked = 0;
    const lost = {
      get aborted() {
        asked += 1;
        if (asked > 1) throw new Error('asked too often');
        return false;
      },
      addEventListener: () => {},
      removeEventListener: () => {},
    } as unknown as AbortSignal;
    const { supervisor } = setup({ leases: { acquire: () => ({ fence: 1n, lost, release: () => {} }) } });
    const submission = supervisor.submit({ slot: 's', run: () => 'done' });
    expect((await submission.outcome).kind).toBe('rejected');
    expect((await supervisor.shutdown()).withinGrace).toBe(true);
  });
});

describe('what a body can reach', () => {
  test('it is called without its spec, and so is its state', async () => {
    const { supervisor } = setup();
    const seen: unknown[] = [];
    await supervisor.submit({
      state(this: unknown) {
        seen.push(this);
      },
      run(this: unknown) {
        seen.push(this);
      },
    }).outcome;
    expect(seen).toEqual([undefined, undefined]);
  });

  test('its context may be taken apart', async () => {
    const { supervisor, clock } = setup({ graceMs: 50 });
    const heard: unknown[] = [];
    const submission = supervisor.submit({
      slot: 's',
      run: async ({ onCancel, sleep, throwIfCanceled, untilCanceled, heartbeat, name }) => {
        onCancel((reason) => heard.push(reason.by));
        heartbeat();
        throwIfCanceled();
        await sleep(5);
        await untilCanceled(Promise.resolve());
        heard.push(name);
        await sleep(Infinity);
      },
    });
    await clock.advance(5);
    expect(await submission.cancel()).toMatchObject({ kind: 'canceled', by: 'caller' });
    expect(heard).toEqual(['s', 'caller']);
  });

  test('a wait of an attempt that has ended is an ordinary failure of the next one: it is retried', async () => {
    const { supervisor, clock } = setup();
    let connection: Promise<string> | undefined;
    const run = async (ctx: TaskContext) => {
      if (ctx.attempt === 1) {
        connection = ctx.untilCanceled(new Promise<string>(() => {}));
        throw new Error('something else');
      }
      return ctx.attempt === 2 ? connection : 'connected';
    };
    const submission = supervisor.submit({ backoff: { firstMs: 10 }, run });
    await clock.advance(100);
    expect(await submission.outcome).toEqual({ kind: 'completed', value: 'connected', attempts: 3 });
  });

  test('a TimeoutError of its own is a failure, and a CanceledError of its own is the end', async () => {
    const { supervisor } = setup();
    const outcomeOf = (error: Error) =>
      supervisor.submit({
        restart: 'never',
        run: () => {
          throw error;
        },
      }).outcome;
    expect((await outcomeOf(new TimeoutError('late'))).kind).toBe('failed');
    expect((await outcomeOf(new CanceledError('enough'))).kind).toBe('canceled');
  });

  test('an onCancel listener that another one removes is not called any more', async () => {
    const { supervisor, clock } = setup();
    const heard: string[] = [];
    const submission = supervisor.submit({
      run: (ctx) => {
        ctx.onCancel(() => {
          heard.push('first');
          remove();
        });
        const remove = ctx.onCancel(() => heard.push('second'));
        return ctx.sleep(Infinity);
      },
    });
    await clock.settle();
    await submission.cancel();
    expect(heard).toEqual(['first']);
  });
});

describe('many at once', () => {
  test.for([0, 5])('%i ms of grace are enough for 2,000 polite bodies', async (graceMs) => {
    const supervisor = new Supervisor();
    for (let n = 0; n < 2_000; n += 1)
      supervisor.submit({ run: (ctx) => new Promise<void>((resolve) => ctx.onCancel(() => resolve())) });
    while (supervisor.snapshot().totals.attempts < 2_000) await turn();
    const report = await supervisor.shutdown({ graceMs });
    expect(report.abandoned).toEqual([]);
    expect(report.counts.canceled).toBe(2_000);
  });

  test('a pause holds back what waits for its turn', async () => {
    const { supervisor, clock } = setup();
    let begun = 0;
    for (let n = 0; n < 1_000; n += 1)
      supervisor.submit({
        run: () => {
          begun += 1;
          if (begun === 100) supervisor.pause();
        },
      });
    await clock.settle();
    expect(begun).toBe(100);
    supervisor.resume();
    await clock.settle();
    expect(begun).toBe(1_000);
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

test('one subscriber cannot change an event for the others', async () => {
  const { supervisor, recorded } = setup();
  supervisor.subscribe((event) => {
    (event as { type: string }).type = 'mine';
  });
  await supervisor.submit({ run: () => 1 }).outcome;
  await recorded.until(({ type }) => type === 'subscriberFailed');
  expect(recorded.types()).not.toContain('mine');
});

test('a line of one still hears events: the notice of a loss takes nobody’s place', async () => {
  const { supervisor, clock } = setup();
  const heard: string[] = [];
  supervisor.subscribe(
    async ({ type }) => {
      heard.push(type);
      await turn();
    },
    { capacity: 1 },
  );
  for (let n = 0; n < 20; n += 1) {
    supervisor.submit({ run: () => 1 });
    await clock.settle();
  }
  expect(heard.filter((type) => type !== 'eventsDropped').length).toBeGreaterThan(10);
});
