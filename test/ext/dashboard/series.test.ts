import { expect, test } from 'vitest';
import { SECONDS, Series, Steps } from '../../../src/ext/dashboard/series.ts';
import { SERIES_FIELDS } from '../../../src/ext/dashboard/wire.ts';

const START = Date.UTC(2026, 0, 1, 12, 0, 0);
const HOUR = 3_600_000;

test('what happened within a second is one number, and the steps begin with the recorder', () => {
  const series = new Series(START + 300, 1_440);
  series.count(START + 400, 'succeeded');
  series.count(START + 999, 'succeeded');
  series.count(START + 2_000, 'failed');
  const { step, stepMs, from, fields } = series.view('second', START + 3_100);
  expect({ step, stepMs, from }).toEqual({ step: 'second', stepMs: 1_000, from: START });
  expect(fields.succeeded).toEqual([2, 0, 0, 0]);
  expect(fields.failed).toEqual([0, 0, 1, 0]);
  expect(Object.keys(fields)).toEqual(SERIES_FIELDS);
});

test('the minutes have the same counts', () => {
  const series = new Series(START, 1_440);
  for (let i = 0; i < 90; i += 1) series.count(START + i * 1_000, 'canceled');
  expect(series.view('minute', START + 90_000)).toMatchObject({
    stepMs: 60_000,
    from: START,
    fields: { canceled: [60, 30] },
  });
});

test('the delay of a step is its longest, to a tenth of a ms', () => {
  const series = new Series(START, 1_440);
  for (const delay of [3, 17.123, 5]) series.loopDelay(START, delay);
  series.loopDelay(START + 1_000, 2);
  expect(series.view('second', START + 1_500).fields.loopDelayMs).toEqual([17.1, 2]);
});

test('only the last steps are kept: 300 seconds, and as many minutes as were asked for', () => {
  const series = new Series(START, 60);
  for (let at = START; at < START + HOUR * 2; at += 500) series.count(at, 'rejected');
  const now = START + HOUR * 2 - 1;
  const seconds = series.view('second', now);
  expect(seconds.from).toBe(START + HOUR * 2 - SECONDS * 1_000);
  expect(seconds.fields.rejected).toEqual(Array(SECONDS).fill(2));
  expect(series.view('minute', now).fields.rejected).toEqual(Array(60).fill(120));
});

test('a clock that jumps forwards leaves steps of 0, and shows nothing that is too old', () => {
  const series = new Series(START, 1_440);
  series.count(START, 'succeeded');
  series.count(START + 100_000, 'succeeded');
  const { succeeded } = series.view('second', START + 100_000).fields;
  expect([succeeded.length, succeeded[0], succeeded[100]]).toEqual([101, 1, 1]);
  expect(succeeded.slice(1, 100)).toEqual(Array(99).fill(0));
  const later = series.view('second', START + SECONDS * 1_000 * 7);
  expect(later.fields.succeeded).toEqual(Array(SECONDS).fill(0));
});

test('a clock that is set back counts on at the earlier time, also before the start', () => {
  const series = new Series(START, 1_440);
  series.count(START + 5_000, 'succeeded');
  series.count(START - HOUR, 'failed');
  const { from, fields } = series.view('second', START - HOUR + 1_000);
  expect(from).toBe(START - HOUR + 1_000); // nothing earlier is known
  expect(fields.failed).toEqual([0]);
  series.count(START - HOUR + 2_500, 'failed');
  expect(series.view('second', START - HOUR + 3_000).fields.failed).toEqual([0, 1, 0]);
});

test('a step that the clock comes to again has what was counted there', () => {
  const series = new Series(START, 1_440);
  series.count(START + 60_000, 'succeeded');
  series.count(START, 'succeeded'); // set back by a minute
  series.count(START + 60_000, 'succeeded');
  expect(series.view('minute', START + 60_000).fields.succeeded).toEqual([1, 2]);
});

test('steps before 1970 are counted like any other', () => {
  const steps = new Steps(['n'], 1_000, 10);
  steps.add(-1_500, 'n');
  expect([steps.get(-2, 'n'), steps.get(-3, 'n'), steps.get(8, 'n')]).toEqual([1, 0, 0]);
});
