import { expect, test } from 'vitest';
import { brand } from '../../src/model/error-brand.ts';

class Base extends Error {
  static {
    brand(Base, 'Sample');
  }
}
class Derived extends Base {}
class Branded extends Base {
  static {
    brand(Branded, 'BrandedSample');
  }
}

const BRAND = Symbol.for('slotvisor.Sample');

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const throwing = {
  get [BRAND]() {
    throw new Error('must not be read');
  },
};

test.for([
  ['an instance of the class', new Base(), { base: true, derived: false, branded: false }],
  ['an instance of a subclass without a brand', new Derived(), { base: true, derived: true, branded: false }],
  ['an instance of a subclass with a brand of its own', new Branded(), { base: true, derived: false, branded: true }],
  ['an object that carries only the brand', { [BRAND]: true }, { base: true, derived: false, branded: false }],
  ['a brand that is not true', { [BRAND]: 1 }, { base: false, derived: false, branded: false }],
  ['an object without the brand', {}, { base: false, derived: false, branded: false }],
  ['a brand whose getter throws', throwing, { base: false, derived: false, branded: false }],
  ['a revoked proxy', revoked(), { base: false, derived: false, branded: false }],
  ['null', null, { base: false, derived: false, branded: false }],
  ['undefined', undefined, { base: false, derived: false, branded: false }],
  ['a string', 'Sample', { base: false, derived: false, branded: false }],
] as const)('instanceof of a branded class is decided by the brand for %s', ([, value, expected]) => {
  const is = (Class: typeof Base): boolean => (value as unknown) instanceof Class;
  expect({ base: is(Base), derived: is(Derived), branded: is(Branded) }).toEqual(expected);
});

test('a class of a second copy of the package accepts instances of the first', () => {
  class Copy extends Error {
    static {
      brand(Copy, 'Sample');
    }
  }
  expect(new Base()).toBeInstanceOf(Copy);
  expect(new Copy()).toBeInstanceOf(Base);
});

test('the brand is in no list of own keys', () => {
  expect(Object.keys(new Base())).not.toContain(String(BRAND));
  expect(Reflect.ownKeys(new Base())).not.toContain(BRAND);
});
