import { expect, test } from 'vitest';
import { field } from '../../src/model/foreign.ts';

const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const touchy = {
  get message() {
    throw new Error('do not look');
  },
};

test('a field is read from the object and from its prototypes', () => {
  expect(field(new Error('boom'), 'message')).toBe('boom');
  expect(field(new Error('boom'), 'name')).toBe('Error');
});

test('a value that cannot be read has no field', () => {
  for (const value of [touchy, revoked, null, undefined, 'text', 7]) expect(field(value, 'message')).toBeUndefined();
});
