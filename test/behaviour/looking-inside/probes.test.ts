// Probes: what they learn of each attempt, and that nothing they do harms it. That every attempt is
// opened and ended exactly once is checked with every step of the random suites, too
// (test/support/probe-count.ts).

import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type AttemptProbe,
  type AttemptReport,
  CanceledError,
  FatalError,
  type Probe,
  type ProbedAttempt,
  Supervisor,
  type TaskContext,
  type TaskEvent,
  type TaskSpec,
} from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { grantingSlot } from '../../support/leased-slot.ts';
import { nothingEscapes } from '../../support/must-not-escape.ts';
import { type Act, boom, cancel, open, scenario, shutdown, throwBoom, wait } from '../../support/scenario.ts';
import { recordWarnings } from '../../support/warnings.ts';

/** A probe that keeps what it learns. */
function recorder() {
  const infos: ProbedAttempt[] = [];
  const reports: AttemptReport[] = [];
  const probe: Probe = {
    attempt: (info) => {
      infos.push(info);
      return { ended: (report) => void reports.push(report) };
    },
  };
  return { probe, infos, reports };
}

test('a probe gets the duration of an attempt also where nothing subscribes', async () => {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock });
  const { probe, reports } = recorder();
  supervisor.instrument(probe);
  supervisor.submit({ run: (ctx) => ctx.sleep(30) });
  await clock.advance(30);
  expect(reports).toEqual([{ end: 'succeeded', durationMs: 30 }]);
});

