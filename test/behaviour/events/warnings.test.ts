// Warnings of failures that nothing watches, and of overruns that are held.

import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  CanceledError,
  ExitError,
  FatalError,
  RetryError,
  type Submission,
  Supervisor,
  type SupervisorOptions,
  type TaskSpec,
} from 'slotvisor';
import { schedule } from 'slotvisor/cron';
import { seededRandom, VirtualClock } from 'slotvisor/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CONSTANT_BACKOFF, never, polite } from '../../support/bodies.ts';
import { gateBody } from '../../support/gate.ts';
import { THROWN } from '../../support/must-not-escape.ts';
import { recordWarnings, type Warning } from '../../support/warnings.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const FAILURE = 'SLOTVISOR_UNWATCHED_FAILURE';
const HELD = 'SLOTVISOR_OVERRUN_HELD';

afterEach(() => {
  vi.restoreAllMocks();
});

/** A supervisor whose events nothing records. */
function unwatched(options: SupervisorOptions = {}) {
  const clock = new VirtualClock();
  const supervisor = new Supervisor({ clock, random: seededRandom(1), ...options });
  return { clock, supervisor };
}
type World = ReturnType<typeof unwatched>;

const codes = (warnings: readonly Warning[]) => warnings.map(({ code }) => code);
const fail = (): never => {
  throw new Error('boom');
};
const FAILS: TaskSpec = { slot: 'orders:7', backoff: CONSTANT_BACKOFF, run: fail };

describe('a failure that nothing watches', () => {
  test('is warned of once, with the task, the attempt, the error, what follows, and how to watch or turn it off', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    supervisor.submit({ ...FAILS, name: 'ship order 7' });
    await clock.advance(1_000);
    expect(await warnings()).toEqual([
      {
        name: 'SlotvisorWarning',
        code: FAILURE,
        message:
          'The task "ship order 7" failed, and nothing watches it (attempt 1, Error: boom). It is retried in 100 ms. ' +
          'To watch, call supervisor.subscribe(), or await the outcome. This warning comes once for slots of the group ' +
          '"orders". new Supervisor({ warnings: false }) turns it off.',
      },
    ]);
  });

  const FOLLOWS: Record<string, [spec: Partial<TaskSpec>, text: string]> = {
    'a retry': [{ backoff: { firstMs: 1_500, jitter: 'none' } }, 'Error: boom). It is retried in 1500 ms.'],
    'a retry after a delay of its error': [
      {
        run: () => {
          throw new RetryError('busy', { afterMs: 30_000 });
        },
      },
      'RetryError: busy). It is retried in 30000 ms.',
    ],
    'a retry at once': [{ backoff: { firstMs: 0 }, maxRetries: 1 }, 'Error: boom). The next attempt follows at once.'],
    'no retry': [{ restart: 'never' }, 'Error: boom). It ended failed, because of policy.'],
    'no further retry': [{ maxRetries: 0 }, 'Error: boom). It ended failed, because of maxRetries.'],
    'a refusal of retryIf': [{ retryIf: () => false }, 'Error: boom). It ended failed, because of retryIf.'],
    'the end by a FatalError': [
      {
        run: () => {
          throw new FatalError('no such table');
        },
      },
      'FatalError: no such table). It ended fatal.',
    ],
    'an exit': [
      {
        restart: 'never',
        run: () => {
          throw new ExitError('sh exited with code 2: not found', { exitCode: 2 });
        },
      },
      'attempt 1, sh exited with code 2: not found). It ended failed, because of policy.',
    ],
    'a timeout': [
      { restart: 'never', timeoutMs: 50, run: polite },
      'attempt 1, timed out after 50 ms). It ended failed, because of policy.',
    ],
    'a stall': [
      { restart: 'never', stallMs: 80, run: polite },
      'attempt 1, no heartbeat for 80 ms). It ended failed, because of policy.',
    ],
  };
  for (const [name, [spec, text]] of Object.entries(FOLLOWS))
    test(`is warned of with what follows: ${name}`, async () => {
      const warnings = recordWarnings();
      const { supervisor, clock } = unwatched();
      supervisor.submit({ ...FAILS, ...spec });
      await clock.advance(1_000);
      expect((await warnings()).map(({ message }) => message)).toEqual([expect.stringContaining(text)]);
    });

  test('is warned of with the cause of the stop, where its task was stopped meanwhile', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    const gate = gateBody();
    supervisor.submit({ slot: 's', timeoutMs: 50, run: gate.body });
    await clock.advance(50);
    supervisor.submit({ slot: 's', admission: 'replace', run: polite });
    gate.open('late');
    await clock.settle();
    expect((await warnings()).map(({ message }) => message)).toEqual([
      expect.stringContaining('(attempt 1, timed out after 50 ms). It ended canceled, by replace.'),
    ]);
  });

  test('may have thrown anything: the text is one short line, and nothing escapes', async () => {
    const warnings = recordWarnings();
    for (const [, make] of THROWN) {
      const { supervisor, clock } = unwatched();
      const run = (): never => {
        throw make();
      };
      supervisor.submit({ slot: 'n'.repeat(1_000), name: `x\n${'n'.repeat(1_000)}`, restart: 'never', run });
      await clock.settle();
    }
    const seen = await warnings();
    expect(codes(seen)).toEqual(THROWN.map(() => FAILURE));
    for (const { message } of seen) {
      expect(message.length).toBeLessThan(600);
      expect(message).not.toMatch(/[\r\n]/);
    }
  });

  test('has no control characters, whatever the names and the error are', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    const error = Object.assign(new Error('\u001b[2J\u202e'), { name: 'Name\n\u009b' });
    supervisor.submit({ slot: '\u009b31m', restart: 'never', run: () => Promise.reject(error) });
    await clock.settle();
    const [{ message } = { message: '' }] = await warnings();
    expect(message).toContain('Name\\u000a\\u009b: \\u001b[2J\\u202e');
    expect(message).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  });

  test('shows only the first line of its error that holds text', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    const run = (): never => {
      throw new TypeError('\n  expected 1\r\n  got 2');
    };
    supervisor.submit({ restart: 'never', run });
    await clock.settle();
    expect((await warnings())[0]?.message).toContain('(attempt 1, TypeError: expected 1). It ended');
  });
});

