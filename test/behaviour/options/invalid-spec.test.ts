// A task spec with an invalid option.

import { backoffDelayMs, ClosedError, once, Supervisor, type SupervisorOptions, type TaskSpec } from 'slotvisor';
import { describe, expect, test, vi } from 'vitest';
import {
  ABOVE_ZERO,
  cases,
  DURATION,
  expectNothingAdmitted,
  expectOptionError,
  FINITE,
  FUNCTION,
  INFINITE,
  invalid,
  NO_COUNTS,
  NO_DURATIONS,
  NO_FUNCTIONS,
  NO_NAMES,
  NO_NUMBERS,
  NO_OBJECTS,
  NO_SIGNALS,
  NO_WORDS,
  OBJECT,
  optionErrorOf,
  type Row,
  row,
  titled,
  WHOLE,
  WORD,
  ZEROS,
} from '../../support/invalid-options.ts';
import { setup } from '../../support/setup.ts';

const BACKOFF: readonly Row[] = [
  row('backoff', OBJECT, NO_OBJECTS),
  row('backoff.firstMs', DURATION, NO_DURATIONS),
  row('backoff.firstMs', FINITE, INFINITE),
  row('backoff.factor', /must be a finite number, 1 or more/, NO_NUMBERS, INFINITE, ZEROS, [
    [0.99, '0.99'],
    [-2, '-2'],
  ]),
  row('backoff.maxMs', DURATION, NO_DURATIONS),
  row('backoff.floorMs', DURATION, NO_DURATIONS),
  row('backoff.floorMs', FINITE, INFINITE),
  row('backoff.jitter', WORD, NO_WORDS),
];

/** The options that a spec shares with `defaults`. */
const SETTINGS: readonly Row[] = [
  row('admission', WORD, NO_WORDS),
  row('restart', WORD, NO_WORDS),
  row('maxRetries', WHOLE, NO_COUNTS),
  ...BACKOFF,
  row('retryIf', FUNCTION, NO_FUNCTIONS),
  row('restartLimit', OBJECT, NO_OBJECTS),
  {
    ...row('restartLimit.restarts', WHOLE, NO_COUNTS),
    put: (restarts) => ({ restartLimit: { restarts, withinMs: 9 } }),
  },
  {
    ...row('restartLimit.withinMs', DURATION, NO_DURATIONS),
    put: (withinMs) => ({ restartLimit: { restarts: 1, withinMs } }),
  },
  {
    ...row('restartLimit.withinMs', ABOVE_ZERO, ZEROS),
    put: (withinMs) => ({ restartLimit: { restarts: 1, withinMs } }),
  },
  {
    ...row('restartLimit.restarts', /must be given/, [[undefined, 'undefined']]),
    put: () => ({ restartLimit: { withinMs: 1 } }),
  },
  {
    ...row('restartLimit.withinMs', /must be given/, [[undefined, 'undefined']]),
    put: () => ({ restartLimit: { restarts: 1 } }),
  },
  row('timeoutMs', DURATION, NO_DURATIONS),
  row('timeoutMs', ABOVE_ZERO, ZEROS),
  row('stallMs', DURATION, NO_DURATIONS),
  row('stallMs', ABOVE_ZERO, ZEROS),
  row('deadlineMs', DURATION, NO_DURATIONS),
  row('deadlineMs', ABOVE_ZERO, ZEROS),
  { ...row('intervalMs', DURATION, NO_DURATIONS), put: (intervalMs) => ({ restart: 'always', intervalMs }) },
  row('graceMs', DURATION, NO_DURATIONS),
  row('queueTimeoutMs', DURATION, NO_DURATIONS),
  row('onOverrun', WORD, NO_WORDS),
  row('onShutdown', WORD, NO_WORDS),
  row('shutdownStage', /must be a whole number/, NO_NUMBERS, INFINITE, [[0.5, '0.5']]),
  row('priority', FINITE, NO_NUMBERS, INFINITE),
];

