import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { COLORED, errorLinesOf, lineOf, PLAIN } from '../../../src/ext/log/lines.ts';
import { EVENT_TYPES } from '../../../src/model/event.ts';
import { made } from '../../support/made-events.ts';
import { THROWN } from '../../support/must-not-escape.ts';

/** All that a terminal does not show as it is. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** A line of an event begins so, and a line of an error does not. */
const EVENT_LINE = /^\d\d:\d\d:\d\d\.\d\d\d (debug|info |warn |error) /;

describe('the line of an event', () => {
  test('has the local time, the level, the slot, the name where it differs, and the sentence', () => {
    expect(lineOf(made('attemptStarted'), PLAIN)).toBe('12:30:45.678 debug s (n)                attempt 1 began');
    expect(lineOf(made('overrun', { name: 's' }), PLAIN)).toBe(
      '12:30:45.678 error s                    attempt 1 has not ended 10 ms after its stop request, so it keeps the slot',
    );
    expect(lineOf(made('shutdownFinished'), PLAIN)).toBe('12:30:45.678 info                       the shutdown ended');
  });

  test.each(EVENT_TYPES)('of %s begins as all others, and its sentence is in the same column', (type) => {
    const line = lineOf(made(type), PLAIN);
    expect(line).toMatch(EVENT_LINE);
    expect(line.slice(39, 41)).toMatch(/^ \S$/);
  });

  test('has a longer name whole, up to 60 characters', () => {
    const slot = 'sync:a-customer-with-a-long-name';
    expect(lineOf(made('slotPaused', { slot }), PLAIN)).toContain(` ${slot} the slot was paused`);
  });

  test('with colour has the same text', () => {
    for (const type of EVENT_TYPES) {
      const line = lineOf(made(type), COLORED);
      expect(line).toContain('\u001b[');
      expect(stripVTControlCharacters(line)).toBe(lineOf(made(type), PLAIN));
    }
  });

  test('cannot be forged, coloured or turned by a name', () => {
    const evil = 'x\n12:30:45.678 error s\u001b[31m\u009b2J\r\u2028\u2029\u202e\u2066';
    for (const type of EVENT_TYPES) {
      const line = lineOf(made(type, { slot: evil, name: `${evil}!`, subscriber: evil, stuck: [evil] }), PLAIN);
      expect(line).not.toMatch(UNPRINTABLE);
    }
  });
});

describe('the lines of an error', () => {
  test('are the beginning of its stack, and its causes, indented and prefixed', () => {
    const error = new TypeError('boom', { cause: new Error('root', { cause: new RangeError('deep') }) });
    const lines = errorLinesOf(error, PLAIN);
    expect(lines[0]).toBe('                   | TypeError: boom');
    expect(lines[1]).toMatch(/^ {19}\| {5}at .*lines\.test\.ts/);
    expect(lines.slice(5)).toEqual([
      '                   | caused by Error: root',
      '                   | caused by RangeError: deep',
    ]);
  });

  test('are one where the error has no stack', () => {
    const error = Object.assign(new Error('boom'), { name: 'OwnError', stack: undefined });
    expect(errorLinesOf(error, PLAIN)).toEqual(['                   | OwnError: boom']);
  });

  test('are none for what is no error', () => {
    for (const value of ['text', 5n, undefined, null, { message: 'boom' }])
      expect(errorLinesOf(value, PLAIN)).toEqual([]);
  });

  test('cannot look like the line of an event, whatever the message is', () => {
    const evil = 'x\n12:30:45.678 error s\r\n12:30:45.678 info  s\u001b[31m\u009b2J\r12:30\u2028\u202e';
    const error = new Error(evil, { cause: new Error(evil) });
    const lines = errorLinesOf(error, PLAIN);
    for (const line of lines) {
      expect(line).toMatch(/^ {19}\| /);
      expect(line).not.toMatch(UNPRINTABLE);
    }
  });

  test.each(THROWN)('are few and short for %s', (_, make) => {
    const lines = errorLinesOf(make(), PLAIN);
    expect(lines.length).toBeLessThanOrEqual(9);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(2_000);
  });

  test('with colour have the same text', () => {
    const error = new Error('boom');
    expect(errorLinesOf(error, COLORED).map(stripVTControlCharacters)).toEqual(errorLinesOf(error, PLAIN));
  });
});
