// The liveness promises: work that can continue does continue.

import { type Submission, Supervisor } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { type GatedSlot, gatedSlot } from '../support/gated-slot.ts';
import { nothingEscapes } from '../support/must-not-escape.ts';
import { setup } from '../support/setup.ts';

const fail = (): never => {
  throw new Error('boom');
};

const ownerOf = (supervisor: Supervisor) => supervisor.slot('s').view().owner?.id as Submission['id'];

describe('liveness', () => {
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
    'after %s of the owner the waiting submission runs without any time passing (S5, S10)',
    async ([, end]) => {
      const world = gatedSlot({ defaults: { graceMs: 10, onOverrun: 'abandon' } });
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

  test('every submission has its outcome at the end of the grace of a shutdown, even if no body ends (S3)', async () => {
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

  test('a slot whose body hangs, overruns or throws does not delay another slot (S9)', async () => {
    const { clock, submit } = gatedSlot();
    submit({ timeoutMs: 1, graceMs: 1 });
    submit({ slot: 't', run: fail, restart: 'onFailure' });
    await clock.advance(10);
    const other = submit({ slot: 'u', run: () => 'at once' });
    await clock.settle();
    expect(await other.outcome).toMatchObject({ kind: 'completed', value: 'at once' });
    expect(clock.now()).toBe(10);
  });

  test('a body that submits itself again in its `finally` does not starve timers and I/O of the process', async () => {
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

  test('a shutdown resolves at the end of its grace even if a body hangs or awaits the shutdown', async () => {
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

  test('a delay longer than a platform timer allows neither fires early nor causes a warning', async () => {
    const { clock, submit } = gatedSlot();
    const long = 2 ** 31 + 5;
    const sleeper = submit({ run: (ctx) => ctx.sleep(long) });
    await clock.advance(long - 1);
    expect(sleeper.status).toBe('running');
    await clock.advance(1);
    expect((await sleeper.outcome).kind).toBe('completed');
    await nothingEscapes(async () => {
      // Platform timers warn about a delay that is too long for them.
      const supervisor = new Supervisor();
      const real = supervisor.submit({ run: (ctx) => ctx.sleep(long), deadlineMs: long, timeoutMs: long });
      await clock.settle();
      expect(real.status).toBe('running');
      await supervisor.shutdown();
    });
  });
});

test('many slots that start their next submission in every turn do not starve timers and I/O of the process', async () => {
  const supervisor = new Supervisor();
  const EACH = 2_000;
  const slots = ['a', 'b', 'c'];
  for (const slot of slots) for (let n = 0; n < EACH; n += 1) supervisor.submit({ slot, run: async () => n });
  let byThen: number | undefined;
  setImmediate(() => {
    byThen = supervisor.snapshot().totals.completed;
  });
  await supervisor.idle();
  expect(byThen).toBeLessThan(EACH * slots.length);
});
