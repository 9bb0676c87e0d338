// Invalid options of a slot and of the supervisor.

import { type SlotOptions, Supervisor, type SupervisorOptions, type TaskSpec } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { gateBody } from '../../support/gate.ts';
import {
  ABOVE_ZERO,
  cases,
  DURATION,
  expectNothingAdmitted,
  expectOptionError,
  FUNCTION,
  INFINITE,
  invalid,
  NO_COUNTS,
  NO_DURATIONS,
  NO_FUNCTIONS,
  NO_NAMES,
  NO_NUMBERS,
  NO_OBJECTS,
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

const SLOT: readonly Row[] = [
  row('admission', WORD, NO_WORDS),
  row('queueLimit', WHOLE, NO_COUNTS),
  row('onFull', WORD, NO_WORDS),
];

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
    ...row('rate.intervalMs', /must be finite/, INFINITE),
    put: (intervalMs) => ({ rate: { limit: 1, intervalMs } }),
  },
  row('shutdownGraceMs', DURATION, NO_DURATIONS),
  row('finishMs', DURATION, NO_DURATIONS),
  row('subscriberGraceMs', DURATION, NO_DURATIONS),
  row('limits', OBJECT, NO_OBJECTS),
  row('limits.slots', WHOLE, NO_COUNTS),
  row('limits.pending', WHOLE, NO_COUNTS),
  row('keepEnded', WHOLE, NO_COUNTS),
  row('keepEnded', /must be a whole number,/, INFINITE),
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
  { ...row('leases.open', FUNCTION, NO_FUNCTIONS), put: (open) => ({ leases: { acquire: () => null, open } }) },
  { ...row('leases.close', FUNCTION, NO_FUNCTIONS), put: (close) => ({ leases: { acquire: () => null, close } }) },
  row('aroundAttempt', FUNCTION, NO_FUNCTIONS),
  row('warnings', /must be true or false/, [
    [null, 'null'],
    [0, '0'],
    ['false', '"false"'],
    [[], 'an array'],
  ]),
];

describe('an invalid slot option', () => {
  test.each(cases(SLOT))(
    'configure(), slotDefaults and slots throw for $field of $shown, and the slot does not change',
    async ({ field, rule, put, one }) => {
      const { supervisor } = setup({ slotDefaults: { queueLimit: 1 } });
      const slot = supervisor.slot('s');
      const options = invalid<SlotOptions>(put(one[0]));
      expectOptionError(
        optionErrorOf(() => slot.configure({ queueLimit: 5, onFull: 'reject', ...options })),
        field,
        rule,
        one,
      );
      expectOptionError(
        optionErrorOf(() => new Supervisor({ slotDefaults: options })),
        `slotDefaults.${field}`,
        rule,
        one,
      );
      expectOptionError(
        optionErrorOf(() => new Supervisor({ slots: { orders: options } })),
        `slots.orders.${field}`,
        rule,
        one,
      );
      const gate = gateBody();
      const admissions = [1, 2, 3].map(() => slot.submit({ run: gate.body }).admission);
      expect(admissions).toEqual(['started', 'queued', 'rejected']);
    },
  );

  test.each(titled(NO_OBJECTS))(
    'configure(), slotDefaults and slots throw for options that are $shown',
    ({ value, shown }) => {
      const { supervisor } = setup();
      expectOptionError(
        optionErrorOf(() => supervisor.slot('s').configure(invalid<SlotOptions>(value))),
        'options',
        OBJECT,
        [value, shown],
      );
      expectOptionError(
        optionErrorOf(() => new Supervisor(invalid<SupervisorOptions>({ slots: { s: value } }))),
        'slots.s',
        OBJECT,
        [value, shown],
      );
    },
  );

  test('the error for an unknown key of slot options names the nearest known key', () => {
    const { supervisor } = setup();
    const error = optionErrorOf(() => supervisor.slot('s').configure(invalid<SlotOptions>({ queuelimit: 5 })));
    expect([error.field, error.message]).toEqual(['queuelimit', expect.stringContaining('did you mean queueLimit?')]);
  });

  test.each(titled(NO_NAMES))('slot() throws for the name $shown', ({ value, shown }) => {
    const { supervisor } = setup();
    expectOptionError(
      optionErrorOf(() => supervisor.slot(invalid<string>(value))),
      'slot',
      /must (be a string|not be empty|be at most 1024 characters)/,
      [value, shown],
    );
    expectNothingAdmitted(supervisor);
  });

  test('the constructor throws for an empty or too long slot name', () => {
    for (const name of ['', 'n'.repeat(1_025)])
      expect(optionErrorOf(() => new Supervisor({ slots: { [name]: {} } })).message).toMatch(
        /must (not be empty|be at most)/,
      );
  });

  test('slot.submit() throws for a spec that names a slot, and `slot: undefined` counts as absent', async () => {
    const { supervisor } = setup();
    const error = optionErrorOf(() => supervisor.slot('s').submit(invalid<TaskSpec>({ slot: 'other', run: () => 1 })));
    expect(error.field).toBe('slot');
    expectNothingAdmitted(supervisor);
    const absent = supervisor.slot('s').submit(invalid<TaskSpec>({ slot: undefined, run: () => 1 }));
    expect(absent.slot).toBe('s');
    expect(await absent.value()).toBe(1);
  });
});

describe('an invalid supervisor option', () => {
  test.each(cases(SUPERVISOR))(
    'the constructor throws for $field of $shown and names field, rule and value',
    ({ field, rule, put, one }) => {
      expectOptionError(
        optionErrorOf(() => new Supervisor(invalid<SupervisorOptions>(put(one[0])))),
        field,
        rule,
        one,
      );
    },
  );

  test.each(titled(NO_OBJECTS))('the constructor throws for options that are $shown', ({ value, shown }) => {
    expectOptionError(
      optionErrorOf(() => new Supervisor(invalid<SupervisorOptions>(value))),
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
  ])('the error for an unknown key in %j names the nearest known key', (options, field, nearest) => {
    const error = optionErrorOf(() => new Supervisor(invalid<SupervisorOptions>(options)));
    expect([error.field, error.message]).toEqual([field, expect.stringContaining(`did you mean ${nearest}?`)]);
  });

  test.each(['run', 'name', 'slot', 'vital', 'signal', 'state', 'meta'])(
    'the constructor throws for defaults with %s',
    (key) => {
      const error = optionErrorOf(() => new Supervisor(invalid<SupervisorOptions>({ defaults: { [key]: undefined } })));
      expect(error.field).toBe(`defaults.${key}`);
    },
  );

  test('an option with the value undefined counts as absent', async () => {
    const names = [
      'defaults',
      'slots',
      'slotDefaults',
      'concurrency',
      'rate',
      'shutdownGraceMs',
      'finishMs',
      'subscriberGraceMs',
      'limits',
    ];
    const more = ['keepEnded', 'deadFraction', 'clock', 'random', 'leases', 'aroundAttempt'];
    const options = Object.fromEntries([...names, ...more].map((name) => [name, undefined]));
    expect(await new Supervisor(options).submit({ run: () => 7 }).value()).toBe(7);
  });
});
