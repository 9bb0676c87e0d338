import { describe, expect, test } from 'vitest';
import {
  ADMISSION_POLICIES,
  type CompleteDefaults,
  completeDefaults,
  DEFAULT_SETTINGS,
  ON_OVERRUN,
  ON_SHUTDOWN,
  RESTART_POLICIES,
  readAdmission,
  readDefaults,
  SETTING_READERS,
} from '../../src/model/settings.ts';

const parseDefaults = (field: string, value: unknown, base: CompleteDefaults) =>
  completeDefaults(field, readDefaults(field, value), base);

const run = () => 'value';

describe('defaults', () => {
  test('override their base, and an option given as undefined keeps the base', () => {
    const parsed = parseDefaults('defaults', { graceMs: 5, stallMs: undefined }, { ...DEFAULT_SETTINGS, stallMs: 9 });
    expect(parsed).toStrictEqual({ ...DEFAULT_SETTINGS, graceMs: 5, stallMs: 9 });
  });

  test('decide the stableMs of restartable as soon as they give stableMs or maxRetries', () => {
    const given = (defaults: object) => parseDefaults('defaults', defaults, DEFAULT_SETTINGS).restartableStableMs;
    expect([{}, { stableMs: undefined, graceMs: 5 }].map(given)).toEqual([60_000, 60_000]);
    expect(given({ stableMs: 5 })).toBe(5);
    expect([{ stableMs: Infinity }, { maxRetries: 3 }, { maxRetries: Infinity }].map(given)).toEqual(
      Array.from({ length: 3 }, () => Infinity),
    );
  });

  test.for([
    ['defaults.run', { run }],
    ['defaults.slot', { slot: 's' }],
    ['defaults.signal', { signal: undefined }],
    ['defaults.intervalMs', { intervalMs: 1 }],
    ['defaults.intervalMs', { restart: 'never', intervalMs: 1 }],
  ] as const)('refuse an invalid value of %s', ([field, value]) => {
    expect(() => parseDefaults('defaults', value, DEFAULT_SETTINGS)).toThrow(expect.objectContaining({ field }));
  });
});

describe('the reader of', () => {
  test.for([
    ['admission', ADMISSION_POLICIES],
    ['restart', RESTART_POLICIES],
    ['onOverrun', ON_OVERRUN],
    ['onShutdown', ON_SHUTDOWN],
  ] as const)('%s accepts each of its words and refuses every other word', ([option, words]) => {
    for (const word of words) expect(SETTING_READERS[option]('f', word)).toBe(word);
    expect(() => SETTING_READERS[option]('f', 'drop')).toThrow('f must be one of');
  });
});

test('the admission policies are queue, replace, dropIfRunning, keepLatest and join', () => {
  expect(ADMISSION_POLICIES).toEqual(['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join']);
  expect(() => readAdmission('f', 'drop')).toThrow(
    "f must be one of 'queue', 'replace', 'dropIfRunning', 'keepLatest', 'join', got \"drop\"",
  );
});

test('a shutdown stops a task or lets it finish', () => {
  expect(ON_SHUTDOWN).toEqual(['stop', 'finish']);
  expect(DEFAULT_SETTINGS).toMatchObject({ onShutdown: 'stop', shutdownStage: 0 });
});

describe('the reader of each setting accepts the border of its range, and refuses what lies beyond', () => {
  const rows: readonly [name: keyof typeof SETTING_READERS, good: readonly unknown[], bad: unknown][] = [
    ['intervalMs', [0, Number.MAX_VALUE], -1],
    ['intervalMs', [], Infinity],
    ['maxRetries', [0, Infinity], 0.5],
    ['stableMs', [Number.MIN_VALUE, Infinity], 0],
    ['timeoutMs', [Number.MIN_VALUE, Infinity], 0],
    ['stallMs', [Number.MIN_VALUE, Infinity], 0],
    ['graceMs', [0, Infinity], -1],
    ['queueTimeoutMs', [0, Infinity], -1],
    ['deadlineMs', [Number.MIN_VALUE, Infinity], 0],
    ['priority', [-1e300, 0], Infinity],
    ['shutdownStage', [Number.MIN_SAFE_INTEGER, -1, 0, Number.MAX_SAFE_INTEGER], Infinity],
    ['shutdownStage', [1], 0.5],
    ['retryIf', [() => true], {}],
    ['state', [() => 1], null],
    ['signal', [new AbortController().signal], new AbortController()],
  ];
  test.for(rows)('%s', ([name, good, bad]) => {
    for (const value of good) expect(SETTING_READERS[name]('f', value)).toBe(value);
    expect(() => SETTING_READERS[name]('f', bad)).toThrow(expect.objectContaining({ field: 'f', got: bad }));
  });
});
