import { describe, expect, test } from 'vitest';
import { ADMISSION_POLICIES } from '../../src/model/settings.ts';
import { DEFAULT_SLOT_SETTINGS, ON_FULL, readSlotOptions } from '../../src/model/slot-options.ts';

test('readSlotOptions returns only the given options, and an option given as undefined is absent', () => {
  const given = readSlotOptions('s', { onFull: 'dropOldest', queueLimit: undefined, admission: undefined });
  expect(Object.entries(given)).toEqual([['onFull', 'dropOldest']]);
});

test('readSlotOptions accepts every admission policy and every onFull', () => {
  for (const admission of ADMISSION_POLICIES) expect(readSlotOptions('s', { admission })).toEqual({ admission });
  for (const onFull of ON_FULL) expect(readSlotOptions('s', { onFull })).toEqual({ onFull });
});

test('by default a queue holds 1,000 submissions, and a full queue rejects', () => {
  expect(DEFAULT_SLOT_SETTINGS).toStrictEqual({ admission: undefined, queueLimit: 1_000, onFull: 'reject' });
});

describe('readSlotOptions', () => {
  test.for([
    ['s', 7],
    ['s.queueLimit', { queueLimit: -1 }],
    ['s.queueLimit', { queueLimit: 0.5 }],
    ['s.queueLimit', { queueLimit: '3' }],
    ['s.onFull', { onFull: 'drop' }],
    ['s.admission', { admission: 'drop' }],
    ['s.queueLimits', { queueLimits: undefined }],
    ['s.toString', { toString: undefined }],
  ] as const)('refuses %s in %o and names the field', ([field, value]) => {
    const error = expect.objectContaining({ name: 'OptionError', field });
    expect(() => readSlotOptions('s', value)).toThrow(error);
  });
});
