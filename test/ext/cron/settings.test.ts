// Settings as they are kept. options.test.ts has the refusals.

import type { TaskContext } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import { readSettings, type Settings } from '../../../src/ext/cron/settings.ts';

const OWN = { name: 'schedule-1', slot: 'schedule-1-uuid' };
const task = { run: () => 1 };
const context = {} as TaskContext;

const read = (options: object, old?: Settings) => readSettings(options, OWN, () => old);
const specOf = (given: object, dueMs = 1_000) => read({ everyMs: 5, task: given }).settings.task.specFor(dueMs);
const call = (run: unknown) => (run as (ctx: TaskContext) => unknown)(context);

test('options that are left out have their defaults, and only the others are reported as given', () => {
  const { settings, given } = read({ cron: '@daily', task, maxRuns: undefined });
  const { task: _, random: __, ...plain } = settings;
  expect(plain).toEqual({
    name: undefined,
    claims: undefined,
    when: { kind: 'cron', value: '@daily' },
    timezone: undefined,
    startAt: -Infinity,
    endAt: Infinity,
    maxRuns: Infinity,
    jitterMs: 0,
    toleranceMs: 60_000,
    historySize: 20,
    onError: undefined,
    keep: 0,
  });
  expect(given).toEqual(new Set(['cron', 'task']));
});

test.for([
  ['skip', 0],
  ['once', 1],
  [{ catchUp: 1_000 }, 1_000],
] as const)('the missed policy %j runs this many of the dates that came due together: %d', ([missed, keep]) => {
  expect(read({ everyMs: 5, task, missed }).settings.keep).toBe(keep);
});

describe('a moment', () => {
  test.for<readonly [what: string, startAt: unknown, kept: number | string]>([
    ['a Date is kept as its ms', new Date(1_000), 1_000],
    ['a fraction of a ms is cut off', 1_000.9, 1_000],
    ['a fraction before the epoch is cut off towards it', -1.5, -1],
    ['text is kept for the time zone to read', '2030-01-01T00:00', '2030-01-01T00:00'],
    ['-Infinity means no start', -Infinity, -Infinity],
  ])('%s', ([, startAt, kept]) => {
    expect(read({ everyMs: 5, task, startAt }).settings.startAt).toBe(kept);
  });

  test('Infinity means no end', () => {
    expect(read({ everyMs: 5, task, endAt: Infinity }).settings.endAt).toBe(Infinity);
  });
});

describe('an update', () => {
  const old = read({ cron: '@daily', task, timezone: 'UTC', missed: 'once', jitterMs: 5 }).settings;

  test('keeps what it leaves out', () => {
    const { settings, given } = read({ jitterMs: 7 }, old);
    expect(settings).toEqual({ ...old, jitterMs: 7 });
    expect(given).toEqual(new Set(['jitterMs']));
  });

  test('replaces one kind of dates with another', () => {
    expect(read({ everyMs: 5 }, old).settings.when).toEqual({ kind: 'everyMs', value: 5 });
  });

  test('changes nothing of the old settings', () => {
    const before = { ...old };
    read({ everyMs: 5, missed: 'skip', task: { run: () => 2 } }, old);
    expect(old).toEqual(before);
  });
});

describe('the spec of a run', () => {
  test("has the schedule's own slot and name, and the admission policy dropIfRunning", () => {
    expect(specOf(task)).toMatchObject({ ...OWN, admission: 'dropIfRunning' });
  });

  test.for([{ slot: 'mine' }, { name: 'mine' }])('has no slot or name of the schedule beside %j', (given) => {
    const { run: _, ...spec } = specOf({ ...task, ...given });
    expect(spec).toEqual({ ...given, admission: 'dropIfRunning' });
  });

  test.for<readonly [given: object, slot: string, isNamed: boolean]>([
    [{}, OWN.slot, false],
    [{ name: 'n' }, 'n', true],
    [{ slot: 's' }, 's', true],
    [{ name: 'n', slot: 's' }, 's', true],
  ])('goes with its slot, and with whether it was given one: %j', ([given, slot, isNamed]) => {
    expect(read({ everyMs: 5, task: { ...task, ...given } }).settings.task).toMatchObject({ slot, isNamed });
  });

  test('has the admission policy that the task gives', () => {
    expect(specOf({ ...task, admission: 'queue' }).admission).toBe('queue');
  });

  test('passes the context and the due date to the body, a new Date for each attempt', () => {
    const run = vi.fn((_: unknown, due: Date) => due.setTime(0));
    const spec = specOf({ run }, 1_000);
    const dues = [1, 2].map(() => {
      const before = run.mock.calls.length;
      call(spec.run);
      return run.mock.calls[before]?.[1];
    });
    expect(run.mock.calls.map(([ctx]) => ctx)).toEqual([context, context]);
    expect(dues[0]).not.toBe(dues[1]);
    expect(run.mock.results.map(({ value }) => value)).toEqual([0, 0]);
  });

  test('calls run and kill of a killable body as its methods', () => {
    const seen: unknown[] = [];
    const body = {
      run(ctx: unknown, due: Date) {
        seen.push([this, ctx, due.getTime()]);
      },
      kill(ctx: unknown) {
        seen.push([this, ctx]);
      },
    };
    const { run } = specOf({ run: body }, 1_000) as { run: typeof body };
    run.run(context, undefined as never);
    run.kill(context);
    expect(seen).toEqual([
      [body, context, 1_000],
      [body, context],
    ]);
  });

  test.for<readonly [what: string, run: unknown]>([
    ['undefined', undefined],
    ['a number', 5],
    ['null', null],
    ['an object without kill', { run: () => 1 }],
  ])('passes on %s as a body, which the supervisor refuses', ([, run]) => {
    expect(specOf({ run }).run).toBe(run);
  });
});
