import {
  type Backoff,
  backoffDelayMs,
  CanceledError,
  ClosedError,
  OptionError,
  type Outcome,
  type SlotOptions,
  Supervisor,
  type SupervisorOptions,
  type TaskSpec,
} from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { gateBody } from '../support/gate.ts';
import { setup } from '../support/setup.ts';

/** Bad values travel as unknown: the compiler would refuse most of them before the library can. */
type Wrong = readonly [value: unknown, shown: string];

const WRONG_TYPES: readonly Wrong[] = [
  ['5', '"5"'],
  [null, 'null'],
  [5n, '5n'],
  [true, 'true'],
  [Symbol('five'), 'Symbol(five)'],
  [{}, 'an object'],
  [[5], 'an array'],
  [() => 5, 'a function'],
];
const NO_NUMBERS: readonly Wrong[] = [...WRONG_TYPES, [NaN, 'NaN']];
const NO_DURATIONS: readonly Wrong[] = [...NO_NUMBERS, [-1, '-1'], [-0.5, '-0.5'], [-Infinity, '-Infinity']];
const NO_COUNTS: readonly Wrong[] = [...NO_DURATIONS, [1.5, '1.5'], [2 ** 53, String(2 ** 53)]];
const ZEROS: readonly Wrong[] = [
  [0, '0'],
  [-0, '-0'],
];
const INFINITE: readonly Wrong[] = [[Infinity, 'Infinity']];
const NO_FUNCTIONS: readonly Wrong[] = [
  ['f', '"f"'],
  [null, 'null'],
  [5, '5'],
  [5n, '5n'],
  [{}, 'an object'],
  [[], 'an array'],
];
const NO_OBJECTS: readonly Wrong[] = [
  ['x', '"x"'],
  [null, 'null'],
  [5, '5'],
  [5n, '5n'],
  [[], 'an array'],
  [() => ({}), 'a function'],
];
const NO_WORDS: readonly Wrong[] = [
  ['nonsense', '"nonsense"'],
  ['', '""'],
  ['Queue', '"Queue"'],
  [null, 'null'],
  [5, '5'],
  [['queue'], 'an array'],
];
const NO_NAMES: readonly Wrong[] = [
  ['', '""'],
  ['n'.repeat(1_025), JSON.stringify(`${'n'.repeat(60)}…`)],
  ['n'.repeat(10_000), JSON.stringify(`${'n'.repeat(60)}…`)],
  [null, 'null'],
  [5, '5'],
  [5n, '5n'],
  [{}, 'an object'],
  [['s'], 'an array'],
];
const NO_SIGNALS: readonly Wrong[] = [
  ['abort', '"abort"'],
  [null, 'null'],
  [5, '5'],
  [{}, 'an object'],
  [{ aborted: false }, 'an object'],
  [() => {}, 'a function'],
];

interface Row {
  readonly rule: RegExp;
  readonly field: string;
  readonly wrong: readonly Wrong[];
  /** Lays the value where the field's name says. */
  readonly put: (value: unknown) => unknown;
}

function row(field: string, rule: RegExp, ...wrong: (readonly Wrong[])[]): Row {
  return { field, rule, wrong: wrong.flat(), put: (value) => nested(field.split('.'), value) };
}

function nested([key = '', ...rest]: string[], value: unknown): unknown {
  return { [key]: rest.length === 0 ? value : nested(rest, value) };
}

function refusal(call: () => unknown): OptionError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError);
    return error as OptionError;
  }
  throw new Error('it was accepted');
}

function checkRefusal(error: OptionError, field: string, rule: RegExp, [value, shown]: Wrong): void {
  expect(error.field).toBe(field);
  expect(Object.is(error.got, value)).toBe(true);
  expect(error).toBeInstanceOf(TypeError);
  expect(error.name).toBe('OptionError');
  expect(error.message.startsWith(`${field} `)).toBe(true);
  expect(error.message).toMatch(rule);
  expect(error.message.endsWith(`got ${shown}`)).toBe(true);
}

function expectNothingKept(supervisor: Supervisor): void {
  const { totals, slots, running, queued } = supervisor.snapshot();
  expect(Object.values(totals).every((count) => count === 0)).toBe(true);
  expect({ slots, running, queued }).toEqual({ slots: [], running: 0, queued: 0 });
  expect(supervisor.tasks()).toEqual([]);
}

/** Titles hold the value as text: a test's name must not depend on what can be printed. */
const titled = (wrong: readonly Wrong[]) => wrong.map(([value, shown]) => ({ value, shown }));
const cases = (rows: readonly Row[]) =>
  rows.flatMap(({ wrong, ...rest }) => wrong.map((one) => ({ ...rest, one, shown: one[1] })));

const bad = <T>(value: unknown): T => value as T;

const DURATION = /must be a number of ms, 0 or more/;
const ABOVE_ZERO = /must be more than 0 ms/;
const WHOLE = /must be a whole number/;
const FINITE = /must be (a )?finite/;
const FUNCTION = /must be a function/;
const OBJECT = /must be an object/;
const WORD = /must be one of '/;

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

/** What a spec shares with `defaults`. */
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
  row('priority', FINITE, NO_NUMBERS, INFINITE),
];

