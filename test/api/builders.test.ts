import { describe, expect, test } from 'vitest';
import { once, periodic, restartable } from '../../src/api/builders.ts';
import { RecentSettings } from '../../src/model/recent-settings.ts';
import { completeDefaults, DEFAULT_SETTINGS, type DefaultSettings } from '../../src/model/settings.ts';
import { parseSpec, RESTARTABLE, type TaskSpec } from '../../src/model/spec.ts';

const run = () => 'value';

test('each builder makes a plain spec with the body, its restart policy and the other options as given', () => {
  const rest = { slot: 's', graceMs: 5 };
  expect(once(run, rest)).toStrictEqual({ run, restart: 'never', slot: 's', graceMs: 5 });
  expect(restartable(run, rest)).toStrictEqual({ run, restart: 'onFailure', ...rest, [RESTARTABLE]: true });
  expect(periodic(60, run, rest)).toStrictEqual({ run, restart: 'always', intervalMs: 60, slot: 's', graceMs: 5 });
  expect(rest).toStrictEqual({ slot: 's', graceMs: 5 });
});

test('a spec of a builder is accepted as it is, also with a killable body', () => {
  for (const spec of [once(run), restartable(run), periodic(0, run), once({ run, kill: () => {} })])
    expect(parseSpec(spec, DEFAULT_SETTINGS, new RecentSettings()).settings.restart).toBe(spec.restart);
});

describe('a spec of restartable', () => {
  const stableMs = (spec: TaskSpec, defaults: Partial<DefaultSettings> = {}) =>
    parseSpec(spec, completeDefaults('defaults', defaults, DEFAULT_SETTINGS), new RecentSettings()).settings.stableMs;

  test('has a stableMs of 60,000, also with other options, with a killable body and when it is spread', () => {
    const killable = { run, kill: () => {} };
    for (const spec of [restartable(run), restartable(killable), restartable(run, { graceMs: 5, stableMs: undefined })])
      expect([stableMs(spec), stableMs({ ...spec, slot: 's' })]).toEqual([60_000, 60_000]);
    expect(stableMs({ run, restart: 'onFailure' })).toBe(Infinity);
    for (const spec of [once(run), periodic(5, run)]) expect(stableMs(spec)).toBe(Infinity);
  });

  test('keeps the stableMs that it gives, also Infinity, and has none if it gives maxRetries', () => {
    expect(stableMs(restartable(run, { stableMs: 5 }), { stableMs: 7 })).toBe(5);
    expect(stableMs(restartable(run, { stableMs: Infinity }))).toBe(Infinity);
    expect(stableMs({ ...restartable(run), maxRetries: 3 })).toBe(Infinity);
    expect(stableMs(restartable(run, { maxRetries: Infinity }))).toBe(Infinity);
  });

  test('has the stableMs of the defaults if these give it, and none if they give maxRetries', () => {
    expect(stableMs(restartable(run), { stableMs: 7 })).toBe(7);
    expect(stableMs(restartable(run), { stableMs: Infinity })).toBe(Infinity);
    expect(stableMs(restartable(run), { maxRetries: 3 })).toBe(Infinity);
    expect(stableMs(restartable(run, { maxRetries: 3 }), { stableMs: 7 })).toBe(7);
  });

  test('shows no option beside those that were given', () => {
    expect(Object.keys(restartable(run, { slot: 's' }))).toEqual(['slot', 'run', 'restart']);
  });

  test('has no stableMs through a mark that it inherits', () => {
    const heir: TaskSpec = Object.assign(Object.create({ [RESTARTABLE]: true }), { run, restart: 'onFailure' });
    expect(stableMs(heir)).toBe(Infinity);
  });
});

test.for([Number.NaN, -1, '60', undefined])('a period of %s is refused when the spec is built', (everyMs) => {
  expect(() => periodic(everyMs as number, run)).toThrow(expect.objectContaining({ field: 'everyMs' }));
});
