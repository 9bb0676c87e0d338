import { expect, test } from 'vitest';
import { OptionError } from '../../src/model/error.ts';
import { slotGroup } from '../../src/model/slot-group.ts';

test.for([
  ['orders:7', 'orders'],
  ['orders:7:eu', 'orders'],
  ['orders', 'orders'],
  ['orders:', 'orders'],
  [':7', ''],
  [' :7', ' '],
  ['orders/7', 'orders/7'],
  ['__proto__:1', '__proto__'],
] as const)('the group of %j is %j: the name up to the first colon', ([name, group]) => {
  expect(slotGroup(name)).toBe(group);
});

test.for(['', 'n'.repeat(1_025), 7, undefined, null])('the name %j is refused', (name) => {
  expect(() => slotGroup(name as string)).toThrow(OptionError);
});
