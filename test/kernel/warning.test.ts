import { afterEach, expect, test, vi } from 'vitest';
import { warn } from '../../src/kernel/warning.ts';
import { recordWarnings } from '../support/warnings.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('a warning reaches the listeners of the process, with its type and its code', async () => {
  const warnings = recordWarnings();
  warn('SLOTVISOR_OVERRUN_HELD', 'a text');
  expect(await warnings()).toEqual([{ name: 'SlotvisorWarning', code: 'SLOTVISOR_OVERRUN_HELD', message: 'a text' }]);
});

test('an emitWarning that was replaced and throws does no harm', () => {
  vi.spyOn(process, 'emitWarning').mockImplementation(() => {
    throw new Error('boom');
  });
  expect(() => warn('SLOTVISOR_OVERRUN_HELD', 'a text')).not.toThrow();
});

test('what was added to Object.prototype changes no warning', () => {
  const given = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  warn('SLOTVISOR_OVERRUN_HELD', 'a text');
  expect(Object.getPrototypeOf(given.mock.calls[0]?.[1])).toBe(null);
});
