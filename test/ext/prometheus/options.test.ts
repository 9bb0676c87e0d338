// The options: their defaults, what is refused, and what is kept.

import { Registry, register } from 'prom-client';
import { OptionError, Supervisor, slotGroup } from 'slotvisor';
import { prometheus } from 'slotvisor/prometheus';
import { expect, test } from 'vitest';
import { readOptions } from '../../../src/ext/prometheus/options.ts';

test('options that are left out have their defaults', () => {
  expect(readOptions({ name: undefined })).toEqual({
    register,
    name: 'default',
    prefix: 'slotvisor_',
    group: slotGroup,
    maxGroups: 100,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800],
    slots: [],
  });
});

test('lists are copied, and a slot that is named twice counts once', () => {
  const buckets = [0, 0.5, 1];
  const slots = ['a', 'b', 'a'];
  const settings = readOptions({ buckets, slots });
  buckets.push(2);
  slots.push('c');
  expect(settings).toMatchObject({ buckets: [0, 0.5, 1], slots: ['a', 'b'] });
});

test('100 slots can be watched', () => {
  const slots = Array.from({ length: 100 }, (_, n) => `slot-${n}`);
  expect(readOptions({ slots: [...slots, 'slot-0'] }).slots).toEqual(slots);
});

const BUCKETS = 'must be an array of seconds, 0 or more, each more than the one before';
const PREFIX = "must be letters, digits and '_', and must not begin with a digit";

test.each([
  ['register', {}, 'must be a Registry of prom-client, got an object'],
  ['register', { registerMetric: () => {} }, 'must be a Registry of prom-client, got an object'],
  ['register', null, 'must be a Registry of prom-client, got null'],
  ['name', '', 'must not be empty, got ""'],
  ['name', 5, 'must be a string, got 5'],
  ['name', 'a,b', 'must not have a comma, got "a,b"'],
  ['prefix', '', `${PREFIX}, got ""`],
  ['prefix', '1_', `${PREFIX}, got "1_"`],
  ['prefix', 'a:', `${PREFIX}, got "a:"`],
  ['prefix', 'a-b_', `${PREFIX}, got "a-b_"`],
  ['prefix', 'a_\n', `${PREFIX}, got "a_\\n"`],
  ['prefix', 5, `${PREFIX}, got 5`],
  ['group', 'sync', 'must be a function, got "sync"'],
  ['maxGroups', 0, 'must be a whole number from 1 to 10000, got 0'],
  ['buckets', [], `${BUCKETS}, got an array`],
  ['buckets', [1, 1], `${BUCKETS}, got an array`],
  ['buckets', [2, 1], `${BUCKETS}, got an array`],
  ['buckets', [-1, 1], `${BUCKETS}, got an array`],
  ['buckets', [1, Infinity], `${BUCKETS}, got an array`],
  ['buckets', [Number.NaN], `${BUCKETS}, got an array`],
  ['buckets', ['1'], `${BUCKETS}, got an array`],
  ['buckets', [1n], `${BUCKETS}, got an array`],
  ['buckets', [Symbol('x')], `${BUCKETS}, got an array`],
  ['buckets', new Array(2), `${BUCKETS}, got an array`],
  ['buckets', '1,2', 'must be an array, got "1,2"'],
  ['slots', 'a', 'must be an array, got "a"'],
  ['slots[1]', ['a', ''], 'must not be empty, got ""'],
  ['slots[0]', [5], 'must be a string, got 5'],
  [
    'slots',
    Array.from({ length: 101 }, (_, n) => `${n}`),
    'must name at most 100 slots (the groups show all slots), got 101',
  ],
] as const)('%s = %o is refused', (field, value, message) => {
  const supervisor = new Supervisor();
  const empty = new Registry();
  const options = { register: empty, [field.replace(/\[.*/, '')]: value };
  const attach = () => prometheus(supervisor, options as never);
  expect(attach).toThrow(OptionError);
  expect(attach).toThrow(`${field} ${message}`);
  expect(empty.getMetricsAsArray(), 'nothing is registered').toEqual([]);
});

test('an unknown option is refused, with the nearest one, and so is what is no supervisor', () => {
  expect(() => prometheus(new Supervisor(), { bucket: [1] } as never)).toThrow(/bucket is not an option .*buckets/);
  expect(() => prometheus({} as never)).toThrow('supervisor must be a Supervisor, got an object');
});
