import { describe, expect, it } from 'vitest';
import { hourAndMinute } from '../../../../src/ext/dashboard/ui/format.ts';
import {
  attemptBars,
  attemptsSentence,
  barsPath,
  columnsOf,
  delaySentence,
  endedIn,
  endsSentence,
  linePath,
  marksOf,
  stepText,
  totalOf,
  whole,
} from '../../../../src/ext/dashboard/ui/scale.ts';
import type { AttemptRow, SeriesField, SeriesView } from '../../../../src/ext/dashboard/wire.ts';

function series(fields: Partial<Record<SeriesField, number[]>>, step: SeriesView['step'] = 'second'): SeriesView {
  const length = Math.max(...Object.values(fields).map((values) => values.length));
  const none = () => Array<number>(length).fill(0);
  return {
    step,
    stepMs: step === 'second' ? 1_000 : 60_000,
    from: 0,
    fields: {
      succeeded: none(),
      failed: none(),
      canceled: none(),
      rejected: none(),
      overruns: none(),
      loopDelayMs: none(),
      ...fields,
    },
  };
}

describe('the height of a chart', () => {
  it('stands for the highest step', () => {
    expect(columnsOf([4, 8, 6], 1)).toMatchObject({ top: 8, peak: 8 });
  });

  it('is not flattened by one rush, which is cut off', () => {
    const values = [...Array<number>(99).fill(10), 4_000];
    expect(columnsOf(values, 1)).toMatchObject({ top: 15, peak: 4_000 });
  });

  it('cuts nothing off while few steps are known', () => {
    expect(columnsOf([500, 3_000], 1)).toMatchObject({ top: 3_000, peak: 3_000 });
    expect(columnsOf([...Array<number>(18).fill(10), 4_000], 1)).toMatchObject({ top: 4_000 });
  });

  it('stands for the rush where the rest is empty', () => {
    expect(columnsOf([...Array<number>(99).fill(0), 40], 1)).toMatchObject({ top: 40 });
  });

  it('stands for `atLeast`, so that little does not look like much', () => {
    expect(columnsOf([1, 2], 50)).toMatchObject({ top: 50, peak: 2 });
    expect(columnsOf([], 1)).toMatchObject({ top: 1, peak: 0 });
  });
});

it('the first seconds are narrow columns at the right, and minutes begin where they are known', () => {
  expect(columnsOf([1, 2, 3], 1)).toMatchObject({ steps: 20, unknown: 17 });
  expect(columnsOf(Array<number>(120).fill(1), 1)).toMatchObject({ steps: 120, unknown: 0 });
});

describe('bars', () => {
  const columns = { steps: 20, unknown: 0, top: 10, peak: 10 };

  it('are as high as their values, and stand on those below', () => {
    expect(barsPath([5], [], columns)).toBe('M0.08 100V50h.84V100z');
    expect(barsPath([0, 2], [0, 5], columns)).toBe('M1.08 50V30h.84V50z');
  });

  it('can be seen beside a thousand others', () => {
    expect(barsPath([1], [999], { ...columns, top: 1_000 })).toBe('M0.08 2V0h.84V2z');
  });

  it('end at the top', () => {
    expect(barsPath([5_000], [], columns)).toBe('M0.08 100V0h.84V100z');
  });

  it('of nothing are none', () => {
    expect(barsPath([0, 0], [], columns)).toBe('');
  });
});

it('a line is broken where nothing was measured', () => {
  const path = linePath([10, 20, 0, 10], { steps: 20, unknown: 0, top: 20, peak: 20 });
  expect(path.match(/M/g)).toHaveLength(2);
  expect(path).toBe('M0.5 51h.01L1.5 2M3.5 51h.01');
});

it('the second that is not over is left out, and a minute that is not over is not', () => {
  const seconds = series({ succeeded: [5, 1] });
  expect(whole(seconds, 1_500).fields.succeeded).toEqual([5]);
  expect(whole(seconds, 2_000).fields.succeeded).toEqual([5, 1]);
  expect(whole(series({ succeeded: [5, 1] }, 'minute'), 90_000).fields.succeeded).toEqual([5, 1]);
});

describe('the full hours under a chart by minutes', () => {
  const begin = new Date(2026, 1, 3, 0, 30).getTime();
  const marked = (minutes: number): string[] => {
    const known = { ...series({ succeeded: Array<number>(minutes).fill(1) }, 'minute'), from: begin };
    const columns = columnsOf(known.fields.succeeded, 1);
    return marksOf(known, columns).map(({ at, left }) => `${hourAndMinute(at)} ${Math.round(left)}`);
  };

  it('are marked where they are, but not at the ends of the axis', () => {
    expect(marked(240)).toEqual(['01:00 13', '02:00 38', '03:00 63', '04:00 88']);
    expect(marked(20)).toEqual([]);
  });

  it('are each third one in a day', () => {
    expect(marked(1_440).map((mark) => mark.slice(0, 5))).toEqual([
      '06:00',
      '09:00',
      '12:00',
      '15:00',
      '18:00',
      '21:00',
    ]);
  });

  it('are not marked under seconds', () => {
    expect(marksOf(series({ succeeded: [1] }), columnsOf([1], 1))).toEqual([]);
  });
});

describe('in words', () => {
  const known = series({
    succeeded: [4, 1],
    failed: [1, 0],
    canceled: [0, 2],
    rejected: [3, 0],
    loopDelayMs: [12.4, 0],
  });

  it('the charts are sentences', () => {
    expect(endsSentence(known)).toBe('Attempts that ended: 5 succeeded, 1 failed, 2 canceled; at most 5 in a second.');
    expect(delaySentence(known)).toBe(
      'Longest delay of the event loop in each second: 0 ms in the last, at most 12 ms.',
    );
  });

  it('a step says what happened in it', () => {
    const clock = (at: number) => `${at}`;
    expect(stepText(known, 0, clock)).toBe('0 · 4 succeeded · 1 failed · 3 turned away · loop delay 12 ms');
    expect(stepText(series({ succeeded: [0] }), 0, clock)).toBe('0 · nothing ended · nothing measured');
  });

  it('totals and steps are sums', () => {
    expect(totalOf(known, 'rejected')).toBe(3);
    expect(endedIn(known)).toEqual([5, 3]);
  });
});

describe('the attempts of a slot', () => {
  const attempt = (from: number, to: number | null, end: AttemptRow['end']): AttemptRow => ({
    id: 'a',
    name: 'a',
    attempt: 1,
    from,
    to,
    end,
  });

  it('are bars from the first until now, and can be seen however short they are', () => {
    const { from, bars } = attemptBars([attempt(0, 50_000, 'failed'), attempt(99_999, null, null)], 100_000);
    expect(from).toBe(0);
    expect(bars).toEqual([
      { x: 0, width: 50 },
      { x: 99.2, width: 0.8 },
    ]);
  });

  it('are over ten seconds at least', () => {
    expect(attemptBars([attempt(99_000, null, null)], 100_000).from).toBe(90_000);
  });

  it('are a sentence', () => {
    expect(attemptsSentence([], 0)).toBe('No attempt is remembered.');
    expect(attemptsSentence([attempt(0, 5, 'timedOut'), attempt(1_000, null, null)], 9_000)).toBe(
      '2 attempts, 1 of them failed; the last has run for 8 s.',
    );
    expect(attemptsSentence([attempt(0, 217, 'canceled')], 9_000)).toBe(
      '1 attempt, 0 of them failed; the last ended canceled after 217 ms.',
    );
  });
});
