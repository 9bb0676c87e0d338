import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { localInstantMs, Zone } from '../../../src/ext/cron/zone.ts';
import { HOUR, offsetMs, transitionsOf } from './zones.ts';

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

describe('a span of a zone', () => {
  test('contains the moment, has the offset of that moment, and tells the offset before it', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Kathmandu');
    const moments = fc.integer({ min: Date.UTC(1990, 0) / 1_000, max: Date.UTC(2035, 0) / 1_000 });
    fc.assert(
      fc.property(zones, moments, (name, seconds) => {
        const ms = seconds * 1_000;
        const { start, end, offset, before } = Zone.of(name).spanAt(ms);
        expect([start <= ms, ms < end]).toEqual([true, true]);
        expect([offset, offset, offset]).toEqual([start, ms, end - 1].map((at) => offsetMs(name, at)));
        if (before !== offset) expect(before).toBe(offsetMs(name, start - 1));
      }),
    );
  });

  test('begins and ends at a transition, and tells of it for a day, wherever that day is', () => {
    for (const name of ['America/New_York', 'Africa/Casablanca'])
      for (const { at, before, after } of transitionsOf(name, 2000, 2030)) {
        const zone = Zone.of(name);
        expect(zone.spanAt(at - 1).end).toBe(at);
        for (const ms of [at, at + HOUR, at + 23 * HOUR])
          expect(zone.spanAt(ms)).toMatchObject({ start: at, before, offset: after });
      }
  });

  test('is the same object for all who ask for the zone', () => {
    expect(Zone.of('Asia/Tokyo').spanAt(5)).toBe(Zone.of('Asia/Tokyo').spanAt(6));
  });

  test('has the local time of Date in the zone of the process', () => {
    const at = Date.UTC(2030, 5, 1);
    expect(Zone.of(undefined).spanAt(at).offset).toBe(0 - new Date(at).getTimezoneOffset() * 60_000);
  });
});
