// The catalogue goes on: events and edges, liveness, resources, shutdown. The table at the top of catalogue.test.ts says what stands elsewhere.

import { getEventListeners } from 'node:events';
import { ClosedError, OptionError, type Submission, Supervisor, type TaskContext, type TaskEvent } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { finish, type GatedSlot, gatedSlot } from '../support/gated-slot.ts';
import { nothingEscapes } from '../support/must-not-escape.ts';
import { setup } from '../support/setup.ts';

const fail = (): never => {
  throw new Error('boom');
};
const ownerOf = (supervisor: Supervisor) => supervisor.slot('s').view().owner?.id as Submission['id'];
const PLAIN = { firstMs: 100, factor: 1, jitter: 'none' } as const;

describe('I: events and edges', () => {
  test('I19 a slow or throwing subscriber loses only its own events: in order, bounded, and every loss is counted', async () => {
    const { supervisor, clock, recorded } = setup();
    const isNews = ({ type }: TaskEvent) => type !== 'eventsDropped' && type !== 'subscriberFailed';
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
    // The failures of the throwing one are news to all others.
    const sent = recorded.events.filter(({ type }) => type !== 'eventsDropped').length;
    expect(slow.filter(({ type }) => type !== 'eventsDropped').length + dropped).toBe(sent);
    expect(dropped).toBeGreaterThan(0);
    expect(recorded.events.filter(isNews)).toHaveLength(50 * 5);
    for (const { events } of [{ events: slow }, recorded])
      expect(events.map(({ seq }) => seq)).toEqual(events.map(({ seq }) => seq).sort((a, b) => a - b));
  });

  // Differs: nothing is retained of ended work. The handle keeps its outcome; `get` knows live submissions only.
  test('I20 an outcome is never lost, whatever becomes of events, and is the same for whoever looks late', async () => {
    const { supervisor, clock } = setup();
    supervisor.subscribe(() => new Promise(() => {}), { capacity: 1 });
    const all = Array.from({ length: 2_000 }, (_, n) => supervisor.submit({ run: () => n }));
    const early = await all[7]?.outcome;
    await clock.settle();
    expect(await Promise.all(all.map((each) => each.value()))).toEqual(all.map((_, n) => n));
    expect(await all[7]?.outcome).toBe(early);
    expect(supervisor.get(all[7]?.id as Submission['id'])).toBeUndefined();
  });

  // Differs: the words are other ones, and a rejection has no `finished`. (Who leaves a shared body is finished before the attempt has ended.)
  test('I21 the events of a submission follow one grammar, and nothing follows its end', async () => {
    const world = gatedSlot({ graceMs: 10 });
    const { clock, submit, recorded } = world;
    const flaky = (ctx: TaskContext) => (ctx.attempt < 3 ? fail() : 'third');
    const all = [
      submit({ run: flaky, restart: 'onFailure', backoff: PLAIN }),
      submit({ timeoutMs: 5, restart: 'onFailure', maxRetries: 1, backoff: PLAIN }),
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

  // Differs: the empty string and what is longer than 1,024 units are refused.
  test.for(['__proto__', 'constructor', 'toString', ' ', '\0', '\ud800', '\u{1f9ea}', 'x'.repeat(1_024)])(
    'I22 %j is a name like any other',
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

  test.for(['', 'x'.repeat(1_025)])('I22 %j is refused as a name and as a slot', (name) => {
    const { supervisor, submit } = gatedSlot();
    for (const spec of [{ slot: name }, { name }]) expect(() => submit(spec)).toThrow(OptionError);
    expect(() => supervisor.slot(name)).toThrow(OptionError);
  });

  test('I23 numbers are checked where they enter; Infinity is never, and sets no timer', async () => {
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
    expect([clock.timers, supervisor.snapshot().running]).toEqual([0, 1]);
  });
});

describe('L: liveness', () => {
  const endings: readonly [string, (world: GatedSlot) => unknown][] = [
    ['a value', ({ gate }) => gate.open('done')],
    ['a failure', ({ gate }) => gate.fail(new Error('boom'))],
    [
      'a stop',
      ({ supervisor, gate }) => {
        void supervisor.cancel(ownerOf(supervisor));
        gate.open('stopped');
      },
    ],
    [
      'an abandoned body',
      async ({ supervisor, clock }) => {
        void supervisor.cancel(ownerOf(supervisor));
        await clock.advance(10);
      },
    ],
    [
      'a pause and a resume',
      async ({ supervisor, clock, gate }) => {
        supervisor.slot('s').pause();
        gate.open('done');
        await clock.settle();
        supervisor.slot('s').resume();
      },
    ],
  ];
  test.for(endings)(
    'L1 no wakeup is lost: after %s of the owner the one that waits runs, without time passing',
    async ([, end]) => {
      const world = gatedSlot({ graceMs: 10, defaults: { onOverrun: 'abandon' } });
      const { clock, submit } = world;
      submit();
      const waiting = submit();
      await clock.settle();
      await end(world);
      const at = clock.now();
      await clock.settle();
      expect([waiting.status, clock.now()]).toEqual(['running', at]);
    },
  );

  test("L2 whatever was accepted has its outcome at the end of a shutdown's grace, if no body ever ends", async () => {
    const { supervisor, clock, submit } = gatedSlot();
    const all = [
      submit(),
      submit(),
      submit({ slot: 't' }),
      submit({ slot: 't', admission: 'replace' }),
      submit({ slot: 'u', run: fail, restart: 'onFailure' }),
    ];
    await clock.settle();
    void supervisor.shutdown({ graceMs: 100 });
    await clock.advance(100);
    const kinds = await Promise.all(all.map(async ({ outcome }) => (await outcome).kind));
    expect(kinds).toEqual(['abandoned', 'rejected', 'canceled', 'abandoned', 'canceled']);
  });

  test('L3 a slot that hangs, overruns or throws delays no other', async () => {
    const { clock, submit } = gatedSlot();
    submit({ timeoutMs: 1, graceMs: 1 });
    submit({ slot: 't', run: fail, restart: 'onFailure' });
    await clock.advance(10);
    const other = submit({ slot: 'u', run: () => 'at once' });
    await clock.settle();
    expect(await other.outcome).toMatchObject({ kind: 'completed', value: 'at once' });
    expect(clock.now()).toBe(10);
  });

  test('L4 a body that submits itself again in its `finally` lets timers and I/O of the process go on', async () => {
    const { supervisor, clock } = setup();
    let runs = 0;
    let other = Infinity;
    const again = () => {
      supervisor.submit({
        slot: 's',
        restart: 'never',
        run: () => {
          try {
            runs += 1;
          } finally {
            if (runs < 20_000) again();
          }
        },
      });
    };
    setImmediate(() => {
      other = runs;
    });
    again();
    await clock.settle();
    while (runs < 20_000) await clock.settle();
    expect(other).toBeLessThan(5_000);
  });

  test('L5 a shutdown resolves at its grace though no body ends; a second call shares it, and a body that waits for it does not deadlock', async () => {
    const { supervisor, clock, submit } = gatedSlot();
    submit({ name: 'hangs' });
    submit({ slot: 't', name: 'waits', run: () => supervisor.shutdown({ graceMs: 500 }) });
    await clock.settle();
    const second = supervisor.shutdown({ graceMs: 1_000 });
    let report: Awaited<typeof second> | undefined;
    void second.then((got) => (report = got));
    await clock.advance(499);
    expect(report).toBeUndefined();
    await clock.advance(1);
    expect(report?.abandoned.map(({ name }) => name)).toEqual(['hangs', 'waits']);
    expect(await supervisor.closed).toBe(await second);
  });

  test('L6 delays longer than a platform timer holds neither fire early nor warn', async () => {
    const { clock, submit } = gatedSlot();
    const long = 2 ** 31 + 5;
    const sleeper = submit({ run: (ctx) => ctx.sleep(long) });
    await clock.advance(long - 1);
    expect(sleeper.status).toBe('running');
    await clock.advance(1);
    expect((await sleeper.outcome).kind).toBe('completed');
    await nothingEscapes(async () => {
      // On the platform's own timers, which warn of what they cannot hold.
      const supervisor = new Supervisor();
      const real = supervisor.submit({ run: (ctx) => ctx.sleep(long), deadlineMs: long, timeoutMs: long });
      await clock.settle();
      expect(real.status).toBe('running');
      await supervisor.shutdown();
    });
  });
});

describe('R: resources', () => {
  test('R1 R3 R8 when all has ended the table, the timers and the listeners on a long-lived parent signal are gone', async () => {
    const parent = new AbortController();
    const world = gatedSlot({ graceMs: 10, slots: { idle: { queueLimit: 1 } } });
    const { supervisor, clock, submit } = world;
    const shared = { signal: parent.signal, timeoutMs: 50, stallMs: 40, queueTimeoutMs: 1_000, deadlineMs: 5_000 };
    submit(shared);
    submit({ ...shared, admission: 'join' });
    submit({ ...shared, run: fail, restart: 'onFailure', maxRetries: 2, backoff: PLAIN });
    void submit(shared).cancel();
    submit({ ...shared, admission: 'replace' });
    submit({ ...shared, slot: 't', run: (ctx) => ctx.sleep(10) });
    await clock.advance(20);
    expect(clock.timers).toBeGreaterThan(0);
    expect(getEventListeners(parent.signal, 'abort').length).toBeGreaterThan(0);
    await finish(world);
    expect(supervisor.snapshot()).toMatchObject({ slots: [], running: 0, queued: 0, overrun: 0, abandonedAlive: 0 });
    expect([clock.timers, getEventListeners(parent.signal, 'abort')]).toEqual([0, []]);
  });

  test('R6 after a shutdown, and after run with its signal handlers, no timer and no listener of the process is left', async () => {
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

describe('shutdown', () => {
  // Differs: a submit throws ClosedError.
  test('shutdown 1 admission closes, what waits is rejected, what backs off ends without an attempt, what runs is told to stop, nothing starts', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    const attempts: number[] = [];
    const retried = (ctx: TaskContext) => {
      attempts.push(ctx.attempt);
      return fail();
    };
    const running = submit();
    const waiting = submit();
    const backingOff = submit({ slot: 't', run: retried, restart: 'onFailure', backoff: PLAIN });
    await clock.settle();
    const unstarted = submit({ slot: 'u' });
    void supervisor.shutdown({ graceMs: 1_000 });
    expect(() => submit()).toThrow(ClosedError);
    expect(await waiting.outcome).toEqual({ kind: 'rejected', reason: 'shuttingDown' });
    expect(await backingOff.outcome).toMatchObject({ kind: 'canceled', by: 'shutdown', attempts: 1 });
    expect(await unstarted.outcome).toMatchObject({ kind: 'canceled', by: 'shutdown', attempts: 0 });
    await clock.advance(500);
    expect([running.status, gate.calls[0]?.signal.aborted]).toEqual(['stopping', true]);
    expect([gate.calls.length, attempts]).toEqual([1, [1]]);
  });

  test('shutdown 2 stragglers are named and abandoned, and are counted until they end; a late end changes no outcome', async () => {
    const { supervisor, clock, gate, submit } = gatedSlot();
    const straggler = submit({ name: 'straggler' });
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 10 });
    await clock.advance(10);
    expect((await report).abandoned.map(({ name }) => name)).toEqual(['straggler']);
    const outcome = await straggler.outcome;
    expect([outcome.kind, supervisor.snapshot().abandonedAlive]).toEqual(['abandoned', 1]);
    gate.open('late');
    await clock.settle();
    expect(await straggler.outcome).toBe(outcome);
    expect(supervisor.snapshot()).toMatchObject({ abandonedAlive: 0, totals: { abandoned: 1, completed: 0 } });
  });

  // Differs: the library never exits the process, a second signal makes the grace 0.
  test('shutdown 3 a second, shorter shutdown hastens the first and none lengthens it; both have one report', async () => {
    const { supervisor, clock, submit } = gatedSlot();
    submit();
    await clock.settle();
    const first = supervisor.shutdown({ graceMs: 1_000 });
    void supervisor.shutdown({ graceMs: 9_000 });
    const hastened = supervisor.shutdown({ graceMs: 0 });
    await clock.settle();
    await clock.advance(0);
    expect(await first).toBe(await hastened);
    expect([(await first).withinGrace, clock.now()]).toEqual([false, 0]);
  });
});
