import { VirtualClock } from 'slotvisor/testing';
import { expect, test } from 'vitest';
import { checkStore } from '../../../src/ext/fleet/store.ts';
import { MemoryFleet } from '../../support/memory-store.ts';

const store = new MemoryFleet(new VirtualClock()).store();

test('a store has eleven operations', () => expect(() => checkStore(store)).not.toThrow());

for (const name of [
  'open',
  'beat',
  'acquire',
  'release',
  'withdraw',
  'holdings',
  'look',
  'end',
  'listen',
  'isPermanent',
  'close',
])
  test(`a store without ${name} is refused`, () => {
    const lacks = new Proxy(store, { get: (target, key) => (key === name ? undefined : Reflect.get(target, key)) });
    expect(() => checkStore(lacks)).toThrow(`store must have the operation ${name}, got an object`);
  });
