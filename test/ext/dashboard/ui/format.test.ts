import { expect, it } from 'vitest';
import {
  clockTime,
  count,
  counted,
  dateAndTime,
  duration,
  hourAndMinute,
  lastMinuteAt,
  megabytes,
  percent,
  seconds,
  until,
  when,
} from '../../../../src/ext/dashboard/ui/format.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

it.for<readonly [ms: number, text: string]>([
  [-5, '0 s'],
  [999, '0 s'],
  [7_900, '7 s'],
  [59_999, '59 s'],
  [MINUTE, '1 min 00 s'],
  [3 * MINUTE + 2_000, '3 min 02 s'],
  [HOUR - 1, '59 min 59 s'],
  [2 * HOUR + 5 * MINUTE, '2 h 05 min'],
  [3 * DAY + 4 * HOUR, '3 d 4 h'],
])('%d ms that go on are shown as %s', ([ms, text]) => {
  expect(seconds(ms)).toBe(text);
});

it.for<readonly [ms: number, text: string]>([
  [0.4, '0 ms'],
  [12.6, '13 ms'],
  [999, '999 ms'],
  [4_312, '4.3 s'],
  [59_960, '59 s'],
  [61_000, '1 min 01 s'],
])('%d ms that are over are shown as %s', ([ms, text]) => {
  expect(duration(ms)).toBe(text);
});

it('a countdown says each second that has begun, and never a negative one', () => {
  expect([4_300, 4_000, 1, 0, -900].map(until)).toEqual(['in 5 s', 'in 4 s', 'in 1 s', 'now', 'now']);
});

it('times are those of the reader, and sort as text', () => {
  const at = new Date(2026, 1, 3, 4, 5, 6).getTime();
  expect(clockTime(at)).toBe('04:05:06');
  expect(hourAndMinute(at)).toBe('04:05');
  expect(dateAndTime(at)).toBe('2026-02-03 04:05:06');
});

it('a minute that is typed is the last one that has begun: of today, or else of yesterday', () => {
  const now = new Date(2026, 1, 3, 12, 30, 15).getTime();
  expect(dateAndTime(lastMinuteAt('03:12', now))).toBe('2026-02-03 03:12:00');
  expect(dateAndTime(lastMinuteAt('12:30', now))).toBe('2026-02-03 12:30:00');
  expect(dateAndTime(lastMinuteAt('12:31', now))).toBe('2026-02-02 12:31:00');
});

it('a time of another day has its date', () => {
  const now = new Date(2026, 1, 3, 12).getTime();
  expect(when(now - HOUR, now)).toBe('11:00:00');
  expect(when(now - DAY, now)).toBe('02-02 12:00:00');
});

it('numbers are grouped, and counted in words', () => {
  expect(count(25_039)).toBe('25,039');
  expect([0, 1, 2].map((value) => counted(value, 'slot'))).toEqual(['0 slots', '1 slot', '2 slots']);
  expect(megabytes(178_400_000)).toBe('178 MB');
  expect(percent(0.126)).toBe('13 %');
});