describe('it is watched by', () => {
  const submit = ({ supervisor }: World, spec: Partial<TaskSpec> = {}) => supervisor.submit({ ...FAILS, ...spec });
  const watchers: Record<string, (world: World) => unknown> = {
    'a subscriber of all types': (world) => [world.supervisor.subscribe(() => {}), submit(world)],
    'a subscriber of this type': (world) => [
      world.supervisor.subscribe(() => {}, { types: ['started', 'attemptFailed'] }),
      submit(world),
    ],
    'a subscriber that comes within the turn': (world) => [submit(world), world.supervisor.subscribe(() => {})],
    'events()': (world) => [world.supervisor.events({ types: ['attemptFailed'] }), submit(world)],
    outcome: (world) => submit(world).outcome,
    'value()': (world) =>
      submit(world)
        .value()
        .catch(() => {}),
    'cancel()': (world) => submit(world).cancel(),
    'cancel() after its failure, within the turn': async (world) => {
      const submission = submit(world, { restart: 'never' });
      for (let n = 0; n < 50; n += 1) await null;
      expect(submission.status).toBe('ended');
      void submission.cancel();
    },
    'its outcome, asked for after its failure and within the turn': async (world) => {
      const submission = submit(world);
      for (let n = 0; n < 50; n += 1) await null;
      expect(submission.status).toBe('backoff');
      void submission.outcome;
    },
    'supervisor.cancel()': (world) => world.supervisor.cancel(submit(world).id),
    'the outcome of what get() returned': (world) => world.supervisor.get(submit(world).id)?.outcome,
    'the outcome of one of a batch': ({ supervisor }) => supervisor.submitAll([FAILS])[0].outcome,
    'run()': ({ supervisor }) => supervisor.run([{ ...FAILS, restart: 'never' }], { signals: false }),
    'the outcome of a submission that joined': (world) => {
      submit(world);
      submit(world, { admission: 'join' });
      return submit(world, { admission: 'join' }).outcome;
    },
    'the outcome of its leader, which others joined': (world) => {
      const leader = submit(world);
      submit(world, { admission: 'join' });
      return leader.outcome;
    },
  };
  for (const [name, watch] of Object.entries(watchers))
    test(name, async () => {
      const warnings = recordWarnings();
      const world = unwatched();
      void watch(world);
      await world.clock.advance(1_000);
      expect(codes(await warnings())).toEqual([]);
    });

  test('aroundAttempt', async () => {
    const warnings = recordWarnings();
    const world = unwatched({ aroundAttempt: (_, next) => next() });
    submit(world);
    await world.clock.advance(1_000);
    expect(codes(await warnings())).toEqual([]);
  });

  test('the outcome of a run that a schedule was asked for', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    const made = schedule(supervisor, { everyMs: 60_000, task: { restart: 'never', run: fail } });
    void made.trigger().outcome;
    await clock.advance(1_000);
    expect(codes(await warnings())).toEqual([]);
  });

  test('nothing where warnings are turned off, and none comes', async () => {
    const warnings = recordWarnings();
    const world = unwatched({ warnings: false });
    submit(world);
    world.supervisor.submit({ timeoutMs: 10, graceMs: 10, run: never });
    await world.clock.advance(1_000);
    expect(codes(await warnings())).toEqual([]);
  });
});