const SPEC: readonly Row[] = [
  ...SETTINGS,
  row('name', /must (be a string|not be empty|be at most 1024 characters)/, NO_NAMES),
  row('slot', /must (be a string|not be empty|be at most 1024 characters)/, NO_NAMES),
  row('vital', /must be true or false/, [
    [null, 'null'],
    [1, '1'],
    ['true', '"true"'],
  ]),
  row('signal', /must be an AbortSignal/, NO_SIGNALS),
  row('state', FUNCTION, NO_FUNCTIONS),
  row('run', /must be a function, or an object with run and kill functions/, [
    [undefined, 'undefined'],
    [null, 'null'],
    ['run', '"run"'],
    [5, '5'],
    [5n, '5n'],
  ]),
  { ...row('run.run', FUNCTION, NO_FUNCTIONS), put: (run) => ({ run: { run, kill: () => {} } }) },
  {
    ...row('run.kill', FUNCTION, NO_FUNCTIONS, [[undefined, 'undefined']]),
    put: (kill) => ({ run: { run: () => {}, kill } }),
  },
];

describe('an invalid option of a task spec', () => {
  test.each(cases(SPEC))(
    'submit() with $field of $shown throws, names field, rule and value, and admits nothing',
    async ({ field, rule, put, one }) => {
      const { supervisor, clock, recorded } = setup();
      const spec = { run: () => 'never', ...(put(one[0]) as object) };
      expectOptionError(
        optionErrorOf(() => supervisor.submit(invalid<TaskSpec>(spec))),
        field,
        rule,
        one,
      );
      await clock.settle();
      expectNothingAdmitted(supervisor);
      expect(recorded.events).toEqual([]);
      expect(clock.timers).toBe(0);
    },
  );

  test.each(cases(SETTINGS))('the constructor throws for defaults.$field of $shown', ({ field, rule, put, one }) => {
    expectOptionError(
      optionErrorOf(() => new Supervisor(invalid<SupervisorOptions>({ defaults: put(one[0]) }))),
      `defaults.${field}`,
      rule,
      one,
    );
  });

  test.each(cases(BACKOFF))('backoffDelayMs() throws for $field of $shown', ({ field, rule, put, one }) => {
    const { backoff } = put(one[0]) as { backoff: never };
    expectOptionError(
      optionErrorOf(() => backoffDelayMs(backoff, 0)),
      field,
      rule,
      one,
    );
  });

  test.each(titled(NO_OBJECTS))('submit() throws for a spec that is $shown', ({ value, shown }) => {
    const { supervisor } = setup();
    expectOptionError(
      optionErrorOf(() => supervisor.submit(invalid<TaskSpec>(value))),
      'spec',
      OBJECT,
      [value, shown],
    );
    expectNothingAdmitted(supervisor);
  });

  test.each([
    ['timoutMs', 'timeoutMs'],
    ['retryif', 'retryIf'],
    ['backof', 'backoff'],
    ['Slot', 'slot'],
    ['prioritY', 'priority'],
  ])('the error for the unknown key %s names the nearest known key %s', (key, nearest) => {
    const { supervisor } = setup();
    const error = optionErrorOf(() => supervisor.submit(invalid<TaskSpec>({ run: () => 1, [key]: 5 })));
    expect(error.field).toBe(key);
    expect(error.message).toContain(`${key} is not an option`);
    expect(error.message).toMatch(new RegExp(`did you mean ${nearest}\\?|known: .*${nearest}`));
    expectNothingAdmitted(supervisor);
  });

  test('an unknown key with the value undefined is an error, and without a similar key the error lists all keys', () => {
    const { supervisor } = setup();
    const error = optionErrorOf(() => supervisor.submit(invalid<TaskSpec>({ run: () => 1, somethingElse: undefined })));
    expect(error.field).toBe('somethingElse');
    expect(error.message).toMatch(/known: .*run.*timeoutMs.*meta/);
    const own = optionErrorOf(() => supervisor.submit(invalid<TaskSpec>(JSON.parse('{"run":1,"__proto__":{}}'))));
    expect(own.field).toMatch(/^(__proto__|run)$/);
  });

  test('the error for an unknown key of backoff or restartLimit has its path', () => {
    const { supervisor } = setup();
    const backoff = optionErrorOf(() => supervisor.submit(invalid<TaskSpec>({ run: () => 1, backoff: { first: 1 } })));
    expect([backoff.field, backoff.message]).toEqual([
      'backoff.first',
      expect.stringContaining('did you mean firstMs?'),
    ]);
    const limit = optionErrorOf(() =>
      supervisor.submit(invalid<TaskSpec>({ run: () => 1, restartLimit: { restart: 1 } })),
    );
    expect([limit.field, limit.message]).toEqual([
      'restartLimit.restart',
      expect.stringContaining('did you mean restarts?'),
    ]);
  });

  test.each([undefined, 'never', 'onFailure'] as const)('intervalMs with restart %s is an error', (restart) => {
    const { supervisor } = setup();
    const error = optionErrorOf(() => supervisor.submit({ run: () => 1, restart, intervalMs: 10 }));
    expectOptionError(error, 'intervalMs', /needs restart 'always'/, [10, '10']);
    expectNothingAdmitted(supervisor);
    const inDefaults = optionErrorOf(() => new Supervisor({ defaults: { restart, intervalMs: 10 } }));
    expectOptionError(inDefaults, 'defaults.intervalMs', /needs restart 'always'/, [10, '10']);
  });

  test('a firstMs greater than maxMs is an error, and without maxMs it may exceed the default of 30,000', () => {
    const { supervisor } = setup();
    const error = optionErrorOf(() => supervisor.submit({ run: () => 1, backoff: { firstMs: 11, maxMs: 10 } }));
    expectOptionError(error, 'backoff.firstMs', /must be at most maxMs \(10\)/, [11, '11']);
    expectNothingAdmitted(supervisor);
    expect(backoffDelayMs({ firstMs: 40_000, jitter: 'none' }, 5)).toBe(40_000);
  });
});

