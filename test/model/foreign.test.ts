import { expect, test } from 'vitest';
import { field } from '../../src/model/foreign.ts';

const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const throwing = {
  get message() {
    throw new Error('must not be read');
  },
};

test('field reads own and inherited fields', () => {
  expect(field(new Error('boom'), 'message')).toBe('boom');
  expect(field(new Error('boom'), 'name')).toBe('Error');
});

test('field returns undefined for a value that is not an object or that throws', () => {
  for (const value of [throwing, revoked, null, undefined, 'text', 7]) expect(field(value, 'message')).toBeUndefined();
});