describe('a probe', () => {
  const restart: Act = (_, one) => void one.restart();
  const both =
    (...acts: Act[]): Act =>
    async (made, one) => {
      for (const act of acts) await act(made, one);
    };

  interface Case {
    readonly spec?: Partial<TaskSpec<unknown>>;
    readonly act?: Act;
    /** Of the first attempt. */
    readonly report: Partial<AttemptReport>;
  }
  const thrown = (error: unknown) => expect.objectContaining({ kind: 'thrown', error });
  const CASES: Readonly<Record<string, Case>> = {
    'a value': { act: both(wait(30), open), report: { end: 'succeeded', durationMs: 30 } },
    'a value at once': { spec: { run: () => 1 }, report: { end: 'succeeded', durationMs: 0 } },
    'a throw': { spec: { run: throwBoom }, report: { end: 'failed', durationMs: 0, failure: thrown(boom) } },
    'a state that throws': { spec: { state: throwBoom as never }, report: { end: 'failed', failure: thrown(boom) } },
    'a rejection': {
      spec: { run: (ctx) => ctx.sleep(20).then(throwBoom) },
      act: wait(20),
      report: { end: 'failed', durationMs: 20, failure: thrown(boom) },
    },
    'a FatalError': {
      spec: { run: () => Promise.reject(new FatalError('for good')) },
      report: { end: 'failed', failure: expect.objectContaining({ fatal: true }) },
    },
    'a timeout': {
      spec: { timeoutMs: 40, run: (ctx) => ctx.sleep(Infinity) },
      act: wait(40),
      report: { end: 'timedOut', durationMs: 40, failure: expect.objectContaining({ kind: 'timedOut' }) },
    },
    'a timeout that the body swallows': {
      spec: { timeoutMs: 40, run: (ctx) => ctx.sleep(Infinity).catch(() => 'a value all the same') },
      act: wait(40),
      report: { end: 'timedOut', failure: expect.objectContaining({ kind: 'timedOut' }) },
    },
    'a stall': {
      spec: { stallMs: 40, run: (ctx) => ctx.sleep(Infinity) },
      act: wait(80),
      report: { end: 'stalled', failure: expect.objectContaining({ kind: 'stalled' }) },
    },
    'a cancel': { spec: { run: (ctx) => ctx.sleep(Infinity) }, act: cancel, report: { end: 'canceled' } },
    'a cancel that throws an error of its own': {
      spec: { run: (ctx) => ctx.sleep(Infinity).catch(throwBoom) },
      act: cancel,
      report: { end: 'canceled', failure: thrown(boom) },
    },
    'a value after a cancel': { act: both(cancel, open), report: { end: 'succeeded' } },
    'giving up': {
      spec: { run: () => Promise.reject(new CanceledError('enough')) },
      report: { end: 'canceled' },
    },
    'restart()': { spec: { run: (ctx) => ctx.sleep(Infinity) }, act: restart, report: { end: 'canceled' } },
    'a kill': {
      spec: { run: { run: never, kill: () => {} } },
      act: both(cancel, wait(100)),
      report: { end: 'killed', durationMs: 100 },
    },
    'a kill after a timeout': {
      spec: { timeoutMs: 40, run: { run: never, kill: () => {} } },
      act: wait(140),
      report: { end: 'killed', failure: expect.objectContaining({ kind: 'timedOut' }) },
    },
    'a kill that fails first': {
      spec: { run: { run: never, kill: (_) => (calls.next().value ? throwBoom() : undefined) } },
      act: both(cancel, wait(1_100)),
      report: { end: 'killed', durationMs: 1_100, failure: thrown(boom) },
    },
    'giving it up': {
      spec: { onOverrun: 'abandon' },
      act: both(cancel, wait(100), open),
      report: { end: 'abandoned', durationMs: 100 },
    },
    'the end of a shutdown': { spec: {}, act: both(shutdown, wait(100)), report: { end: 'abandoned' } },
  };
  const calls = [true, false][Symbol.iterator]() as Iterator<boolean>;

  test.for(Object.entries(CASES))('learns of the end exactly once: %s', async ([, { spec, act, report }]) => {
    const made = scenario();
    const { probe, infos, reports } = recorder();
    made.supervisor.instrument(probe);
    const one = made.put(spec);
    await made.clock.settle();
    await act?.(made, one);
    await made.clock.settle();
    expect(reports[0]).toEqual({ durationMs: expect.any(Number), ...report });
    made.gate.open('out');
    await made.clock.advance(10_000);
    await made.supervisor.shutdown({ graceMs: 0 });
    expect(reports).toHaveLength(infos.length);
    expect(infos).toHaveLength(made.supervisor.stats().totals.attempts);
  });

  test.each(['never', 'always'] as const)(
    'learns of an attempt whose lease was lost as canceled, also where it returned a value: restart %s',
    async (restart) => {
      const { supervisor, store, clock, put, gate, recorded } = grantingSlot();
      const { probe, infos, reports } = recorder();
      supervisor.instrument(probe);
      put({ restart });
      await clock.settle();
      store.lease.lose();
      await clock.settle();
      gate.open('a value');
      await clock.settle();
      expect(reports[0]).toEqual({ end: 'canceled', durationMs: 0 });
      expect(infos[0]?.fence).toBe(1n);
      expect(recorded.of('attemptSucceeded')).toEqual([]);
      expect(recorded.of('attemptCanceled')).toHaveLength(1);
    },
  );

  test('learns the words and the times of the events', async () => {
    const made = scenario();
    const { probe, reports } = recorder();
    made.supervisor.instrument(probe);
    for (const { spec, act } of Object.values(CASES).filter(({ report }) => report.end !== 'killed')) {
      const one = made.put({ ...spec, slot: `s${made.all.length}` });
      await made.clock.settle();
      if (act !== CASES['the end of a shutdown']?.act) await act?.(made, one);
      made.gate.open('out');
      await made.clock.advance(5_000);
    }
    const ends = made.recorded.events.filter(
      (event): event is Extract<TaskEvent, { durationMs: number }> => 'durationMs' in event,
    );
    const words = ends.map(({ type, durationMs }) => `${type.slice('attempt'.length).toLowerCase()} ${durationMs}`);
    expect(reports.map(({ end, durationMs }) => `${end.toLowerCase()} ${durationMs}`)).toEqual(
      words.map((word, i) => (reports[i]?.end === 'abandoned' ? word.replace('canceled', 'abandoned') : word)),
    );
  });

  test('learns of the task, and how long the attempt was ready and did not run', async () => {
    const { supervisor, clock, put, gate } = scenario();
    const { probe, infos } = recorder();
    supervisor.instrument(probe);
    put();
    await clock.settle();
    const backoff = { firstMs: 500, jitter: 'none' } as const;
    const spec = { name: 'n', meta: { a: 1 }, restart: 'onFailure', timeoutMs: 900, backoff } as const;
    const second = put({ ...spec, run: (ctx) => (ctx.attempt === 1 ? throwBoom() : 1) });
    await clock.advance(70);
    gate.open('out');
    await clock.settle();
    supervisor.pause();
    await clock.advance(500 + 30);
    supervisor.resume();
    await clock.settle();
    const same = { id: second.id, slot: 's', name: 'n', meta: { a: 1 }, restart: 'onFailure', timeoutMs: 900 };
    expect(infos.slice(1)).toEqual([
      { ...same, attempt: 1, waitedMs: 70, fence: 0n, resident: false },
      { ...same, attempt: 2, waitedMs: 30, fence: 0n, resident: false },
    ]);
    expect(infos.every((info) => Object.isFrozen(info))).toBe(true);
    expect(JSON.parse(JSON.stringify(infos[1]))).toMatchObject({ fence: '0' });
  });

  test.each<[boolean, Partial<TaskSpec<unknown>>]>([
    [false, {}],
    [false, { restart: 'always' }],
    [true, { vital: true }],
    [true, { restart: 'onFailure', stableMs: 5_000 }],
  ])('learns whether its task is resident: %s with %o', async (resident, spec) => {
    const { supervisor, clock, put } = scenario();
    const { probe, infos } = recorder();
    supervisor.instrument(probe);
    put({ ...spec, run: () => 1 });
    await clock.settle();
    expect(infos[0]).toMatchObject({ resident });
  });

  test('is called in the async context of the submitter, around aroundAttempt, state and body', async () => {
    const storage = new AsyncLocalStorage<string>();
    const inside = new AsyncLocalStorage<string>();
    const seen: string[] = [];
    const note = (what: string): void => void seen.push(`${what} ${storage.getStore()} ${inside.getStore() ?? '-'}`);
    const { supervisor, clock, put } = scenario({
      aroundAttempt: async (_, next) => {
        note('around');
        await next();
        note('after');
      },
    });
    supervisor.instrument({
      attempt: () => {
        note('attempt');
        return {
          run: (body) => inside.run('in', body),
          ended: () => void seen.push('ended'),
        };
      },
    });
    const run = async (ctx: TaskContext) => {
      await ctx.sleep(5);
      note('body');
    };
    storage.run('ours', () => put({ state: () => note('state'), run } as never));
    await clock.advance(10);
    expect(seen).toEqual([
      'attempt ours -',
      'state ours in',
      'around ours in',
      'body ours in',
      'after ours in',
      'ended',
    ]);
  });

  test('that was attached first is the outermost, and an attempt keeps the probes it began with', async () => {
    const { supervisor, clock, put, gate } = scenario();
    const seen: string[] = [];
    const named = (name: string): Probe => ({
      attempt: ({ attempt }) => ({
        run: (body) => {
          seen.push(`${name} in ${attempt}`);
          try {
            return body();
          } finally {
            seen.push(`${name} out ${attempt}`);
          }
        },
        ended: ({ end }) => void seen.push(`${name} ${end} ${attempt}`),
      }),
    });
    const detach = supervisor.instrument(named('a'));
    supervisor.instrument(named('b'));
    const one = put();
    await clock.settle();
    detach();
    supervisor.instrument(named('c'));
    one.restart();
    gate.open('out');
    await clock.settle();
    expect(seen).toEqual([
      ...['a in 1', 'b in 1', 'b out 1', 'a out 1', 'a succeeded 1', 'b succeeded 1'],
      ...['b in 2', 'c in 2', 'c out 2', 'b out 2'],
    ]);
  });

  test('that is attached twice is called twice, and each detach takes away one of them', async () => {
    const { supervisor, clock, put } = scenario();
    const { probe, infos } = recorder();
    const detach = [supervisor.instrument(probe), supervisor.instrument(probe)];
    const attempts = async (): Promise<number> => {
      put({ run: () => 1 });
      await clock.settle();
      return infos.splice(0).length;
    };
    expect(await attempts()).toBe(2);
    detach[0]?.();
    detach[0]?.();
    expect(await attempts()).toBe(1);
    detach[1]?.();
    expect(await attempts()).toBe(0);
  });

  test('has learned of the end of every attempt when an outcome or a report is there', async () => {
    const { supervisor, clock, put } = scenario();
    const { probe, infos, reports } = recorder();
    supervisor.instrument(probe);
    const owed: number[] = [];
    const note = (): void => void owed.push(infos.length - reports.length);
    for (let n = 0; n < 600; n += 1) void put({ slot: `s${n}`, run: () => n }).outcome.then(note);
    void put({ slot: 'hangs', run: never }).outcome.then(note);
    await clock.settle();
    const report = supervisor.shutdown({ graceMs: 10 });
    await clock.advance(10);
    await report;
    note();
    expect(owed.at(-1)).toBe(0);
    // One body hangs, so one probe is open until it is given up.
    expect(owed.filter((one) => one > 1)).toEqual([]);
    expect(reports).toHaveLength(601);
  });

  test('sees counts and views that are up to date at the end of an attempt', async () => {
    const { supervisor, clock, put } = scenario();
    const seen: unknown[] = [];
    supervisor.instrument({
      attempt: ({ slot }) => ({
        ended: () => {
          const { bodies, totals } = supervisor.stats();
          seen.push([bodies, totals.completed, totals.failed, supervisor.slot(slot).view().owner?.status]);
        },
      }),
    });
    put({ run: () => 1 });
    put({ slot: 't', restart: 'onFailure', maxRetries: 1, run: throwBoom });
    await clock.advance(60_000);
    expect(seen).toEqual([
      [0, 1, 0, undefined],
      [0, 1, 0, 'backoff'],
      [0, 1, 1, undefined],
    ]);
  });

  test('may call the supervisor at any moment', async () => {
    for (const moment of ['attempt', 'run', 'ended'] as const)
      for (const call of ['submit', 'cancel', 'restart', 'instrument', 'shutdown'] as const) {
        const made = scenario();
        const { supervisor, clock } = made;
        let left = 3;
        const act = (): void => {
          if (left === 0 || supervisor.phase !== 'open') return;
          left -= 1;
          if (call === 'submit') made.put({ admission: 'replace', run: () => 'new' });
          else if (call === 'cancel') void supervisor.slot('s').cancel();
          else if (call === 'restart') supervisor.restart(made.all[0]?.id as never);
          else if (call === 'instrument') supervisor.instrument({ attempt: () => undefined });
          else void supervisor.shutdown({ graceMs: 50 });
        };
        const part: AttemptProbe = {
          run: (body) => {
            if (moment === 'run') act();
            return body();
          },
          ended: () => {
            if (moment === 'ended') act();
          },
        };
        supervisor.instrument({
          attempt: () => {
            if (moment === 'attempt') act();
            return part;
          },
        });
        for (let n = 0; n < 3; n += 1)
          made.put({ admission: 'queue', restart: 'onFailure', run: (ctx) => ctx.sleep(5) });
        await clock.advance(60_000);
        await supervisor.shutdown({ graceMs: 0 });
        const { totals, bodies, owners } = supervisor.stats();
        expect([moment, call, bodies, owners, totals.submitted]).toEqual([
          ...[moment, call, 0, 0],
          totals.completed + totals.canceled + totals.abandoned + totals.rejected,
        ]);
      }
  });

  test('does not see an attempt of a supervisor that has been shut down', async () => {
    const { supervisor } = scenario();
    await supervisor.shutdown();
    const { probe, infos } = recorder();
    const detach = supervisor.instrument(probe);
    expect(() => supervisor.submit({ run: () => 1 })).toThrow();
    detach();
    expect(infos).toEqual([]);
  });

  test('counts as watching: a failure is not warned of while one is attached', async () => {
    const warnings = recordWarnings();
    const clock = new VirtualClock();
    const supervisor = new Supervisor({ clock });
    const detach = supervisor.instrument({ attempt: () => undefined });
    supervisor.submit({ slot: 'a', restart: 'never', run: throwBoom });
    await clock.advance(10);
    detach();
    supervisor.submit({ slot: 'b', restart: 'never', run: throwBoom });
    await clock.advance(10);
    expect((await warnings()).map(({ message }) => message.slice(0, 19))).toEqual(['The task "b" failed']);
  });
});

