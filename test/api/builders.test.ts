import { expect, test } from 'vitest';
import { once, periodic, restartable } from '../../src/api/builders.ts';
import { RecentSettings } from '../../src/model/recent-settings.ts';
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts';
import { parseSpec } from '../../src/model/spec.ts';

const run = () => 'value';

test('each builder makes a plain spec with the body, its restart policy and the other options as given', () => {
  const rest = { slot: 's', graceMs: 5 };
  expect(once(run, rest)).toStrictEqual({ run, restart: 'never', slot: 's', graceMs: 5 });
  expect(restartable(run, rest)).toStrictEqual({ run, restart: 'onFailure', slot: 's', graceMs: 5 });
  expect(periodic(60, run, rest)).toStrictEqual({ run, restart: 'always', intervalMs: 60, slot: 's', graceMs: 5 });
  expect(rest).toStrictEqual({ slot: 's', graceMs: 5 });
});

test('a spec of a builder is accepted as it is, also with a killable body', () => {
  for (const spec of [once(run), restartable(run), periodic(0, run), once({ run, kill: () => {} })])
    expect(parseSpec(spec, DEFAULT_SETTINGS, new RecentSettings()).settings.restart).toBe(spec.restart);
});

test.for([Number.NaN, -1, '60', undefined])('a period of %s is refused when the spec is built', (everyMs) => {
  expect(() => periodic(everyMs as number, run)).toThrow(expect.objectContaining({ field: 'everyMs' }));
});