describe('it is not watched by', () => {
  const submit = ({ supervisor }: World) => supervisor.submit(FAILS);
  const strangers: Record<string, (world: World) => unknown> = {
    'a subscriber of other types': (world) => [
      world.supervisor.subscribe(() => {}, { types: ['attemptTimedOut', 'attemptStalled', 'finished', 'overrun'] }),
      submit(world),
    ],
    'a subscriber that has left': (world) => [world.supervisor.subscribe(() => {})(), submit(world)],
    'what the handle, the views and the snapshot show': (world) => {
      const submission = submit(world);
      const { id, slot, name, admission, status } = submission;
      return [id, slot, name, admission, status, inspect(submission), world.supervisor.tasks(), submission.restart()];
    },
    'idle() and the cancel of another slot': (world) => [
      submit(world),
      world.supervisor.slot('other').cancel(),
      world.supervisor.slot('other').idle(),
    ],
    'the outcome of another submission': (world) => {
      void world.supervisor.submit({ slot: 'other', run: () => 1 }).outcome;
      submit(world);
    },
    'the outcome of a submission that was canceled before': (world) => {
      const other = world.supervisor.submit({ ...FAILS, admission: 'join' });
      void world.supervisor.submit({ ...FAILS, admission: 'join' });
      void other.cancel();
    },
  };
  for (const [name, look] of Object.entries(strangers))
    test(name, async () => {
      const warnings = recordWarnings();
      const world = unwatched();
      void look(world);
      await world.clock.advance(1_000);
      expect(codes(await warnings())).toEqual([FAILURE]);
    });

  test('the schedule that submitted it', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    const made = schedule(supervisor, { everyMs: 60_000, task: { name: 'report', restart: 'never', run: fail } });
    await clock.advance(200_000);
    void made.stop();
    await clock.settle();
    expect((await warnings()).map(({ message }) => message)).toEqual([expect.stringContaining('The task "report"')]);
  });

  test('an outcome that is asked for a turn later', async () => {
    const warnings = recordWarnings();
    const world = unwatched();
    const submission = submit(world);
    await world.clock.settle();
    void submission.outcome;
    expect(codes(await warnings())).toEqual([FAILURE]);
  });
});

