// kill ends a body that does not end by itself.

import type { KillableTask, Outcome, TaskContext, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { never } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { mustNotEscape, NEVER } from '../../support/must-not-escape.ts';
import { GRACE } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

const PATIENCE = 5_000;

/** When a kill that fails each time is called, from the end of the grace on. */
const ASKED_AT = [0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000];

describe('kill', () => {
  const boom = new Error('the signal could not be sent');
  const killed: Outcome = { kind: 'killed', by: 'caller', attempts: 1 };
  const rows: readonly {
    readonly what: string;
    readonly kill: (ctx: TaskContext) => void | PromiseLike<void>;
    /** Whether `kill` proves the end. Otherwise the end of the body proves it. */
    readonly dies: boolean;
    readonly failed?: boolean;
  }[] = [
    { what: 'returns', kill: () => {}, dies: true },
    { what: 'resolves', kill: async () => {}, dies: true },
    { what: 'hangs', kill: () => new Promise(() => {}), dies: false },
    {
      what: 'throws',
      kill: () => {
        throw boom;
      },
      dies: false,
      failed: true,
    },
    { what: 'rejects', kill: () => Promise.reject(boom), dies: false, failed: true },
    {
      what: 'returns a thenable that throws',
      kill: () => ({
        // biome-ignore lint/suspicious/noThenProperty: the hostile thenable is what is tested
        then: () => {
          throw boom;
        },
      }),
      dies: false,
      failed: true,
    },
  ];
  for (const { what, kill, dies, failed } of rows)
    test(`a kill that ${what} ${dies ? 'frees the slot' : `leaves the slot occupied until the body ends${failed ? ', and is called again' : ''}`}`, async () => {
      const { supervisor, clock, recorded } = setup();
      const body = gateBody();
      const calledAt: number[] = [];
      const submission = supervisor.submit({
        slot: 's',
        graceMs: GRACE,
        run: {
          run: body.body,
          kill: (ctx) => {
            calledAt.push(clock.now() - GRACE);
            return kill(ctx);
          },
        },
      });
      const later = supervisor.submit({ slot: 's', run: () => 'later' });
      await clock.settle();
      void submission.cancel();
      await clock.advance(GRACE);
      if (!dies) {
        await clock.advance(100_000);
        expect([submission.status, later.status]).toEqual(['overrun', 'queued']);
        body.open('at last');
      }
      expect(await submission.outcome).toEqual(
        failed === true
          ? { kind: 'canceled', by: 'caller', value: 'at last', attempts: 1 } // the kill failed
          : killed,
      );
      expect(await later.value()).toBe('later');
      await clock.advance(100_000);
      expect(calledAt).toEqual(failed === true ? ASKED_AT : [0]);
      expect(recorded.of('overrun').map(({ action }) => action)).toEqual(failed === true ? ['kill', 'hold'] : ['kill']);
      body.fail(new Error('the pipe broke')); // an end after the proof of end changes nothing
      await clock.settle();
      expect(await submission.outcome).toMatchObject({ kind: failed === true ? 'canceled' : 'killed' });
      expect(clock.timers).toBe(0);
    });

  test('a kill that succeeds after it has failed ends the body, and frees the slot', async () => {
    const { supervisor, clock, recorded } = setup();
    let kills = 0;
    const kill = async () => {
      kills += 1;
      if (kills < 3) throw boom;
    };
    const submission = supervisor.submit({ slot: 's', graceMs: GRACE, run: { run: never, kill } });
    const later = supervisor.submit({ slot: 's', run: () => 'later' });
    await clock.settle();
    void submission.cancel();
    await clock.advance(GRACE + 2_999);
    expect([kills, submission.status, later.status]).toEqual([2, 'overrun', 'queued']);
    await clock.advance(1);
    expect(await submission.outcome).toEqual(killed);
    expect(await later.value()).toBe('later');
    expect(recorded.of('overrun').map(({ action }) => action)).toEqual(['kill', 'hold']);
    expect([kills, clock.timers]).toEqual([3, 0]);
  });

  test('the time in overrun runs on while kill fails again and again', async () => {
    const { supervisor, clock } = setup();
    const task = supervisor.submit({
      slot: 's',
      graceMs: GRACE,
      run: { run: never, kill: () => Promise.reject(boom) },
    });
    await clock.settle();
    void task.cancel();
    await clock.advance(GRACE + 5_000);
    expect(supervisor.tasks()).toMatchObject([{ status: 'overrun', sinceMs: 5_000 }]);
    expect(supervisor.slot('s').explain()).toContain('overran its grace 5 s ago');
  });

  test('a fresh attempt has calls of kill of its own, whose pauses begin with 1 s again', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = gateBody();
    const calledAt: number[] = [];
    const kill = () => {
      calledAt.push(clock.now());
      throw boom;
    };
    const submission = supervisor.submit({ graceMs: 0, run: { run: body.body, kill } });
    await clock.settle();
    submission.restart();
    await clock.advance(3_500);
    body.fail('at last');
    await clock.settle();
    submission.restart();
    await clock.advance(1_500);
    expect(calledAt).toEqual([0, 1_000, 3_000, 3_500, 4_500]);
    expect(recorded.of('overrun').map(({ action }) => action)).toEqual(['kill', 'hold', 'kill', 'hold']);
    body.open('out');
    await clock.settle();
    expect([submission.status, clock.timers]).toEqual(['running', 0]);
  });

  test('calls of kill never overlap, also where a shutdown asks between two of them', async () => {
    const { supervisor, clock } = setup();
    let alive = 0;
    let most = 0;
    const kill = () => {
      alive += 1;
      most = Math.max(most, alive);
      return new Promise<void>((_, reject) => {
        clock.setTimer(1_400, () => {
          alive -= 1;
          reject(boom);
        });
      });
    };
    const submission = supervisor.submit({ graceMs: 10, run: { run: never, kill } });
    await clock.settle();
    void submission.cancel();
    void supervisor.shutdown({ graceMs: 6_000 });
    await clock.advance(60_000);
    expect([most, (await submission.outcome).kind, clock.timers]).toEqual([1, 'abandoned', 0]);
  });

  test('kill is called as a method of its task, with the context of the attempt', async () => {
    class Worker implements KillableTask<string> {
      seen: unknown[] = [];
      run(ctx: TaskContext): Promise<string> {
        this.seen.push(ctx);
        return new Promise(() => {});
      }
      kill(ctx: TaskContext): void {
        this.seen.push(ctx);
      }
    }
    const worker = new Worker();
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ run: worker, graceMs: 0 });
    await clock.settle();
    void submission.cancel();
    await clock.advance(0);
    expect(await submission.outcome).toEqual(killed);
    expect(worker.seen).toHaveLength(2);
    expect(worker.seen[0]).toBe(worker.seen[1]);
  });

  test('a shorter grace of a shutdown brings the kill forward, and the first cause stays', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ run: { run: () => new Promise(() => {}), kill: () => {} }, graceMs: 1e6 });
    const stubborn = supervisor.submit({ run: () => new Promise(() => {}), graceMs: 1e6 });
    await clock.settle();
    void submission.cancel();
    void stubborn.cancel();
    await clock.advance(10);
    void supervisor.shutdown({ graceMs: 100 });
    await clock.advance(99);
    expect([submission.status, stubborn.status]).toEqual(['stopping', 'stopping']);
    await clock.advance(1);
    expect(await submission.outcome).toEqual(killed);
    expect(await stubborn.outcome).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
  });
});