describe('a spec whose slot is undefined', () => {
  const TEXT = 'slot must be a string; leave it out for a slot of its own, got undefined';
  const lost = invalid<TaskSpec>({ run: () => 1, slot: undefined });
  const fromGetter = {
    run: () => 1,
    name: 'n',
    get slot(): string {
      return invalid<string>(undefined);
    },
  };
  test.each<readonly [call: string, (to: Supervisor) => unknown]>([
    ['submit()', (to) => to.submit(lost)],
    ['submit() with a getter', (to) => to.submit(fromGetter)],
    [
      'submit() with what once() made of it',
      (to) => to.submit(once(() => 1, invalid<{ slot: string }>({ slot: undefined }))),
    ],
    ['check()', (to) => to.check(lost)],
  ])('is refused by %s', (_, call) => {
    const { supervisor } = setup();
    expect(optionErrorOf(() => call(supervisor)).message).toBe(TEXT);
    expectNothingAdmitted(supervisor);
  });

  test('is refused by submitAll(), which names the entry', () => {
    const { supervisor } = setup();
    const error = optionErrorOf(() => supervisor.submitAll([{ run: () => 1 }, lost]));
    expect(error.message).toBe(`specs[1].${TEXT}`);
    expectNothingAdmitted(supervisor);
  });

  test('is refused by run()', async () => {
    const { supervisor } = setup();
    await expect(supervisor.run([lost], { signals: false })).rejects.toThrow(TEXT);
    expectNothingAdmitted(supervisor);
  });

  test('is accepted where the slot is only inherited, as any inherited option', () => {
    const { supervisor } = setup();
    const spec = Object.assign(Object.create({ slot: undefined }), { run: () => 1 });
    const { slot, id } = supervisor.submit(invalid<TaskSpec>(spec));
    expect(slot).toBe(id);
  });
});