describe('no warning comes of', () => {
  const quiet: Record<string, (world: World) => unknown> = {
    'a body that gave up': ({ supervisor }) =>
      supervisor.submit({
        run: () => {
          throw new CanceledError('enough');
        },
      }),
    'what a body throws after its stop request': async ({ supervisor, clock }) => {
      supervisor.submit({ slot: 's', run: (ctx) => ctx.sleep(Infinity).catch(fail) });
      await clock.settle();
      void supervisor.slot('s').cancel();
    },
    'what a body throws after a restart': async ({ supervisor, clock }) => {
      const submission = supervisor.submit({ run: (ctx) => ctx.sleep(Infinity).catch(fail) });
      await clock.settle();
      submission.restart();
    },
    'a rejection': ({ supervisor }) => {
      supervisor.submit({ slot: 's', run: polite });
      supervisor.submit({ slot: 's', admission: 'dropIfRunning', run: fail });
    },
    'a success': ({ supervisor }) => supervisor.submit({ run: () => 1 }),
    'an attempt without a participant': async ({ supervisor, clock }) => {
      const [gate, left] = [gateBody(), new AbortController()];
      const owner = supervisor.submit({ slot: 's', timeoutMs: 50, run: gate.body });
      const joined = supervisor.submit({ slot: 's', admission: 'join', signal: left.signal, run: fail });
      await clock.advance(50);
      void owner.cancel();
      left.abort();
      gate.open('late');
      await clock.settle();
      expect([owner.status, joined.status, supervisor.snapshot().slots]).toEqual(['ended', 'ended', []]);
    },
  };
  for (const [name, act] of Object.entries(quiet))
    test(name, async () => {
      const warnings = recordWarnings();
      const world = unwatched();
      await act(world);
      await world.clock.advance(1_000);
      expect(codes(await warnings())).toEqual([]);
    });
});

describe('a warning comes once', () => {
  const failIn = (supervisor: Supervisor, ...slots: (string | undefined)[]): Submission[] =>
    slots.map((slot) =>
      supervisor.submit({ ...(slot !== undefined && { slot }), run: fail, backoff: CONSTANT_BACKOFF, maxRetries: 2 }),
    );

  test('for each group of slots, and once for all slots without a name', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    failIn(supervisor, 'a', 'a:1', 'a:2', 'b:1', 'b:1:2', 'ab', undefined, undefined, ':1');
    await clock.advance(10_000);
    failIn(supervisor, 'a:3', 'b', undefined);
    await clock.advance(10_000);
    const groups = (await warnings()).map(({ message }) => message.match(/once for (.*)\. new/)?.[1]);
    expect(groups).toEqual([
      'slots of the group "a"',
      'slots of the group "b"',
      'slots of the group "ab"',
      'slots without a name',
      'slots of the group ""',
    ]);
  });

  test('for a group whose first failure was watched', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    for (const { outcome } of failIn(supervisor, 'a:1', 'a:2')) void outcome;
    failIn(supervisor, 'a:3');
    await clock.advance(10_000);
    expect((await warnings()).map(({ message }) => message)).toEqual([expect.stringContaining('"a:3" failed')]);
  });

  test('and at most 20 times a supervisor; the last one says so', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    failIn(supervisor, ...Array.from({ length: 15 }, (_, n) => `before ${n}`));
    await clock.advance(1_000);
    failIn(supervisor, ...Array.from({ length: 15 }, (_, n) => `later ${n}`));
    supervisor.submit({ slot: 's', timeoutMs: 10, graceMs: 10, run: never });
    await clock.advance(1_000);
    const seen = await warnings();
    expect(seen).toHaveLength(20);
    const last = seen.filter(({ message }) => message.includes('is the last one of its supervisor'));
    expect(last).toEqual([seen[19]]);
    failIn(unwatched().supervisor, 'before 1');
    expect(await warnings()).toHaveLength(21);
  });
});