describe('a probe that breaks its contract', () => {
  const ignoring = (call: () => unknown): void => {
    try {
      call();
    } catch {
      // the body's own
    }
  };
  interface Hostile {
    readonly attempt: () => unknown;
    /** What is published as `subscriberFailed`. Absent: nothing. */
    readonly error?: unknown;
  }
  const returning = (part: unknown, error?: unknown): Hostile => ({ attempt: () => part, error });
  let kept: (() => unknown) | undefined;
  const CASES: Readonly<Record<string, Hostile>> = {
    'throws in attempt': { attempt: throwBoom, error: boom },
    'rejects in attempt': { attempt: () => Promise.reject(boom), error: expect.any(TypeError) },
    'returns a number': returning(7, expect.any(TypeError)),
    'returns null': returning(null),
    'has a run that throws before the body': returning({ run: throwBoom }, boom),
    'has a run that throws after the body': returning(
      {
        run: (body: () => unknown) => {
          ignoring(body);
          throw boom;
        },
      },
      boom,
    ),
    'has a run that rejects': returning({ run: (body: () => unknown) => [body(), Promise.reject(boom)][1] }),
    'has an async run': returning({ run: async (body: () => unknown) => await body() }),
    'has a run that never calls the body': returning({ run: () => 'another value' }),
    'has a run that calls the body twice': returning({ run: (body: () => unknown) => [body(), body()] }),
    'has a run that keeps the body and calls it later': returning({
      run: (body: () => unknown) => {
        kept = body;
      },
    }),
    'has a run that returns another value': returning({ run: (body: () => unknown) => [body(), 'another value'][1] }),
    'has a run that is no function': returning({ run: 7 }, expect.any(TypeError)),
    'has a run that throws when it is read': returning(
      {
        get run() {
          return throwBoom();
        },
      },
      boom,
    ),
    'has an ended that throws': returning({ ended: throwBoom }, boom),
    'has an ended that rejects': returning({ ended: () => Promise.reject(boom) }, boom),
  };

  test.for(
    Object.entries(CASES).flatMap(([name, hostile]) =>
      (['a value', 'a promise', 'a throw'] as const).map((how) => [name, how, hostile] as const),
    ),
  )('%s: the body is called once, and its result is its own: %s', async ([, how, { attempt, error }]) => {
    kept = undefined;
    await nothingEscapes(async () => {
      const { supervisor, clock, put, recorded } = scenario();
      const { probe, infos, reports } = recorder();
      supervisor.instrument({ name: 'hostile', attempt: attempt as Probe['attempt'] });
      supervisor.instrument(probe);
      let calls = 0;
      const run = (): unknown => {
        calls += 1;
        if (how === 'a throw') throw new Error('own');
        return how === 'a value' ? 'own' : Promise.resolve('own');
      };
      const one = put({ run });
      await clock.advance(10);
      ignoring(kept ?? (() => {}));
      const outcome = await one.outcome;
      expect(outcome).toMatchObject(how === 'a throw' ? { kind: 'failed' } : { kind: 'completed', value: 'own' });
      expect([calls, infos.length, reports.length]).toEqual([1, 1, 1]);
      const failed = recorded.events.filter((event) => event.type === 'subscriberFailed');
      expect(failed).toEqual(error === undefined ? [] : [expect.objectContaining({ subscriber: 'hostile', error })]);
    });
  });

  test('gets what the body threw, and its own error after it is published', async () => {
    const { supervisor, put, recorded, clock } = scenario();
    const caught: unknown[] = [];
    supervisor.instrument({
      attempt: () => ({
        run: (body) => {
          try {
            return body();
          } catch (error) {
            caught.push(error);
            throw new Error('of the probe');
          }
        },
      }),
    });
    const one = put({ run: throwBoom });
    await clock.settle();
    expect(await one.outcome).toMatchObject({ failure: { error: boom } });
    expect(caught).toEqual([boom]);
    expect(recorded.events.filter(({ type }) => type === 'subscriberFailed')).toMatchObject([
      { subscriber: 'probe-1', error: { message: 'of the probe' } },
    ]);
  });

  test.each<[string, unknown, string]>([
    ['a function', () => {}, 'probe must be an object with attempt(), got a function'],
    ['nothing', undefined, 'probe must be an object with attempt(), got undefined'],
    ['an object without attempt', {}, 'probe.attempt must be a function, got undefined'],
    ['an empty name', { name: '', attempt: () => undefined }, 'probe.name must not be empty'],
  ])('is refused: %s', (_, given, message) => {
    const { supervisor } = scenario();
    expect(() => supervisor.instrument(given as Probe)).toThrow(message);
  });
});
