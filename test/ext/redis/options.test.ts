import { expect, it } from 'vitest';
import { readClaimsOptions, readOptions } from '../../../src/ext/redis/options.ts';

it('has defaults', () => {
  expect(readOptions({})).toMatchObject({
    prefix: 'slotvisor',
    quarantine: true,
    allowEviction: false,
    ttlMs: 15_000,
  });
  expect(readClaimsOptions({})).toEqual({ prefix: 'slotvisor', allowEviction: false });
});

it('takes the options of a fleet, and its own', () => {
  const onTrouble = (): void => {};
  const given = { ttlMs: 2_000, name: 'me', onTrouble, prefix: 'a b:c', quarantine: false, allowEviction: true };
  expect(readOptions(given)).toMatchObject(given);
});

it.each([
  [{ prefix: '' }, 'prefix must not be empty'],
  [{ prefix: 7 }, 'prefix must be a string, got 7'],
  [{ prefix: 'a{b' }, 'prefix must have no { and no }, got "a{b"'],
  [{ prefix: 'a}' }, 'prefix must have no { and no }, got "a}"'],
  [{ prefix: 'a\ud800' }, 'prefix must be well-formed Unicode'],
  [{ allowEviction: 1 }, 'allowEviction must be true or false, got 1'],
  [{ prefx: 'a' }, 'prefx is not an option'],
])('refuses %j, for leases and claims', (options, message) => {
  expect(() => readOptions(options)).toThrow(message);
  expect(() => readClaimsOptions(options)).toThrow(message);
});

it('refuses options of leases that are invalid, and those for claims', () => {
  expect(() => readOptions({ quarantine: 'yes' })).toThrow('quarantine must be true or false');
  expect(() => readOptions({ ttlMs: 999 })).toThrow('ttlMs must be');
  expect(() => readClaimsOptions({ ttlMs: 5_000 })).toThrow('ttlMs is not an option');
});