describe('an overrun that is held', () => {
  const HOLDS: TaskSpec = { slot: 'sync:1', timeoutMs: 50, graceMs: 100, run: never };

  test('is warned of once, besides the failures of its group', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    supervisor.submit({ ...FAILS, slot: 'sync:2' });
    supervisor.submit(HOLDS);
    supervisor.submit({ ...HOLDS, slot: 'sync:3' });
    await clock.advance(1_000);
    expect(await warnings()).toEqual([
      expect.objectContaining({ code: FAILURE }),
      {
        name: 'SlotvisorWarning',
        code: HELD,
        message:
          'The task "sync:1" has overrun its grace, and nothing watches it (attempt 1 was asked to stop 100 ms ago, and ' +
          'has not ended). Its slot stays busy until the body ends. To watch, call supervisor.subscribe(), or await the ' +
          'outcome. This warning comes once for slots of the group "sync". new Supervisor({ warnings: false }) turns ' +
          'it off.',
      },
    ]);
  });

  test('is warned of where a kill has failed', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    supervisor.submit({ ...HOLDS, run: { run: never, kill: fail } });
    await clock.advance(160);
    expect(codes(await warnings())).toEqual([HELD]);
  });

  test.for<[string, (world: World) => unknown, codes: string[]]>([
    ['a subscriber of overrun', ({ supervisor }) => supervisor.subscribe(() => {}, { types: ['overrun'] }), []],
    [
      'a subscriber of failures',
      ({ supervisor }) => supervisor.subscribe(() => {}, { types: ['attemptTimedOut'] }),
      [HELD],
    ],
  ])('is watched or not by %s', async ([, watch, expected]) => {
    const warnings = recordWarnings();
    const world = unwatched();
    watch(world);
    world.supervisor.submit(HOLDS);
    await world.clock.advance(1_000);
    expect(codes(await warnings())).toEqual(expected);
  });

  test('is watched by an outcome that was asked for', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    void supervisor.submit(HOLDS).outcome;
    await clock.advance(1_000);
    expect(codes(await warnings())).toEqual([]);
  });

  test('is not one where the body is killed or abandoned', async () => {
    const warnings = recordWarnings();
    const { supervisor, clock } = unwatched();
    const spec = { ...HOLDS, restart: 'never' } as const;
    supervisor.subscribe(() => {}, { types: ['attemptTimedOut'] });
    supervisor.submit({ ...spec, onOverrun: 'abandon' });
    supervisor.submit({ ...spec, slot: 'killed', run: { run: never, kill: () => {} } });
    await clock.advance(1_000);
    expect(codes(await warnings())).toEqual([]);
  });
});

describe('the memory of a failure', () => {
  test('is free once its turn is over, warned of or not', async () => {
    const { supervisor, clock } = unwatched();
    const errors: WeakRef<object>[] = [];
    const bodies: WeakRef<object>[] = [];
    const submit = (watch: boolean): void => {
      const run = (): never => {
        const error = new Error('boom');
        errors.push(new WeakRef(error));
        throw error;
      };
      bodies.push(new WeakRef(run));
      const submission = supervisor.submit({ restart: 'never', run });
      if (watch) void submission.outcome;
    };
    for (const watch of [false, true, false]) submit(watch);
    await clock.settle();
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect([...errors, ...bodies].map((ref) => ref.deref())).toEqual(Array.from({ length: 6 }, () => undefined));
  });

  test('a success looks at nothing: no turn of the event loop is asked for', async () => {
    const asked = vi.spyOn(globalThis, 'setImmediate');
    const { supervisor } = unwatched();
    const before = asked.mock.calls.length;
    for (let n = 0; n < 100; n += 1) supervisor.submit({ slot: `s:${n}`, run: () => 1 });
    for (let n = 0; n < 50; n += 1) await null;
    expect([supervisor.snapshot().totals.completed, asked.mock.calls.length - before]).toEqual([100, 0]);
  });
});

test('an emitWarning that was replaced and throws harms no task', async () => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {
    throw new Error('boom');
  });
  const { supervisor, clock } = unwatched();
  const submission = supervisor.submit({ slot: 's', backoff: CONSTANT_BACKOFF, maxRetries: 2, run: fail });
  await clock.advance(1_000);
  expect(await submission.outcome).toMatchObject({ kind: 'failed', attempts: 3 });
});