const SPEC: readonly Row[] = [
  ...SETTINGS,
  row('name', /must (be a string|not be empty|be at most 1024 characters)/, NO_NAMES),
  row('slot', /must (be a string|not be empty|be at most 1024 characters)/, NO_NAMES),
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

const SLOT: readonly Row[] = [
  row('admission', WORD, NO_WORDS),
  row('queueLimit', WHOLE, NO_COUNTS),
  row('onFull', WORD, NO_WORDS),
];

describe('a task spec with a bad option', () => {
  test.each(cases(SPEC))(
    'submit refuses $field of $shown, names field, rule and value, and keeps nothing',
    async ({ field, rule, put, one }) => {
      const { supervisor, clock, recorded } = setup();
      const spec = { run: () => 'never', ...(put(one[0]) as object) };
      checkRefusal(
        refusal(() => supervisor.submit(bad<TaskSpec>(spec))),
        field,
        rule,
        one,
      );
      await clock.settle();
      expectNothingKept(supervisor);
      expect(recorded.events).toEqual([]);
      expect(clock.timers).toBe(0);
    },
  );

  test.each(cases(SETTINGS))('defaults.$field of $shown is refused by the constructor', ({ field, rule, put, one }) => {
    checkRefusal(
      refusal(() => new Supervisor(bad<SupervisorOptions>({ defaults: put(one[0]) }))),
      `defaults.${field}`,
      rule,
      one,
    );
  });

  test.each(cases(BACKOFF))('backoffDelayMs refuses $field of $shown', ({ field, rule, put, one }) => {
    const { backoff } = put(one[0]) as { backoff: never };
    checkRefusal(
      refusal(() => backoffDelayMs(backoff, 0)),
      field,
      rule,
      one,
    );
  });

  test.each(titled(NO_OBJECTS))('a spec that is $shown is refused', ({ value, shown }) => {
    const { supervisor } = setup();
    checkRefusal(
      refusal(() => supervisor.submit(bad<TaskSpec>(value))),
      'spec',
      OBJECT,
      [value, shown],
    );
    expectNothingKept(supervisor);
  });

  test.each([
    ['timoutMs', 'timeoutMs'],
    ['retryif', 'retryIf'],
    ['backof', 'backoff'],
    ['Slot', 'slot'],
    ['prioritY', 'priority'],
  ])('an unknown key %s is refused with the nearest known name %s', (key, nearest) => {
    const { supervisor } = setup();
    const error = refusal(() => supervisor.submit(bad<TaskSpec>({ run: () => 1, [key]: 5 })));
    expect(error.field).toBe(key);
    expect(error.message).toContain(`${key} is not an option`);
    expect(error.message).toMatch(new RegExp(`did you mean ${nearest}\\?|known: .*${nearest}`));
    expectNothingKept(supervisor);
  });

  test('an unknown key is refused even when its value is undefined, and one like no other with the list of all', () => {
    const { supervisor } = setup();
    const error = refusal(() => supervisor.submit(bad<TaskSpec>({ run: () => 1, somethingElse: undefined })));
    expect(error.field).toBe('somethingElse');
    expect(error.message).toMatch(/known: .*run.*timeoutMs.*meta/);
    const own = refusal(() => supervisor.submit(bad<TaskSpec>(JSON.parse('{"run":1,"__proto__":{}}'))));
    expect(own.field).toMatch(/^(__proto__|run)$/);
  });

  test('unknown keys of backoff and restartLimit are refused with their path', () => {
    const { supervisor } = setup();
    const backoff = refusal(() => supervisor.submit(bad<TaskSpec>({ run: () => 1, backoff: { first: 1 } })));
    expect([backoff.field, backoff.message]).toEqual([
      'backoff.first',
      expect.stringContaining('did you mean firstMs?'),
    ]);
    const limit = refusal(() => supervisor.submit(bad<TaskSpec>({ run: () => 1, restartLimit: { restart: 1 } })));
    expect([limit.field, limit.message]).toEqual([
      'restartLimit.restart',
      expect.stringContaining('did you mean restarts?'),
    ]);
  });

  test.each([undefined, 'never', 'onFailure'] as const)('intervalMs with restart %s is refused', (restart) => {
    const { supervisor } = setup();
    const error = refusal(() => supervisor.submit({ run: () => 1, restart, intervalMs: 10 }));
    checkRefusal(error, 'intervalMs', /needs restart 'always'/, [10, '10']);
    expectNothingKept(supervisor);
    const inDefaults = refusal(() => new Supervisor({ defaults: { restart, intervalMs: 10 } }));
    checkRefusal(inDefaults, 'defaults.intervalMs', /needs restart 'always'/, [10, '10']);
  });

  test('firstMs greater than maxMs is refused, also against the default of 30,000', () => {
    const { supervisor } = setup();
    const error = refusal(() => supervisor.submit({ run: () => 1, backoff: { firstMs: 11, maxMs: 10 } }));
    checkRefusal(error, 'backoff.firstMs', /must be at most maxMs \(10\)/, [11, '11']);
    expectNothingKept(supervisor);
    expect(backoffDelayMs({ firstMs: 40_000, jitter: 'none' }, 5)).toBe(40_000);
  });
});

describe('slot options', () => {
  test.each(cases(SLOT))(
    '$field of $shown is refused by configure, slotDefaults and slots, and the slot stays as it was',
    async ({ field, rule, put, one }) => {
      const { supervisor } = setup({ slotDefaults: { queueLimit: 1 } });
      const slot = supervisor.slot('s');
      const options = bad<SlotOptions>(put(one[0]));
      checkRefusal(
        refusal(() => slot.configure({ queueLimit: 5, onFull: 'reject', ...options })),
        field,
        rule,
        one,
      );
      checkRefusal(
        refusal(() => new Supervisor({ slotDefaults: options })),
        `slotDefaults.${field}`,
        rule,
        one,
      );
      checkRefusal(
        refusal(() => new Supervisor({ slots: { orders: options } })),
        `slots.orders.${field}`,
        rule,
        one,
      );
      const gate = gateBody();
      const admissions = [1, 2, 3].map(() => slot.submit({ run: gate.body }).admission);
      expect(admissions).toEqual(['started', 'queued', 'rejected']);
    },
  );

  test.each(titled(NO_OBJECTS))('options that are $shown are refused', ({ value, shown }) => {
    const { supervisor } = setup();
    checkRefusal(
      refusal(() => supervisor.slot('s').configure(bad<SlotOptions>(value))),
      'options',
      OBJECT,
      [value, shown],
    );
    checkRefusal(
      refusal(() => new Supervisor(bad<SupervisorOptions>({ slots: { s: value } }))),
      'slots.s',
      OBJECT,
      [value, shown],
    );
  });

  test('an unknown key is refused with the nearest known name', () => {
    const { supervisor } = setup();
    const error = refusal(() => supervisor.slot('s').configure(bad<SlotOptions>({ queuelimit: 5 })));
    expect([error.field, error.message]).toEqual(['queuelimit', expect.stringContaining('did you mean queueLimit?')]);
  });

  test.each(titled(NO_NAMES))('a slot handle named $shown is refused', ({ value, shown }) => {
    const { supervisor } = setup();
    checkRefusal(
      refusal(() => supervisor.slot(bad<string>(value))),
      'slot',
      /must (be a string|not be empty|be at most 1024 characters)/,
      [value, shown],
    );
    expectNothingKept(supervisor);
  });

  test('the constructor refuses an empty or too long slot name', () => {
    for (const name of ['', 'n'.repeat(1_025)])
      expect(refusal(() => new Supervisor({ slots: { [name]: {} } })).message).toMatch(
        /must (not be empty|be at most)/,
      );
  });

  test('a spec given to a handle must not name a slot; slot: undefined is absent', async () => {
    const { supervisor } = setup();
    const error = refusal(() => supervisor.slot('s').submit(bad<TaskSpec>({ slot: 'other', run: () => 1 })));
    expect(error.field).toBe('slot');
    expectNothingKept(supervisor);
    const absent = supervisor.slot('s').submit(bad<TaskSpec>({ slot: undefined, run: () => 1 }));
    expect(absent.slot).toBe('s');
    expect(await absent.value()).toBe(1);
  });
});

const SUPERVISOR: readonly Row[] = [
  row('defaults', OBJECT, NO_OBJECTS),
  row('slots', OBJECT, NO_OBJECTS),
  row('slotDefaults', OBJECT, NO_OBJECTS),
  row('concurrency', WHOLE, NO_COUNTS, ZEROS),
  row('rate', OBJECT, NO_OBJECTS),
  {
    ...row('rate.limit', /must be given/, [[undefined, 'undefined']]),
    put: (limit) => ({ rate: { limit, intervalMs: 9 } }),
  },
  {
    ...row('rate.limit', WHOLE, NO_COUNTS, ZEROS),
    put: (limit) => ({ rate: { limit, intervalMs: 9 } }),
  },
  {
    ...row('rate.intervalMs', /must be given/, [[undefined, 'undefined']]),
    put: (intervalMs) => ({ rate: { limit: 1, intervalMs } }),
  },
  { ...row('rate.intervalMs', DURATION, NO_DURATIONS), put: (intervalMs) => ({ rate: { limit: 1, intervalMs } }) },
  { ...row('rate.intervalMs', ABOVE_ZERO, ZEROS), put: (intervalMs) => ({ rate: { limit: 1, intervalMs } }) },
  {
    ...row('rate.intervalMs', /must be at most 2147483647/, INFINITE, [[2 ** 31, '2147483648']]),
    put: (intervalMs) => ({ rate: { limit: 1, intervalMs } }),
  },
  row('graceMs', DURATION, NO_DURATIONS),
  row('subscriberGraceMs', DURATION, NO_DURATIONS),
  row('limits', OBJECT, NO_OBJECTS),
  row('limits.slots', WHOLE, NO_COUNTS),
  row('limits.pending', WHOLE, NO_COUNTS),
  row('deadFraction', /must be a number from 0 to 1/, NO_NUMBERS, [
    [-0.1, '-0.1'],
    [1.1, '1.1'],
    [-Infinity, '-Infinity'],
  ]),
  row('clock', OBJECT, [
    [null, 'null'],
    [5, '5'],
    ['clock', '"clock"'],
  ]),
  {
    ...row('clock.now', FUNCTION, NO_FUNCTIONS),
    put: (now) => ({ clock: { wallNow: Date.now, setTimer: () => {}, now } }),
  },
  {
    ...row('clock.wallNow', FUNCTION, NO_FUNCTIONS),
    put: (wallNow) => ({ clock: { now: Date.now, setTimer: () => {}, wallNow } }),
  },
  {
    ...row('clock.setTimer', FUNCTION, NO_FUNCTIONS),
    put: (setTimer) => ({ clock: { now: Date.now, wallNow: Date.now, setTimer } }),
  },
  row('random', FUNCTION, NO_FUNCTIONS),
  row('leases', OBJECT, [
    [null, 'null'],
    [5, '5'],
    ['store', '"store"'],
  ]),
  row('leases.acquire', FUNCTION, NO_FUNCTIONS, [[undefined, 'undefined']]),
  { ...row('leases.close', FUNCTION, NO_FUNCTIONS), put: (close) => ({ leases: { acquire: () => null, close } }) },
  row('aroundAttempt', FUNCTION, NO_FUNCTIONS),
];

describe('supervisor options', () => {
  test.each(cases(SUPERVISOR))(
    '$field of $shown is refused, naming field, rule and value',
    ({ field, rule, put, one }) => {
      checkRefusal(
        refusal(() => new Supervisor(bad<SupervisorOptions>(put(one[0])))),
        field,
        rule,
        one,
      );
    },
  );

  test.each(titled(NO_OBJECTS))('options that are $shown are refused', ({ value, shown }) => {
    checkRefusal(
      refusal(() => new Supervisor(bad<SupervisorOptions>(value))),
      'options',
      OBJECT,
      [value, shown],
    );
  });

  test.each([
    [{ concurency: 1 }, 'concurency', 'concurrency'],
    [{ rate: { limit: 1, intervalms: 1 } }, 'rate.intervalms', 'intervalMs'],
    [{ limits: { slot: 1 } }, 'limits.slot', 'slots'],
    [{ defaults: { timeoutMS: 1 } }, 'defaults.timeoutMS', 'timeoutMs'],
    [{ slotDefaults: { onfull: 'reject' } }, 'slotDefaults.onfull', 'onFull'],
  ])('an unknown key in %j is refused with the nearest known name', (options, field, nearest) => {
    const error = refusal(() => new Supervisor(bad<SupervisorOptions>(options)));
    expect([error.field, error.message]).toEqual([field, expect.stringContaining(`did you mean ${nearest}?`)]);
  });

  test.each(['run', 'name', 'slot', 'signal', 'state', 'meta'])('defaults cannot hold %s', (key) => {
    const error = refusal(() => new Supervisor(bad<SupervisorOptions>({ defaults: { [key]: undefined } })));
    expect(error.field).toBe(`defaults.${key}`);
  });

  test('every option given as undefined is absent', async () => {
    const names = [
      'defaults',
      'slots',
      'slotDefaults',
      'concurrency',
      'rate',
      'graceMs',
      'subscriberGraceMs',
      'limits',
    ];
    const more = ['deadFraction', 'clock', 'random', 'leases', 'aroundAttempt'];
    const options = Object.fromEntries([...names, ...more].map((name) => [name, undefined]));
    expect(await new Supervisor(options).submit({ run: () => 7 }).value()).toBe(7);
  });
});

describe('options of calls', () => {
  test.each([
    row('capacity', WHOLE, NO_COUNTS, ZEROS),
    row('types', /must be an array of event types/, [
      ['started', '"started"'],
      [null, 'null'],
      [5, '5'],
      [{}, 'an object'],
    ]),
    row('signal', /must be an AbortSignal/, NO_SIGNALS),
    row('options', OBJECT, NO_OBJECTS),
  ])('subscribe and events refuse bad $field', ({ field, rule, wrong }) => {
    const { supervisor } = setup();
    for (const one of wrong) {
      const options = bad<never>(field === 'options' ? one[0] : { [field]: one[0] });
      checkRefusal(
        refusal(() => supervisor.subscribe(() => {}, options)),
        field,
        rule,
        one,
      );
      checkRefusal(
        refusal(() => supervisor.events(options)),
        field,
        rule,
        one,
      );
    }
  });

  test('subscribe refuses an unknown event type by its place, an unknown key, and a subscriber that is none', () => {
    const { supervisor } = setup();
    const type = refusal(() => supervisor.subscribe(() => {}, bad<never>({ types: ['started', 'strated'] })));
    checkRefusal(type, 'types[1]', WORD, ['strated', '"strated"']);
    const key = refusal(() => supervisor.subscribe(() => {}, bad<never>({ capacty: 5 })));
    expect([key.field, key.message]).toEqual(['capacty', expect.stringContaining('did you mean capacity?')]);
    for (const subscriber of [null, undefined, 5, 'x'])
      expect(refusal(() => supervisor.subscribe(bad<() => void>(subscriber))).field).toBe('subscriber');
    for (const subscriber of [{}, { onEvent: 5 }])
      expect(refusal(() => supervisor.subscribe(bad<() => void>(subscriber))).field).toBe('subscriber.onEvent');
    expect(refusal(() => supervisor.subscribe(bad<never>({ name: 5, onEvent: () => {} }))).field).toBe(
      'subscriber.name',
    );
  });

  test.each(titled(NO_DURATIONS))('shutdown refuses graceMs of $shown and does not begin', async ({ value, shown }) => {
    const { supervisor } = setup();
    checkRefusal(
      refusal(() => supervisor.shutdown(bad<never>({ graceMs: value }))),
      'graceMs',
      DURATION,
      [value, shown],
    );
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test('shutdown refuses an unknown key, an unreadable option and what is no object, and does not begin', () => {
    const { supervisor } = setup();
    expect(refusal(() => supervisor.shutdown(bad<never>({ grace: 5 }))).message).toContain('did you mean graceMs?');
    for (const [value, shown] of NO_OBJECTS)
      checkRefusal(
        refusal(() => supervisor.shutdown(bad<never>(value))),
        'options',
        OBJECT,
        [value, shown],
      );
    expect(refusal(() => supervisor.shutdown(throwingGetter('graceMs'))).message).toMatch(/^graceMs must be readable/);
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test.each([
    [{ signals: 'SIGINT' }, 'signals'],
    [{ signals: null }, 'signals'],
    [{ signals: true }, 'signals'],
    [{ signals: [5] }, 'signals[0]'],
    [{ signals: ['SIGINT', 'SIGNONE'] }, 'signals[1]'],
    [{ signals: ['SIGKILL'] }, 'signals[0]'], // the platform lets nobody listen to it
    [{ signal: [] }, 'signal'],
    [null, 'options'],
    [5, 'options'],
  ])('run refuses the options %j before anything is admitted', async (options, field) => {
    const { supervisor, clock } = setup();
    const body = vi.fn();
    const error = await supervisor.run([{ run: body }], bad<never>(options)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OptionError);
    expect((error as OptionError).field).toBe(field);
    await clock.settle();
    expect(body).not.toHaveBeenCalled();
    expectNothingKept(supervisor);
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test('backoffDelayMs refuses a bad index, previous delay and random', () => {
    for (const one of [...NO_COUNTS])
      checkRefusal(
        refusal(() => backoffDelayMs({}, bad<number>(one[0]))),
        'retryIndex',
        WHOLE,
        one,
      );
    for (const one of NO_DURATIONS)
      checkRefusal(
        refusal(() => backoffDelayMs({}, 0, Math.random, bad<number>(one[0]))),
        'previousMs',
        DURATION,
        one,
      );
    for (const one of NO_FUNCTIONS)
      checkRefusal(
        refusal(() => backoffDelayMs({}, 0, bad<() => number>(one[0]))),
        'random',
        FUNCTION,
        one,
      );
  });
});

describe('submitAll', () => {
  test('validates every entry before any is admitted: a bad last one leaves nothing behind', async () => {
    const { supervisor, clock, recorded } = setup();
    const body = vi.fn();
    const error = refusal(() =>
      supervisor.submitAll([{ run: body }, { run: body, slot: 's' }, { run: body, timeoutMs: -1 }]),
    );
    checkRefusal(error, 'timeoutMs', DURATION, [-1, '-1']);
    await clock.settle();
    expect(body).not.toHaveBeenCalled();
    expect(recorded.events).toEqual([]);
    expectNothingKept(supervisor);
    expect(supervisor.submit({ run: body }).id).toMatch(/-1$/);
  });

  test.each([[null], [undefined], [5], ['ab'], [{ length: 1 }], [new Set()], [() => []]])(
    'refuses %o: not an array',
    (value) => {
      const { supervisor } = setup();
      const error = refusal(() => supervisor.submitAll(bad<TaskSpec[]>(value)));
      expect([error.field, error.message]).toEqual(['specs', expect.stringContaining('must be an array')]);
    },
  );

  test('refuses a hole in the array as a spec that is no object', () => {
    const { supervisor } = setup();
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
    expect(refusal(() => supervisor.submitAll(bad<TaskSpec[]>([{ run: () => 1 }, , { run: () => 1 }]))).field).toBe(
      'spec',
    );
    expectNothingKept(supervisor);
  });
});

/** An object whose one field throws when it is read. */
function throwingGetter<T extends object>(key: string, rest: object = {}): T {
  return Object.defineProperty({ ...rest }, key, {
    enumerable: true,
    get: () => {
      throw new Error('do not look');
    },
  }) as T;
}

function revoked<T extends object>(): T {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy as T;
}

describe('check', () => {
  test.each([
    ...SPEC.map(({ field, put, wrong }) => ({ field, given: put(wrong[0]?.[0]) as object })),
    { field: 'spec', given: null },
    { field: 'somethingElse', given: { somethingElse: 1 } },
    { field: 'intervalMs', given: { intervalMs: 10 } },
  ])('throws what submit would throw for a bad $field', ({ given }) => {
    const { supervisor } = setup();
    const spec = bad<TaskSpec>(given && { run: () => 1, ...given });
    const { field, message, got } = refusal(() => supervisor.submit(spec));
    const error = refusal(() => supervisor.check(spec));
    expect([error.field, error.message, error.got]).toEqual([field, message, got]);
  });

  test('of a good spec reads it once, over the defaults, and leaves nothing behind', async () => {
    const { supervisor, clock, recorded } = setup({ defaults: { restart: 'always' }, limits: { pending: 0 } });
    const run = vi.fn();
    const reads = vi.fn(() => run);
    const spec = Object.defineProperty({ slot: 's', intervalMs: 5, signal: AbortSignal.abort() }, 'run', {
      enumerable: true,
      get: reads,
    });
    expect(supervisor.check(bad<TaskSpec>(spec))).toBeUndefined();
    expect(reads).toHaveBeenCalledTimes(1);
    await clock.settle();
    expectNothingKept(supervisor);
    expect([run.mock.calls, recorded.events, clock.timers]).toEqual([[], [], 0]);
    expect(supervisor.submit({ run: () => 1, restart: 'never' }).id).toMatch(/-1$/);
  });

  test('throws ClosedError once a shutdown has begun, be it by a getter of the spec', () => {
    const { supervisor } = setup();
    const closing = {
      get run(): () => void {
        void supervisor.shutdown();
        return () => {};
      },
    };
    expect(() => supervisor.check(closing)).toThrow(ClosedError);
    expect(() => supervisor.check(bad<TaskSpec>(5))).toThrow(ClosedError);
  });
});

describe('specs are read once', () => {
  test('every getter of a spec is read exactly once, those of backoff and restartLimit too', async () => {
    const { supervisor, clock } = setup();
    const reads = new Map<string, number>();
    const counting = <T extends object>(path: string, fields: T): T => {
      const object = {};
      for (const [key, value] of Object.entries(fields))
        Object.defineProperty(object, key, {
          enumerable: true,
          get: () => {
            reads.set(`${path}${key}`, (reads.get(`${path}${key}`) ?? 0) + 1);
            return value;
          },
        });
      return object as T;
    };
    const spec = counting<TaskSpec<string, number>>('', {
      run: () => 'done',
      name: 'n',
      slot: 's',
      admission: 'queue',
      restart: 'always',
      intervalMs: 1_000,
      maxRetries: 3,
      backoff: counting<Backoff>('backoff.', { firstMs: 1, factor: 1, maxMs: 2, floorMs: 0, jitter: 'none' }),
      retryIf: () => true,
      restartLimit: counting('restartLimit.', { restarts: 1, withinMs: 10 }),
      timeoutMs: 10,
      stallMs: 10,
      graceMs: 10,
      onOverrun: 'hold',
      queueTimeoutMs: 10,
      deadlineMs: 5_000,
      priority: 1,
      signal: new AbortController().signal,
      state: () => 1,
      meta: {},
    });
    const submission = supervisor.submit(spec);
    await clock.advance(5_000);
    expect(await submission.outcome).toMatchObject({ kind: 'canceled', by: 'deadline' });
    expect(reads.size).toBe(20 + 5 + 2);
    expect([...reads.values()].every((count) => count === 1)).toBe(true);
  });

  test('getters of subscribe, events, shutdown and slot options are read once', async () => {
    const { supervisor } = setup();
    let reads = 0;
    const once = (key: string, value: unknown) =>
      bad<never>(
        Object.defineProperty({}, key, {
          enumerable: true,
          get: () => {
            reads += 1;
            return value;
          },
        }),
      );
    supervisor.subscribe(() => {}, once('capacity', 5));
    expect(reads).toBe(1);
    void supervisor.events(once('types', ['started']));
    expect(reads).toBe(2);
    supervisor.slot('s').configure(once('queueLimit', 5));
    expect(reads).toBe(3);
    await supervisor.shutdown(once('graceMs', 0));
    expect(reads).toBe(4);
  });

  test('changing the spec afterwards changes nothing', async () => {
    const { supervisor, clock } = setup();
    const backoff = { firstMs: 10, jitter: 'none' as const };
    const restartLimit = { restarts: 5, withinMs: 1_000 };
    let calls = 0;
    const task = {
      run: () => {
        calls += 1;
        throw new Error(`old ${calls}`);
      },
      kill: () => {},
    };
    const spec = { run: task, slot: 's', name: 'n', maxRetries: 1, backoff, restartLimit };
    const submission = supervisor.submit(spec);
    Object.assign(spec, { slot: 'other', name: 'other', maxRetries: 9, backoff: { firstMs: 500 }, run: () => 'new' });
    Object.assign(backoff, { firstMs: 700 });
    Object.assign(restartLimit, { restarts: 0 });
    Object.assign(task, { run: () => 'new' });
    await clock.advance(30);
    expect([submission.slot, submission.name]).toEqual(['s', 'n']);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 2 });
    expect(calls).toBe(2);
  });

  test('changing slot options or supervisor options afterwards changes nothing', () => {
    const slotDefaults = { queueLimit: 0 };
    const options = { slotDefaults, slots: { wide: { queueLimit: 1 } } };
    const { supervisor } = setup(options);
    const own = { queueLimit: 1 };
    supervisor.slot('own').configure(own);
    Object.assign(slotDefaults, { queueLimit: 50 });
    Object.assign(options.slots.wide, { queueLimit: 50 });
    Object.assign(own, { queueLimit: 50 });
    const admissions = (slot: string) =>
      [1, 2, 3].map(() => supervisor.submit({ slot, run: gateBody().body }).admission);
    expect(admissions('narrow')).toEqual(['started', 'rejected', 'rejected']);
    expect(admissions('wide')).toEqual(['started', 'queued', 'rejected']);
    expect(admissions('own')).toEqual(['started', 'queued', 'rejected']);
  });

  test.each(['run', 'slot', 'timeoutMs', 'signal', 'meta', 'backoff'])(
    'a getter of %s that throws is a OptionError and keeps nothing',
    (key) => {
      const { supervisor } = setup();
      const error = refusal(() =>
        supervisor.submit(throwingGetter<TaskSpec>(key, key === 'run' ? {} : { run: () => 1 })),
      );
      expect(error.message).toContain('must be readable');
      expect(error.message).toContain('do not look');
      expectNothingKept(supervisor);
    },
  );

  test('throwing getters and revoked proxies are OptionErrors at every door, which name what cannot be read', async () => {
    const { supervisor } = setup();
    const run = () => 1;
    const doors: readonly (readonly [field: string, call: () => unknown])[] = [
      ['spec', () => supervisor.submit(revoked<TaskSpec>())],
      ['spec', () => supervisor.submit({ run: revoked<never>() })],
      ['backoff', () => supervisor.submit({ run, backoff: revoked<object>() })],
      ['backoff.firstMs', () => supervisor.submit({ run, backoff: throwingGetter('firstMs') })],
      ['restartLimit.withinMs', () => supervisor.submit({ run, restartLimit: throwingGetter('withinMs') })],
      ['slot', () => supervisor.submit({ run, slot: revoked<never>() })],
      ['signal', () => supervisor.submit({ run, signal: revoked<AbortSignal>() })],
      ['signal', () => supervisor.submit({ run, signal: throwingGetter('aborted') })],
      ['spec', () => supervisor.submit({ run: throwingGetter<never>('kill', { run }) })],
      ['specs', () => supervisor.submitAll(revoked<TaskSpec[]>())],
      ['spec', () => supervisor.submitAll([{ run }, revoked<TaskSpec>()])],
      ['spec', () => supervisor.check(revoked<TaskSpec>())],
      ['spec', () => supervisor.slot('s').submit(revoked<TaskSpec>())],
      ['options', () => supervisor.slot('s').configure(revoked<SlotOptions>())],
      ['queueLimit', () => supervisor.slot('s').configure(throwingGetter('queueLimit'))],
      ['slot', () => supervisor.slot(revoked<never>())],
      ['subscriber', () => supervisor.subscribe(revoked<never>())],
      ['subscriber', () => supervisor.subscribe(throwingGetter<never>('onEvent'))],
      ['options', () => supervisor.subscribe(() => {}, revoked())],
      ['capacity', () => supervisor.events(throwingGetter('capacity'))],
      ['types', () => supervisor.events({ types: revoked() })],
      ['signal', () => supervisor.events({ signal: throwingGetter('aborted') })],
      ['options', () => supervisor.shutdown(revoked())],
      ['options', () => new Supervisor(revoked())],
      ['clock', () => new Supervisor(throwingGetter('clock'))],
      ['clock', () => new Supervisor({ clock: revoked<never>() })],
      ['leases', () => new Supervisor({ leases: throwingGetter<never>('acquire') })],
      ['defaults.backoff.jitter', () => new Supervisor({ defaults: { backoff: throwingGetter('jitter') } })],
      ['slots.orders', () => new Supervisor({ slots: throwingGetter('orders') })],
      ['slots.orders.onFull', () => new Supervisor({ slots: { orders: throwingGetter('onFull') } })],
      ['rate.limit', () => new Supervisor({ rate: throwingGetter('limit') })],
      ['backoff', () => backoffDelayMs(revoked(), 0)],
      ['backoff.firstMs', () => backoffDelayMs(throwingGetter('firstMs'), 0)],
    ];
    expect(doors.map(([, call]) => refusal(call).field)).toEqual(doors.map(([field]) => field));
    for (const [options, field] of [
      [revoked(), 'options'],
      [{ signals: revoked() }, 'signals'],
    ] as const)
      await expect(supervisor.run([], options as never)).rejects.toMatchObject({ name: 'OptionError', field });
    expectNothingKept(supervisor);
    expect(supervisor.snapshot().phase).toBe('open');
  });

  test('a transparent proxy of a spec is read like the spec', async () => {
    const { supervisor } = setup();
    const submission = supervisor.submit(new Proxy({ slot: 's', run: () => 'through the proxy' }, {}));
    expect(await submission.value()).toBe('through the proxy');
  });

  test('a getter that submits, or shuts the supervisor down, breaks nothing', async () => {
    const { supervisor } = setup();
    const spec = {
      get slot(): string {
        supervisor.submit({ slot: 'inner', run: () => 'inner' });
        return 'outer';
      },
      run: () => 'outer',
    };
    expect(await supervisor.submit(spec).value()).toBe('outer');
    const closing = {
      get slot(): string {
        void supervisor.shutdown();
        return 'late';
      },
      run: () => 'late',
    };
    expect(() => supervisor.submit(closing)).toThrow('shutting down');
    expect(supervisor.snapshot().totals).toMatchObject({ submitted: 2, completed: 2 });
  });
});

describe('a polluted Object.prototype', () => {
  const prototype = Object.prototype as Record<string, unknown>;
  const polluted = [
    'timeoutMs',
    'slot',
    'maxRetries',
    'queueLimit',
    'concurrency',
    'capacity',
    'firstMs',
    'somethingElse',
  ];

  afterEach(() => {
    for (const key of polluted) delete prototype[key];
  });

  test('is no option of anybody', async () => {
    for (const key of polluted) prototype[key] = 'polluted';
    const { supervisor, clock } = setup({ slotDefaults: {}, defaults: {}, limits: {} });
    const submission = supervisor.submit({ run: () => 'clean', backoff: {} });
    supervisor.slot('s').configure({});
    supervisor.subscribe(() => {}, {});
    await clock.settle();
    const outcome = await submission.outcome;
    const { slot } = submission;
    for (const key of polluted) delete prototype[key];
    expect(outcome).toEqual({ kind: 'completed', value: 'clean', attempts: 1 });
    expect(slot).toBe(submission.id);
  });
});

describe('names', () => {
  const NAMES = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    ' ',
    '\0',
    '👩‍👩‍👧‍👦',
    '\uD800',
    '\uDC00',
    'é',
    'e\u0301', // the same letter to people, not to a Map
    'n'.repeat(1_024),
    `${'n'.repeat(1_023)}m`,
    '\u001b[31mred\n',
  ];

  test('every string of 1 to 1,024 units is a legal slot, and none is taken for another', async () => {
    const { supervisor, clock } = setup();
    const gates = NAMES.map((slot) => ({ slot, gate: gateBody() }));
    for (const { slot, gate } of gates) {
      const owner = supervisor.submit({ slot, run: gate.body });
      expect([owner.admission, owner.slot, owner.name]).toEqual(['started', slot, slot]);
      expect(supervisor.submit({ slot, admission: 'dropIfRunning', run: gate.body }).admission).toBe('rejected');
    }
    await clock.settle();
    expect(gates.map(({ gate }) => gate.alive)).toEqual(NAMES.map(() => 1));
    expect(supervisor.snapshot().slots.map(({ name }) => name)).toEqual(NAMES);
    for (const { slot } of gates) expect(supervisor.slot(slot).view().owner?.slot).toBe(slot);
  });

  test('every such string may configure a slot, __proto__ as an own key of slots included', () => {
    const slots = JSON.parse('{"__proto__":{"queueLimit":0},"constructor":{"queueLimit":0}}') as Record<
      string,
      SlotOptions
    >;
    const { supervisor } = setup({ slots });
    const admissions = (slot: string) => [1, 2].map(() => supervisor.submit({ slot, run: gateBody().body }).admission);
    expect(admissions('__proto__')).toEqual(['started', 'rejected']);
    expect(admissions('constructor')).toEqual(['started', 'rejected']);
    expect(admissions('toString')).toEqual(['started', 'queued']);
    expect(({} as Record<string, unknown>).queueLimit).toBeUndefined();
  });

  test('an id of another form is nobody', async () => {
    const { supervisor } = setup();
    const { id } = supervisor.submit({ run: gateBody().body });
    for (const wrong of ['', 'x', '__proto__', `${id}0`, ` ${id}`, id.replace(/-1$/, '-01'), 5, null, undefined, {}]) {
      expect(supervisor.get(bad(wrong))).toBeUndefined();
      expect(await supervisor.cancel(bad(wrong))).toBeUndefined();
      expect(supervisor.restart(bad(wrong))).toBe(false);
    }
    expect(supervisor.get(id)?.id).toBe(id);
  });
});

describe('legal extremes', () => {
  test('-0 is taken as 0', async () => {
    const { supervisor, clock } = setup({ limits: { slots: Infinity, pending: Infinity } });
    const failing = supervisor.submit({ maxRetries: -0, run: () => Promise.reject(new Error('once')) });
    expect(await failing.outcome).toMatchObject({ kind: 'failed', because: 'maxRetries', attempts: 1 });
    expect(Object.is(backoffDelayMs({ firstMs: -0, maxMs: -0, floorMs: -0 }, 3), 0)).toBe(true);
    supervisor.slot('s').configure({ queueLimit: -0 });
    const stubborn = supervisor.submit({ slot: 's', graceMs: -0, onOverrun: 'abandon', run: gateBody().body });
    expect(supervisor.submit({ slot: 's', run: () => 1 }).admission).toBe('rejected');
    await clock.settle();
    const ended = stubborn.cancel();
    await clock.advance(0);
    expect(await ended).toEqual({ kind: 'abandoned', by: 'caller', attempts: 1 });
  });

  test('a delay of 2^31 ms is kept to the ms', async () => {
    const { supervisor, clock } = setup();
    const submission = supervisor.submit({ restart: 'never', timeoutMs: 2 ** 31, run: (ctx) => ctx.sleep(Infinity) });
    await clock.advance(2 ** 31 - 1);
    expect(submission.status).toBe('running');
    await clock.advance(1);
    expect(await submission.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'timedOut', afterMs: 2 ** 31 } });
    expect(clock.timers).toBe(0);
  });

  test('the platform clock splits such a delay and never fires early', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const supervisor = new Supervisor();
      const submission = supervisor.submit({ restart: 'never', timeoutMs: 2 ** 32, run: (ctx) => ctx.sleep(Infinity) });
      await new VirtualClock().settle();
      await vi.advanceTimersByTimeAsync(2 ** 32 - 1);
      expect(submission.status).toBe('running');
      await vi.advanceTimersByTimeAsync(2);
      expect(submission.status).toBe('ended');
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('Infinity says none everywhere, sets no timer and beats an inherited default', async () => {
    const { supervisor, clock } = setup({
      defaults: { timeoutMs: 10, stallMs: 10, deadlineMs: 10, queueTimeoutMs: 10, graceMs: 10, maxRetries: 1 },
    });
    const none = Infinity;
    const settings = { timeoutMs: none, stallMs: none, deadlineMs: none, queueTimeoutMs: none, graceMs: none };
    const gate = gateBody();
    const owner = supervisor.submit({ slot: 's', ...settings, maxRetries: none, run: gate.body });
    const queued = supervisor.submit({ slot: 's', ...settings, run: gate.body });
    await clock.advance(1_000);
    expect([owner.status, queued.status, clock.timers]).toEqual(['running', 'queued', 0]);
    let outcome: Outcome | undefined;
    void owner.cancel().then((ended) => {
      outcome = ended;
    });
    await clock.advance(1_000);
    expect([owner.status, clock.timers, outcome]).toEqual(['stopping', 0, undefined]);
    gate.fail(new CanceledError('enough'));
    await clock.settle();
    expect(outcome).toMatchObject({ kind: 'canceled', by: 'caller' });
  });

  test('frozen, sealed and null-prototype specs are legal', async () => {
    const { supervisor } = setup();
    const spec: TaskSpec<number> = { slot: 's', run: () => 1, backoff: Object.freeze({ firstMs: 1 }) };
    const bare: TaskSpec<number> = Object.assign(Object.create(null) as object, spec);
    for (const one of [Object.freeze({ ...spec }), Object.seal({ ...spec }), bare])
      expect(await supervisor.submit(one).value()).toBe(1);
  });
});
