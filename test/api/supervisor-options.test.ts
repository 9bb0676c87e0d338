// How options complete each other. test/behaviour has the refusals.

import { describe, expect, test, vi } from 'vitest';
import { timesOfCall } from '../../src/api/call-options.ts';
import { parseGateOptions, parseSupervisorOptions, type SupervisorOptions } from '../../src/api/supervisor-options.ts';
import { localLeases } from '../../src/engine/local-leases.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts';
import { DEFAULT_SLOT_SETTINGS } from '../../src/model/slot-options.ts';

const refused = (field: string) => expect.objectContaining({ name: 'OptionError', field });

test('options that are left out have their defaults', () => {
  const defaults = {
    defaults: DEFAULT_SETTINGS,
    slots: new Map(),
    slotDefaults: DEFAULT_SLOT_SETTINGS,
    concurrency: Infinity,
    rate: undefined,
    subscriberGraceMs: 5_000,
    limits: { slots: Infinity, pending: Infinity },
    keepEnded: 0,
    deadFraction: Infinity,
    clock: expect.any(SystemClock),
    random: systemRandom,
    leases: localLeases,
    aroundAttempt: undefined,
    warnings: true,
    shutdown: { graceMs: 25_000, finishMs: undefined },
  };
  expect(parseSupervisorOptions({})).toEqual(defaults);
  expect(parseSupervisorOptions({ shutdownGraceMs: undefined, finishMs: undefined, slots: undefined })).toEqual(
    defaults,
  );
});

describe('the defaults of tasks', () => {
  test("are laid over the library's, and leave those unchanged", () => {
    const before = { ...DEFAULT_SETTINGS };
    const { defaults } = parseSupervisorOptions({ defaults: { priority: 3, restart: 'never' } });
    expect(defaults).toEqual({ ...before, priority: 3, restart: 'never' });
    expect(DEFAULT_SETTINGS).toEqual(before);
  });

  test('may have an intervalMs only beside restart: always', () => {
    expect(parseSupervisorOptions({ defaults: { intervalMs: 5, restart: 'always' } }).defaults.intervalMs).toBe(5);
    expect(() => parseSupervisorOptions({ defaults: { intervalMs: 5 } })).toThrow(refused('defaults.intervalMs'));
  });
});

describe('the times of a shutdown', () => {
  test.for<readonly [options: SupervisorOptions, times: object]>([
    [{ shutdownGraceMs: 5 }, { graceMs: 5, finishMs: 2.5 }],
    [{ shutdownGraceMs: 0 }, { graceMs: 0, finishMs: 0 }],
    [{ shutdownGraceMs: Infinity }, { graceMs: Infinity, finishMs: Infinity }],
    [
      { shutdownGraceMs: Infinity, finishMs: 5 },
      { graceMs: Infinity, finishMs: 5 },
    ],
    [{ finishMs: 25_000 }, { graceMs: 25_000, finishMs: 25_000 }],
    [{ finishMs: 0 }, { graceMs: 25_000, finishMs: 0 }],
  ])('are the given ones, and finishMs is half of the grace by default: %j', ([options, times]) => {
    expect(timesOfCall({}, parseSupervisorOptions(options).shutdown)).toEqual(times);
  });

  test.for([
    [
      { finishMs: 25_001 },
      'finishMs must be at most the grace of the shutdown, of which it is part (25000 ms), got 25001',
    ],
    [
      { shutdownGraceMs: 5, finishMs: Infinity },
      'finishMs must be at most the grace of the shutdown, of which it is part (5 ms), got Infinity',
    ],
  ] as const)('are refused by finishMs where that is more than the grace: %j', ([options, message]) => {
    expect(() => parseSupervisorOptions(options)).toThrow(
      expect.objectContaining({ name: 'OptionError', field: 'finishMs', message }),
    );
  });
});

