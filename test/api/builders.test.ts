import { expect, test } from 'vitest';
import { once, periodic, restartable } from '../../src/api/builders.ts';
import { RecentSettings } from '../../src/model/recent-settings.ts';
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts';
import { parseSpec } from '../../src/model/spec.ts';

const run = () => 'value';

test('each builder makes a plain spec: the body, its restart policy, and the rest as given', () => {
  const rest = { slot: 's', graceMs: 5 };
  expect(once(run, rest)).toStrictEqual({ run, restart: 'never', slot: 's', graceMs: 5 });
  expect(restartable(run, rest)).toStrictEqual({ run, restart: 'onFailure', slot: 's', graceMs: 5 });
  expect(periodic(60, run, rest)).toStrictEqual({ run, restart: 'always', intervalMs: 60, slot: 's', graceMs: 5 });
  expect(rest).toStrictEqual({ slot: 's', graceMs: 5 });
});

test('what they make is accepted as it is, killable bodies too', () => {
  for (const spec of [once(run), restartable(run), periodic(0, run), once({ run, kill: () => {} })])
    expect(parseSpec(spec, DEFAULT_SETTINGS, new RecentSettings()).settings.restart).toBe(spec.restart);
});

test.for([Number.NaN, -1, '60', undefined])('a period of %s is refused at once', (everyMs) => {
  expect(() => periodic(everyMs as number, run)).toThrow(expect.objectContaining({ field: 'everyMs' }));
});
