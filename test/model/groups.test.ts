import { expect, test } from 'vitest';
import { GROUP_DEFAULTS, Groups } from '../../src/model/groups.ts';

test('the slots of one group share it, and slots past the last group are in the group other', () => {
  const groups = new Groups({ ...GROUP_DEFAULTS, maxGroups: 2 });
  expect(['sync:a', 'mail', 'sync:b', 'feed:1', 'mail', 'other'].map((slot) => groups.of(slot))).toEqual([
    'sync',
    'mail',
    'sync',
    'other',
    'mail',
    'other',
  ]);
});

test('a group that is no text is refused', () => {
  const groups = new Groups({ ...GROUP_DEFAULTS, group: () => 5 });
  expect(() => groups.of('a')).toThrow('group must return a string, got 5');
});
