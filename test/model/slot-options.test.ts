import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES } from '../../src/model/settings.ts';
import { DEFAULT_SLOT_SETTINGS, ON_FULL, readSlotOptions } from '../../src/model/slot-options.ts';

test('only what was given is returned, and undefined counts as not given', () => {
  const given = readSlotOptions('s', { onFull: 'dropOldest', queueLimit: undefined, admission: undefined });
  expect(Object.entries(given)).toEqual([['onFull', 'dropOldest']]);
});

test('every admission policy and every answer to a full queue is accepted', () => {
  for (const admission of ADMISSION_POLICIES) expect(readSlotOptions('s', { admission })).toEqual({ admission });
  for (const onFull of ON_FULL) expect(readSlotOptions('s', { onFull })).toEqual({ onFull });
});

test('by default a queue holds 100, and a full one rejects', () => {
  expect(DEFAULT_SLOT_SETTINGS).toStrictEqual({ admission: undefined, queueLimit: 100, onFull: 'reject' });
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
    const refusal = expect.objectContaining({ name: 'OptionError', field });
    expect(() => readSlotOptions('s', value)).toThrow(refusal);
  });
});
