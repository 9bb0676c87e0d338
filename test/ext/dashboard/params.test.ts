import { OptionError } from 'slotvisor';
import { describe, expect, it, test } from 'vitest';
import {
  readEventKind,
  readEventQuery,
  readSlotName,
  readStep,
  readText,
  readTypes,
  readView,
} from '../../../src/ext/dashboard/params.ts';

const of = (text: string): URLSearchParams => new URLSearchParams(text);

it('the query of events has its defaults', () => {
  expect(readEventQuery(of(''))).toEqual({ kind: 'notable', limit: 100, q: '' });
});

it('all parameters of events are read', () => {
  expect(readEventQuery(of('kind=all&before=9&limit=500&from=1&to=2&q=X&slot=a%3Ab&types=finished,overrun'))).toEqual({
    kind: 'all',
    before: 9,
    limit: 500,
    from: 1,
    to: 2,
    q: 'X',
    slot: 'a:b',
    types: new Set(['finished', 'overrun']),
  });
});

it('an empty text, name or list counts as absent, and a parameter that is not known is ignored', () => {
  expect(readEventQuery(of('q=&slot=&types=&token=secret'))).toEqual({ kind: 'notable', limit: 100, q: '' });
  expect(readSlotName(of('name='), 'name')).toBeUndefined();
  expect(readTypes(of('types='))).toBeUndefined();
});

it('the view, the step and the kind have their defaults', () => {
  expect([readView(of('')), readStep(of('')), readEventKind(of(''))]).toEqual(['slots', 'second', 'notable']);
  expect([readView(of('view=fleet')), readStep(of('step=minute'))]).toEqual(['fleet', 'minute']);
});

describe('a bad parameter throws an OptionError that names it, the rule and the value', () => {
  const rows: readonly [text: string, message: string][] = [
    ['limit=0', 'limit must be a whole number from 1 to 500, got 0'],
    ['limit=501', 'limit must be a whole number from 1 to 500, got 501'],
    ['limit=', 'limit must be a whole number from 1 to 500, got ""'],
    ['limit=1e2', 'limit must be a whole number from 1 to 500, got "1e2"'],
    ['limit=%201', 'limit must be a whole number from 1 to 500, got " 1"'],
    ['limit=0x10', 'limit must be a whole number from 1 to 500, got "0x10"'],
    ['before=-1', `before must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, got "-1"`],
    ['from=1.5', `from must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, got "1.5"`],
    ['to=9007199254740993', `to must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, got 9007199254740992`],
    ['kind=some', `kind must be one of 'notable', 'rejected', 'all', got "some"`],
    ['kind=toString', `kind must be one of 'notable', 'rejected', 'all', got "toString"`],
    ['types=finished,x', `types must be one of 'submitted'`],
    ['types=finished,', `types must be one of 'submitted'`],
    [`q=${'x'.repeat(201)}`, `q must be at most 200 characters, got "${'x'.repeat(60)}…"`],
    [`slot=${'s'.repeat(10_240)}`, `slot must be at most 1024 characters, got "${'s'.repeat(60)}…"`],
  ];
  for (const [text, message] of rows)
    test(text.slice(0, 40), () => {
      expect(() => readEventQuery(of(text))).toThrow(OptionError);
      expect(() => readEventQuery(of(text))).toThrow(message);
    });

  test('view and step', () => {
    expect(() => readView(of('view=x'))).toThrow(`view must be one of 'slots', 'failures'`);
    expect(() => readStep(of('step=hour'))).toThrow(`step must be one of 'second', 'minute', got "hour"`);
    expect(() => readText(of(`q=${'x'.repeat(10_240)}`))).toThrow('q must be at most 200 characters');
  });
});