describe('a late failure of kill (S8)', () => {
  const failing = () => {
    const kill = gateBody<void>();
    const body = gateBody();
    return { kill, body, run: { run: body.body, kill: kill.body } satisfies TaskSpec['run'] };
  };

  test('a kill that fails after the body has ended does not affect the next attempt', async () => {
    const { supervisor, clock, recorded } = setup();
    const { kill, body, run } = failing();
    const submission = supervisor.submit({ run, graceMs: GRACE });
    await clock.settle();
    submission.restart();
    await clock.advance(GRACE);
    body.open('out by itself');
    await clock.advance(10);
    expect([kill.alive, body.alive]).toEqual([1, 1]);
    kill.fail(new Error('no such process'));
    await clock.advance(10);
    expect(recorded.of('overrun').map(({ action }) => action)).toEqual(['kill']);
    expect(supervisor.tasks()).toMatchObject([{ status: 'running', attempt: 2, sinceMs: 20 }]);
  });

  test('a kill that fails after the body was abandoned leaves it counted as alive until it ends', async () => {
    const { supervisor, clock } = setup();
    const { kill, body, run } = failing();
    supervisor.submit({ run });
    await clock.settle();
    void supervisor.shutdown({ graceMs: GRACE });
    await clock.advance(GRACE + PATIENCE);
    kill.fail(new Error('no such process'));
    await clock.settle();
    expect(supervisor.snapshot()).toMatchObject({ phase: 'closed', abandonedAlive: 1 });
    body.open('at last');
    await clock.settle();
    expect(supervisor.snapshot().abandonedAlive).toBe(0);
  });
});

describe('a kill that never settles', () => {
  test.each(NEVER)('a kill that returns %s proves no end, and the end of the body does', async (_, kill) => {
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