describe('the options of slots', () => {
  test("are laid over slotDefaults, and these over the library's defaults", () => {
    const { slotDefaults, slots } = parseSupervisorOptions({
      slotDefaults: { queueLimit: 5 },
      slots: { a: { onFull: 'dropOldest' }, b: { queueLimit: 0, admission: 'join' } },
    });
    expect(slotDefaults).toEqual({ admission: undefined, queueLimit: 5, onFull: 'reject' });
    expect(Object.fromEntries(slots)).toEqual({
      a: { admission: undefined, queueLimit: 5, onFull: 'dropOldest' },
      b: { admission: 'join', queueLimit: 0, onFull: 'reject' },
    });
  });

  test('are refused by slot and field', () => {
    expect(() => parseSupervisorOptions({ slots: { a: { queueLimit: -1 } } })).toThrow(refused('slots.a.queueLimit'));
    expect(() => parseSupervisorOptions({ slots: { '': {} } })).toThrow(refused('slots name'));
  });
});

describe('the rate', () => {
  test('is a copy of its limit and interval', () => {
    const rate = { limit: 2, intervalMs: 2 ** 40 };
    const kept = parseSupervisorOptions({ rate }).rate;
    rate.limit = 9;
    expect(kept).toEqual({ limit: 2, intervalMs: 2 ** 40 });
  });

  test.for([false, { limit: Infinity, intervalMs: 5 }] as const)('of %j is none', (rate) => {
    expect(parseSupervisorOptions({ rate }).rate).toBeUndefined();
    expect(parseGateOptions({ rate })).toEqual({ rate: undefined });
  });

  test.for<readonly [field: string, rate: object]>([
    ['rate.limit', { intervalMs: 5 }],
    ['rate.intervalMs', { limit: 5 }],
    ['rate.limit', { limit: 0, intervalMs: 5 }],
    ['rate.intervalMs', { limit: 1, intervalMs: 0 }],
    ['rate.intervalMs', { limit: 1, intervalMs: Infinity }],
  ])('is refused by the field %s for %j', ([field, rate]) => {
    expect(() => parseSupervisorOptions({ rate })).toThrow(refused(field));
  });
});

test('a limit that is left out does not limit', () => {
  expect(parseSupervisorOptions({ limits: { pending: 0 } }).limits).toEqual({ slots: Infinity, pending: 0 });
});

test.for([0, 0.5, 1, Infinity])('deadFraction may be %d', (deadFraction) => {
  expect(parseSupervisorOptions({ deadFraction }).deadFraction).toBe(deadFraction);
});

test.for([-0.1, 1.1, Number.NaN, '1'])('deadFraction may not be %s', (deadFraction) => {
  expect(() => parseSupervisorOptions({ deadFraction })).toThrow(refused('deadFraction'));
});

describe('a random source', () => {
  test('gives its own numbers in [0, 1)', () => {
    const { random } = parseSupervisorOptions({ random: () => 0.25 });
    expect(random()).toBe(0.25);
  });

  const boom = () => {
    throw new Error('boom');
  };
  test.for<readonly [what: string, random: () => unknown]>([
    ['returns 1', () => 1],
    ['returns a negative number', () => -0.1],
    ['returns NaN', () => Number.NaN],
    ['returns a string', () => '0.5'],
    ['throws', boom],
  ])("that %s is replaced by the platform's for that number", ([, given]) => {
    const platform = vi.spyOn(Math, 'random').mockReturnValue(0.75);
    const drawn = parseSupervisorOptions({ random: given }).random();
    platform.mockRestore();
    expect(drawn).toBe(0.75);
  });
});

test('a clock and a lease store are used as they are, so their methods keep their object', () => {
  const clock = { now: () => 0, wallNow: () => 0, setTimer: () => () => {} };
  const leases = { acquire: () => null, close: async () => {} };
  const kept = parseSupervisorOptions({ clock, leases });
  expect(kept.clock).toBe(clock);
  expect(kept.leases).toBe(leases);
});

test.for<readonly [field: string, options: object]>([
  ['clock', { clock: 5 }],
  ['clock.wallNow', { clock: { now: () => 0, setTimer: () => () => {} } }],
  ['leases', { leases: null }],
  ['leases.acquire', { leases: {} }],
  ['leases.close', { leases: { acquire: () => null, close: 5 } }],
])('an incomplete clock or lease store is refused by the field %s', ([field, options]) => {
  expect(() => parseSupervisorOptions(options)).toThrow(refused(field));
});
