import { beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_BACKOFF } from '../../src/model/backoff.ts';
import { RecentSettings } from '../../src/model/recent-settings.ts';
import { DEFAULT_SETTINGS, type TaskSettings } from '../../src/model/settings.ts';

describe('RecentSettings', () => {
  // Every setting differs from the default, so that a setting that is not compared is found here.
  const other: TaskSettings = {
    admission: 'join',
    restart: 'always',
    intervalMs: 1,
    maxRetries: 1,
    stableMs: 1,
    backoff: { ...DEFAULT_BACKOFF, firstMs: 1 },
    retryIf: () => true,
    restartLimit: { restarts: 5, withinMs: 5 },
    timeoutMs: 1,
    stallMs: 1,
    graceMs: 1,
    onOverrun: 'abandon',
    onShutdown: 'finish',
    shutdownStage: 1,
    queueTimeoutMs: 1,
    deadlineMs: 1,
    priority: 1,
    vital: true,
    signal: new AbortController().signal,
    state: () => 1,
    kill: () => {},
  };
  const nested: readonly Partial<TaskSettings>[] = [
    { backoff: { ...DEFAULT_BACKOFF, factor: 1 } },
    { backoff: { ...DEFAULT_BACKOFF, maxMs: 1 } },
    { backoff: { ...DEFAULT_BACKOFF, floorMs: 1 } },
    { backoff: { ...DEFAULT_BACKOFF, jitter: 'none' } },
    { restartLimit: { restarts: 1, withinMs: 2 } },
    { restartLimit: { restarts: 2, withinMs: 1 } },
  ];
  const base = { ...DEFAULT_SETTINGS, graceMs: 7, restartLimit: { restarts: 1, withinMs: 1 } };
  const fresh = () => ({ ...base, backoff: { ...base.backoff }, restartLimit: { ...base.restartLimit } });

  let recent: RecentSettings;
  beforeEach(() => {
    recent = new RecentSettings();
  });
  const settingsWith = (priority: number) => ({ ...fresh(), priority });

  test('shares one object among equal settings, also if eight different ones alternate', () => {
    const first = Array.from({ length: 8 }, (_, n) => recent.share(settingsWith(n)));
    expect(first.map(({ priority }) => priority)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (let round = 0; round < 3; round += 1)
      for (const [n, one] of first.entries()) expect(recent.share(settingsWith(n))).toBe(one);
  });

  test('remembers at most eight settings and forgets the oldest first', () => {
    const first = Array.from({ length: 9 }, (_, n) => recent.share(settingsWith(10 + n)));
    expect(recent.share(settingsWith(18))).toBe(first[8]);
    expect(recent.share(settingsWith(11))).toBe(first[1]);
    expect(recent.share(settingsWith(10))).not.toBe(first[0]);
  });

  const different = Object.entries(other).map(([key, value]) => [key, { [key]: value }] as const);
  const differentWithin = nested.map((change) => [JSON.stringify(change), change] as const);
  for (const [what, change] of [
    ...different,
    ...differentWithin,
    ['restartLimit (none)', { restartLimit: undefined }] as const,
  ])
    test(`does not share settings that differ in ${what}`, () => {
      const first = recent.share(fresh());
      expect(first).toStrictEqual(base);
      expect(recent.share({ ...fresh(), ...change })).not.toBe(first);
    });

  test.for(['retryIf', 'signal', 'state', 'kill'] as const)(
    'does not remember settings with a %s of the caller',
    (key) => {
      const held = () => ({ ...fresh(), [key]: other[key] });
      const first = held();
      expect(recent.share(first)).toBe(first);
      expect(recent.share(held())).not.toBe(first);
    },
  );
});
