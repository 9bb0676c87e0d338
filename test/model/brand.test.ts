import { expect, test } from 'vitest';
import { brandOf, field, isInstance } from '../../src/model/brand.ts';

const BRAND = brandOf('Sample');
class Base {
  readonly [BRAND] = true;
}
class Derived extends Base {}

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const touchy = {
  get [BRAND]() {
    throw new Error('do not look');
  },
};

test('a brand is the same wherever it is asked for', () => {
  expect(brandOf('Sample')).toBe(BRAND);
  expect(Symbol.for('slotvisor.Sample')).toBe(BRAND);
  expect(brandOf('Other')).not.toBe(BRAND);
});

test.for([
  ['one of the class', new Base(), true, false],
  ['one of a subclass', new Derived(), true, true],
  ['one that only has the brand', { [BRAND]: true }, true, false],
  ['a brand that is not true', { [BRAND]: 1 }, false, false],
  ['an object without the brand', {}, false, false],
  ['a getter that throws', touchy, false, false],
  ['a revoked proxy', revoked(), false, false],
  ['null', null, false, false],
  ['undefined', undefined, false, false],
  ['a text', 'Sample', false, false],
] as const)('%s', ([, value, ofBase, ofDerived]) => {
  expect(isInstance(Base, Base, BRAND, value)).toBe(ofBase);
  expect(isInstance(Derived, Base, BRAND, value)).toBe(ofDerived);
});

test('a field is what stands there, inherited too; what cannot be looked at has none', () => {
  expect(field(new Error('boom'), 'message')).toBe('boom');
  expect(field(new Error('boom'), 'name')).toBe('Error');
  for (const value of [touchy, revoked(), null, undefined, 'text', 7]) expect(field(value, BRAND)).toBeUndefined();
});