test.each([{ queueLimit: 5 }, { onFull: 'reject' }])(
  '%o in a spec, in defaults or in the options of a supervisor is refused with its places',
  (given) => {
    const { supervisor } = setup();
    const [field = ''] = Object.keys(given);
    const errors = [
      optionErrorOf(() => supervisor.submit(invalid<TaskSpec>({ run: () => 1, ...given }))),
      optionErrorOf(() => new Supervisor(invalid({ defaults: given }))),
      optionErrorOf(() => new Supervisor(invalid(given))),
    ];
    expect(errors.map((error) => error.field)).toEqual([field, `defaults.${field}`, field]);
    for (const { message } of errors)
      expect(message).toContain(
        'is not an option (a slot has it: set it in slots, in slotDefaults or with slot.configure)',
      );
  },
);

describe('submitAll() with an invalid entry', () => {
  test('submitAll() validates every entry before it admits one', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = vi.fn();
    const error = optionErrorOf(() =>
      supervisor.submitAll([{ run: body }, { run: body, slot: 's' }, { run: body, timeoutMs: -1 }]),
    );
    expectOptionError(error, 'specs[2].timeoutMs', DURATION, [-1, '-1']);
    await clock.settle();
    expect(body).not.toHaveBeenCalled();
    expect(recorded.events).toEqual([]);
    expectNothingAdmitted(supervisor);
    expect(supervisor.submit({ run: body }).id).toMatch(/-1$/);
  });

  test.each([[null], [undefined], [5], ['ab'], [{ length: 1 }], [new Set()], [() => []]])(
    'submitAll() throws for %o, which is no array',
    (value) => {
      const { supervisor } = setup();
      const error = optionErrorOf(() => supervisor.submitAll(invalid<TaskSpec[]>(value)));
      expect([error.field, error.message]).toEqual(['specs', expect.stringContaining('must be an array')]);
    },
  );

  test('submitAll() treats a hole in the array as a spec that is no object', () => {
    const { supervisor } = setup();
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
    const specs = invalid<TaskSpec[]>([{ run: () => 1 }, , { run: () => 1 }]);
    expect(optionErrorOf(() => supervisor.submitAll(specs)).field).toBe('specs[1]');
    expectNothingAdmitted(supervisor);
  });
});

describe('supervisor.check()', () => {
  test.each([
    ...SPEC.map(({ field, put, wrong }) => ({ field, given: put(wrong[0]?.[0]) as object })),
    { field: 'spec', given: null },
    { field: 'somethingElse', given: { somethingElse: 1 } },
    { field: 'intervalMs', given: { intervalMs: 10 } },
  ])('check() throws the same error as submit() for an invalid $field', ({ given }) => {
    const { supervisor } = setup();
    const spec = invalid<TaskSpec>(given && { run: () => 1, ...given });
    const { field, message, got } = optionErrorOf(() => supervisor.submit(spec));
    const error = optionErrorOf(() => supervisor.check(spec));
    expect([error.field, error.message, error.got]).toEqual([field, message, got]);
  });

  test('check() of a valid spec reads it once, with the defaults, and admits nothing', async () => {
    const { supervisor, clock, recorded } = setup({ defaults: { restart: 'always' }, limits: { pending: 0 } });
    const run = vi.fn();
    const reads = vi.fn(() => run);
    const spec = Object.defineProperty({ slot: 's', intervalMs: 5, signal: AbortSignal.abort() }, 'run', {
      enumerable: true,
      get: reads,
    });
    expect(supervisor.check(invalid<TaskSpec>(spec))).toBeUndefined();
    expect(reads).toHaveBeenCalledTimes(1);
    await clock.settle();
    expectNothingAdmitted(supervisor);
    expect([run.mock.calls, recorded.events, clock.timers]).toEqual([[], [], 0]);
    expect(supervisor.submit({ run: () => 1, restart: 'never' }).id).toMatch(/-1$/);
  });

  test('check() throws ClosedError after the start of a shutdown, even by a getter of the spec', () => {
    const { supervisor } = setup();
    const closing = {
      get run(): () => void {
        void supervisor.shutdown();
        return () => {};
      },
    };
    expect(() => supervisor.check(closing)).toThrow(ClosedError);
    expect(() => supervisor.check(invalid<TaskSpec>(5))).toThrow(ClosedError);
  });
});
