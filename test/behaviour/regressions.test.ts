// Tests for defects of other libraries. Each name has the origin in parentheses.

import { getEventListeners } from 'node:events';
import type { TaskBody, TaskContext, TaskSpec } from 'slotvisor';
import { FatalError, type Outcome, RetryError, type StopCause, type Submission, Supervisor } from 'slotvisor';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { nothingEscapes } from '../support/must-not-escape.ts';
import { type Setup, setup } from '../support/setup.ts';

interface World extends Setup {
  /** Submits to slot `s` and counts the live bodies. */
  readonly submit: (run: TaskBody, rest?: Partial<TaskSpec>) => Submission;
  /** A controller whose signal must have no listener at the end. */
  readonly controller: () => AbortController;
}

/**
 * Runs the test, and then checks that no slot, work, timer or listener is left and that at most one
 * body was alive at any time.
 */
function test(name: string, act: (world: World) => Promise<void>): void {
  it(name, () =>
    nothingEscapes(async () => {
      const controllers: AbortController[] = [];
      let [alive, most] = [0, 0];
      const base = setup();
      const { supervisor, clock } = base;
      const counted = (body: TaskBody) => async (ctx: TaskContext) => {
        alive += 1;
        most = Math.max(most, alive);
        try {
          return await body(ctx);
        } finally {
          alive -= 1;
        }
      };
      await act({
        ...base,
        submit: (run, rest) => supervisor.submit({ slot: 's', ...rest, run: counted(run) }),
        controller: () => controllers[controllers.push(new AbortController()) - 1] as AbortController,
      });
      await clock.settle();
      expect(supervisor.snapshot()).toMatchObject({ slots: [], owners: 0, queued: 0, overrun: 0, abandonedAlive: 0 });
      expect([supervisor.tasks().length, clock.timers, alive]).toEqual([0, 0, 0]);
      expect(controllers.flatMap(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([]);
      expect(most).toBeLessThanOrEqual(1);
    }),
  );
}

const MINUTE = { firstMs: 60_000, maxMs: 60_000, jitter: 'none' } as const;
const fail = (): never => {
  throw new Error('no');
};
const untilStopped = (ctx: TaskContext): Promise<unknown> => ctx.untilCanceled(new Promise(() => {}));
const statuses = (...submissions: Submission[]): string[] => submissions.map(({ status }) => status);
const outcomes = (...all: Submission[]): Promise<Outcome[]> => Promise.all(all.map(({ outcome }) => outcome));
const completed = (value: unknown, attempts = 1): Outcome => ({ kind: 'completed', value, attempts });
const canceled = (by: StopCause, reason?: unknown): Outcome => ({ kind: 'canceled', by, reason, attempts: 1 });
const rejected = (reason: string, by?: Submission): unknown => ({ kind: 'rejected', reason, by: by?.id });

describe('every submission settles', () => {
  for (const from of ['other code', 'the running body'])
    test(`every submission settles, even after ${from} paused and emptied its queue (p-queue#239, p-limit#25)`, async (world) => {
      const { supervisor, clock, submit } = world;
      const slot = supervisor.slot('s');
      const gate = gateBody();
      const empty = (): void => {
        slot.pause();
        void slot.cancel('emptied');
      };
      const owner = submit((ctx) => {
        if (from !== 'other code') empty();
        return gate.body(ctx);
      });
      const waiting = (['queue', 'keepLatest', 'queue'] as const).map((admission) => submit(fail, { admission }));
      await clock.settle();
      if (from === 'other code') empty();
      await clock.settle();
      expect(statuses(owner, ...waiting)).toEqual(['stopping', 'ended', 'ended', 'ended']);
      expect(await outcomes(...waiting)).toEqual(waiting.map(() => rejected('canceled')));
      gate.open('late');
      expect(await owner.outcome).toEqual({ ...canceled('slot', 'emptied'), value: 'late' });
      slot.resume();
      expect(await submit(() => 'continues').value()).toBe('continues');
    });

  for (const order of ['head first', 'tail first', 'by one signal'] as const)
    test(`an abort of the owner and of the next submission at once, ${order}, gives the slot to the third (p-queue#168)`, async (world) => {
      const { clock, submit, controller } = world;
      const head = controller();
      const tail = order === 'by one signal' ? head : controller();
      const both = [head, tail].map(({ signal }) => submit(untilStopped, { signal }));
      const third = submit(() => 'third');
      await clock.settle();
      for (const each of order === 'tail first' ? [tail, head] : [head, tail]) each.abort('enough');
      expect(await outcomes(...both, third)).toEqual([
        canceled('signal', 'enough'),
        rejected('canceled'),
        completed('third'),
      ]);
    });

  for (const slot of ['a busy', 'an idle'])
    test(`an aborted signal rejects at once in ${slot} slot and gets no listener (p-queue#241, p-map#91)`, async (world) => {
      const { clock, submit, controller } = world;
      const gate = gateBody();
      const owner = slot === 'a busy' ? submit(gate.body) : undefined;
      const aborted = controller();
      aborted.abort();
      const submission = submit(fail, { signal: aborted.signal });
      expect([submission.admission, submission.status]).toEqual(['rejected', 'ended']);
      expect(await submission.outcome).toEqual(rejected('canceled'));
      await clock.settle();
      gate.open('undisturbed');
      expect(await owner?.outcome).toEqual(owner && completed('undisturbed'));
    });
});

describe('at most one body is alive', () => {
  for (const restart of ['never', 'onFailure'] as const)
    test(`a timeout with restart '${restart}' starts nothing while the old body still runs (S1, async-lock#44)`, async (world) => {
      const { clock, submit } = world;
      const gate = gateBody<unknown>();
      const spec = { restart, backoff: MINUTE, timeoutMs: 50, graceMs: 10 };
      const slow = submit((ctx) => (ctx.attempt === 1 ? gate.body(ctx) : 'second'), spec);
      const next = submit(() => 'next');
      await clock.advance(3_600_000);
      expect([...statuses(slow, next), gate.alive]).toEqual(['overrun', 'queued', 1]);
      gate.open('too late');
      await clock.advance(60_000);
      expect(await outcomes(slow, next)).toMatchObject([
        restart === 'never' ? { kind: 'failed', failure: { kind: 'timedOut' }, attempts: 1 } : completed('second', 2),
        completed('next'),
      ]);
    });

  /** The ways in which a replaced body cleans up. */
  const CLEANUPS: Record<string, (ctx: TaskContext, clean: () => void) => Promise<unknown>> = {
    'its finally': (ctx, clean) => untilStopped(ctx).finally(clean),
    'its onCancel': (ctx, clean) => {
      ctx.onCancel(clean);
      return untilStopped(ctx);
    },
  };
  for (const [how, cleanup] of Object.entries(CLEANUPS))
    for (const admission of ['replace', 'queue'] as const)
      test(`a submission by '${admission}' that a replaced body makes in ${how} is neither lost nor left running (effect#7611)`, async (world) => {
        const { supervisor, clock, submit } = world;
        const born: Submission[] = [];
        const old = submit((ctx) => cleanup(ctx, () => born.push(submit(untilStopped, { admission }))));
        await clock.settle();
        const replacement = submit(untilStopped, { admission: 'replace' });
        await clock.settle();
        const [child] = born as [Submission];
        const replaced = admission === 'replace';
        expect(born).toHaveLength(1);
        expect(statuses(replacement, child)).toEqual(replaced ? ['ended', 'running'] : ['running', 'queued']);
        expect(await supervisor.shutdown({ graceMs: 1 })).toMatchObject({ clean: true, abandoned: [] });
        expect(await outcomes(old, replacement, child)).toEqual([
          canceled('replace'),
          replaced ? rejected('superseded', child) : canceled('shutdown'),
          replaced ? canceled('shutdown') : rejected('shuttingDown'),
        ]);
      });

  for (const again of ['replacement', 'restart'] as const)
    test(`a ${again} that returns at once, of a body that ends at once on its stop request, is not left running (ember-concurrency#422)`, async (world) => {
      const { supervisor, clock } = world;
      const spec: TaskSpec<unknown> = { slot: 's', admission: 'replace', run: () => 'early' };
      const ending: TaskBody = (ctx) => new Promise((resolve) => ctx.onCancel(() => resolve('stopped')));
      for (let round = 0; round < 3; round += 1) {
        const old = supervisor.submit({ ...spec, run: (ctx) => (ctx.attempt === 1 ? ending(ctx) : 'early') });
        await clock.settle();
        if (again === 'restart') expect(old.restart()).toBe(true);
        const all = again === 'restart' ? [old] : [old, supervisor.submit(spec)];
        expect(await outcomes(...all)).toEqual(
          again === 'restart'
            ? [completed('early', 2)]
            : [{ ...canceled('replace'), value: 'stopped' }, completed('early')],
        );
        expect(supervisor.snapshot()).toMatchObject({ slots: [], owners: 0 });
      }
    });

  /** Each occupies the slot and returns a function that frees it. */
  const OWNERS: Record<string, (world: World) => () => void> = {
    'a running owner': ({ submit }) => {
      const owner = submit(untilStopped);
      return () => void owner.cancel();
    },
    'an owner in backoff': ({ submit }) => {
      const owner = submit(fail, { backoff: MINUTE });
      return () => void owner.cancel();
    },
    'a pause': ({ supervisor }) => {
      supervisor.slot('s').pause();
      return () => supervisor.slot('s').resume();
    },
  };
  for (const [owner, occupy] of Object.entries(OWNERS))
    test(`a third keepLatest takes the place of the second behind ${owner} (temporal#11530)`, async (world) => {
      const free = occupy(world);
      await world.clock.settle();
      const ran: number[] = [];
      const arrivals = [1, 2, 3].map((n) => world.submit(() => ran.push(n), { admission: 'keepLatest' }));
      expect(world.supervisor.slot('s').view().queued).toMatchObject([{ id: arrivals[2]?.id }]);
      free();
      expect(await outcomes(...arrivals)).toEqual([
        rejected('superseded', arrivals[1]),
        rejected('superseded', arrivals[2]),
        completed(1),
      ]);
      expect(ran).toEqual([3]);
    });
});

describe('signals and sleeps', () => {
  test('twenty timed attempts with one parent signal add one listener, which is removed at the end (cockatiel#81)', async (world) => {
    const { clock, submit, controller } = world;
    const { signal } = controller();
    const listeners: number[] = [];
    const run: TaskBody = (ctx) => {
      listeners.push(ctx.signal.aborted ? Number.NaN : getEventListeners(signal, 'abort').length);
      return ctx.attempt === 20 ? 'done' : ctx.attempt % 2 === 0 ? untilStopped(ctx) : fail();
    };
    const submission = submit(run, { signal, timeoutMs: 100, backoff: MINUTE });
    await clock.advance(20 * 60_100);
    expect(await submission.outcome).toEqual(completed('done', 20));
    expect(listeners).toEqual(Array.from({ length: 20 }, () => 1));
  });

  test('a hundred submissions that are never aborted leave no listener on their shared signal (p-map#75)', async (world) => {
    const { submit, controller } = world;
    const { signal } = controller();
    const all = Array.from({ length: 100 }, (_, n) => submit(n % 2 ? fail : () => n, { signal, restart: 'never' }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    const kinds = (await outcomes(...all)).map(({ kind }) => kind);
    expect(kinds).toEqual(all.map((_, n) => (n % 2 ? 'failed' : 'completed')));
  });

  const later = (afterMs: number) => (ctx: TaskContext) => {
    if (ctx.attempt === 1) throw new RetryError('busy', { afterMs });
  };
  const SLEEPS: Record<string, readonly [run: TaskBody, rest: Partial<TaskSpec>, asleep: string]> = {
    'a backoff': [fail, { backoff: MINUTE }, 'backoff'],
    'the delay of a RetryError': [later(120_000), {}, 'backoff'],
    'an interval': [() => 'again', { restart: 'always', intervalMs: 60_000 }, 'interval'],
  };
  for (const [sleep, [run, rest, asleep]] of Object.entries(SLEEPS))
    for (const [by, origin] of Object.entries({ abort: 'undici#5675', shutdown: 'suture#58' }))
      test(`${by} during ${sleep} ends it at once, and nothing starts later (${origin})`, async (world) => {
        const { supervisor, clock, submit } = world;
        const controller = world.controller();
        const both = [submit(run, { ...rest, signal: controller.signal }), submit(() => 'behind')];
        await clock.advance(800);
        expect(statuses(...both)).toEqual([asleep, 'queued']);
        if (by === 'abort') controller.abort('enough');
        else expect(await supervisor.shutdown()).toMatchObject({ clean: true, abandoned: [] });
        expect(await outcomes(...both)).toEqual([
          by === 'abort' ? canceled('signal', 'enough') : canceled('shutdown'),
          by === 'abort' ? completed('behind') : rejected('shuttingDown'),
        ]);
        expect([clock.now(), clock.timers]).toEqual([800, 0]);
      });

  describe('on the platform clock', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }));
    afterEach(() => void vi.restoreAllMocks().useRealTimers());

    const LONG = 2 ** 31 + 5;
    const failsOnce: TaskBody = ({ attempt }) => (attempt === 1 ? fail() : 'done');
    const fatal: TaskBody = ({ attempt }) => {
      if (attempt === 2) throw new FatalError('enough');
    };
    const DELAYS: Record<string, readonly [run: TaskBody, rest: Partial<TaskSpec>, asleep: string, end: object]> = {
      backoff: [failsOnce, { backoff: { ...MINUTE, firstMs: LONG, maxMs: LONG } }, 'backoff', { attempts: 2 }],
      intervalMs: [fatal, { restart: 'always', intervalMs: LONG }, 'interval', { kind: 'fatal', attempts: 2 }],
      deadlineMs: [untilStopped, { deadlineMs: LONG }, 'running', { kind: 'canceled', by: 'deadline' }],
      timeoutMs: [untilStopped, { timeoutMs: LONG, maxRetries: 0 }, 'running', { failure: { kind: 'timedOut' } }],
      sleep: [(ctx) => ctx.sleep(LONG), {}, 'running', { kind: 'completed' }],
    };
    for (const [name, [run, rest, asleep, end]] of Object.entries(DELAYS))
      it(`${name} of more than 2^31 - 1 ms is waited for in full, at any change of the wall clock (node-schedule#14, #542)`, () =>
        nothingEscapes(async () => {
          const asked = vi.spyOn(globalThis, 'setTimeout');
          const supervisor = new Supervisor({ warnings: false });
          const submission = supervisor.submit({ ...rest, slot: 's', run });
          await new Promise((resolve) => setImmediate(resolve));
          for (const wall of ['1990-01-01', '2100-01-01']) {
            await vi.advanceTimersByTimeAsync((LONG - 1) / 2);
            vi.setSystemTime(new Date(wall));
            await vi.advanceTimersByTimeAsync(0);
            expect([submission.status, supervisor.snapshot().totals.attempts]).toEqual([asleep, 1]);
          }
          await vi.advanceTimersByTimeAsync(1);
          expect(submission.status).toBe('ended');
          expect(await submission.outcome).toMatchObject(end);
          expect([supervisor.snapshot().slots, vi.getTimerCount()]).toEqual([[], 0]);
          expect(asked.mock.calls.filter(([, ms]) => Number(ms) >= 2 ** 31)).toEqual([]);
        }));
  });
});
