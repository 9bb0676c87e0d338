import { describe, expect, test } from 'vitest';
import { localInstantMs } from '../../../src/ext/cron/zone.ts';

const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString());

describe('a local date and time', () => {
  test.for([
    ['2030-01-01T12:00', 'UTC', '2030-01-01T12:00:00.000Z'],
    ['2030-01-01T12:00', 'Asia/Tokyo', '2030-01-01T03:00:00.000Z'],
    ['2030-01-01T12:00:30.25', 'UTC', '2030-01-01T12:00:30.250Z'],
    ['2030-01-01T12:00:30.9999', 'UTC', '2030-01-01T12:00:30.999Z'],
    ['2030-03-31T02:30:00', 'Europe/Berlin', '2030-03-31T01:30:00.000Z'],
    ['2030-10-27T02:30:00', 'Europe/Berlin', '2030-10-27T00:30:00.000Z'],
  ] as const)('%s in %s is %s', ([text, zone, expected]) => {
    expect(iso(localInstantMs(text, zone))).toBe(expected);
  });

  test('that is an expression is refused', () => {
    expect(() => localInstantMs('* * * * *', 'UTC')).toThrow('not a date');
  });
});
