// What happens when a body outlasts its grace.

import type { Outcome, TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { ON_OVERRUN } from '../../../src/model/settings.ts';
import { gateBody } from '../../support/gate.ts';
import { GRACE, REASON, type Running, running } from '../../support/running-task.ts';
import { setup } from '../../support/setup.ts';

describe('overrun', () => {
  const timedOut = { kind: 'timedOut', afterMs: 100, message: 'timed out after 100 ms', fatal: false } as const;

  const stalled = { kind: 'stalled', silentMs: 100, message: 'no heartbeat for 100 ms', fatal: false } as const;

  const failed = (failure: typeof timedOut | typeof stalled): Outcome => ({
    kind: 'failed',
    failure,
    attempts: 1,
    because: 'policy',
  });

  const byCaller = { by: 'caller', reason: REASON, attempts: 1 } as const;

  type End = Outcome | 'a fresh attempt';

  const interruptions: readonly {
    readonly name: string;
    readonly spec: Partial<TaskSpec>;
    readonly ask: (world: Running) => unknown;
    readonly hold: End;
    readonly abandon: End;
    readonly kill: End;
  }[] = [
    {
      name: 'a cancel',
      spec: {},
      ask: ({ submission }) => void submission.cancel(REASON),
      hold: { kind: 'canceled', ...byCaller, value: 'at last' },
      abandon: { kind: 'abandoned', by: 'caller', attempts: 1 },
      kill: { kind: 'killed', by: 'caller', attempts: 1 },
    },
    {
      name: 'a timeout',
      spec: { timeoutMs: 100 },
      ask: ({ clock }) => clock.advance(100),
      hold: failed(timedOut),
      abandon: failed(timedOut),
      kill: failed(timedOut),
    },
    {
      name: 'a stall',
      spec: { stallMs: 100 },
      ask: ({ clock }) => clock.advance(100),
      hold: failed(stalled),
      abandon: failed(stalled),
      kill: failed(stalled),
    },
    {
      name: 'restart()',
      spec: {},
      ask: ({ submission }) => expect(submission.restart()).toBe(true),
      hold: 'a fresh attempt',
      abandon: 'a fresh attempt',
      kill: 'a fresh attempt',
    },
  ];

  for (const { name, spec, ask, ...ends } of interruptions)
    for (const action of [...ON_OVERRUN, 'kill'] as const) {
      const end = ends[action];
      const claim = typeof end === 'string' ? end : end.kind;
      test(`an overrun with ${action}, ${GRACE} ms after ${name}, ${action === 'abandon' ? 'frees the slot' : 'keeps the slot until the end (S1)'} and leads to: ${claim}`, async () => {
        const kill = gateBody<void>();
        const onOverrun = action === 'abandon' ? action : undefined;
        const world = await running({ ...spec, onOverrun }, {}, action === 'kill' ? kill.body : undefined);
        const { supervisor, clock, submission, body, recorded } = world;
        const later = supervisor.submit({ slot: 's', run: () => 'later' });
        await ask(world);
        await clock.advance(GRACE - 1);
        expect(submission.status).toBe('stopping');
        expect([recorded.of('overrun'), supervisor.snapshot().overrun, kill.alive]).toEqual([[], 0, 0]);
        expect(submission.restart()).toBe(false); // not while stopping
        await clock.advance(1);
        expect(recorded.of('overrun')).toMatchObject([{ id: submission.id, action, sinceMs: GRACE }]);
        if (action === 'abandon') expect(supervisor.snapshot()).toMatchObject({ overrun: 0, abandonedAlive: 1 });
        else {
          expect(submission.status).toBe('overrun');
          expect(submission.restart()).toBe(false); // not in overrun
          expect(supervisor.snapshot()).toMatchObject({
            overrun: 1,
            abandonedAlive: 0,
            slots: [{ phase: expect.stringMatching('running|stopping'), owner: { status: 'overrun' } }],
          });
          await clock.advance(1e6);
          expect([later.status, body.calls.length]).toEqual(['queued', 1]);
          expect(kill.calls).toEqual(action === 'kill' ? [body.calls[0]] : []);
          if (action === 'kill') kill.open();
          else body.open('at last');
        }
        await clock.settle();
        if (typeof end === 'string') {
          expect(body.calls.map(({ attempt, canceled }) => [attempt, canceled])).toEqual([
            [1, true],
            [2, false],
          ]);
          return;
        }
        expect(await submission.outcome).toEqual(end);
        expect(await later.value()).toBe('later');
        if (action === 'abandon') {
          body.fail(new Error('too late'));
          await clock.settle();
          expect(await submission.outcome).toEqual(end);
        }
        expect(supervisor.snapshot()).toMatchObject({ overrun: 0, abandonedAlive: 0, slots: [] });
        expect(clock.timers).toBe(0);
      });
    }

  for (const wait of ['sleep', 'untilCanceled', 'ensureOwned'] as const)
    test(`comes also where a body catches its stop reason and waits again by ${wait}`, async () => {
      const { supervisor, clock } = setup();
      let isLooping = true;
      const submission = supervisor.submit({
        graceMs: GRACE,
        onOverrun: 'abandon',
        run: async (ctx) => {
          const waits = {
            sleep: () => ctx.sleep(Infinity),
            untilCanceled: () => ctx.untilCanceled(new Promise(() => {})),
            ensureOwned: () => ctx.ensureOwned(),
          };
          await ctx.sleep(Infinity).catch(() => {});
          while (isLooping) await waits[wait]().catch(() => {});
        },
      });
      await clock.settle();
      const outcome = submission.cancel();
      await clock.advance(GRACE);
      expect(await outcome).toMatchObject({ kind: 'abandoned' });
      isLooping = false;
    });
});
