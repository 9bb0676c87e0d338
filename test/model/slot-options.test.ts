import { describe, expect, test } from 'vitest';
import { DEFAULT_SLOT_SETTINGS, parseSlotOptions } from '../../src/model/slot-options.ts';

test('options lie over their base; undefined leaves it; the result is frozen', () => {
  const base = parseSlotOptions('s', { queueLimit: 3, admission: 'join' }, DEFAULT_SLOT_SETTINGS);
  expect(base).toStrictEqual({ admission: 'join', queueLimit: 3, onFull: 'reject' });
  const over = parseSlotOptions('s', { onFull: 'dropOldest', queueLimit: undefined, admission: undefined }, base);
  expect(over).toStrictEqual({ admission: 'join', queueLimit: 3, onFull: 'dropOldest' });
  expect([Object.isFrozen(over), Object.isFrozen(DEFAULT_SLOT_SETTINGS)]).toEqual([true, true]);
});

test('nothing given: a line of 100, the newcomer is turned away', () => {
  expect(parseSlotOptions('s', {}, DEFAULT_SLOT_SETTINGS)).toStrictEqual({
    admission: undefined,
    queueLimit: 100,
    onFull: 'reject',
  });
});

describe('a bad option is refused by field', () => {
  test.for([
    ['s', 7],
    ['s.queueLimit', { queueLimit: -1 }],
    ['s.queueLimit', { queueLimit: 0.5 }],
    ['s.queueLimit', { queueLimit: '3' }],
    ['s.onFull', { onFull: 'drop' }],
    ['s.admission', { admission: 'drop' }],
    ['s.queueLimits', { queueLimits: undefined }],
    ['s.toString', { toString: undefined }],
  ] as const)('%s', ([field, value]) => {
    const refusal = expect.objectContaining({ name: 'SpecError', field });
    expect(() => parseSlotOptions('s', value, DEFAULT_SLOT_SETTINGS)).toThrow(refusal);
  });
});
