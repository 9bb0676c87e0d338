import { describe, expect, test, vi } from 'vitest';
import { HeldLease, LOCAL } from '../../src/engine/held-lease.ts';
import { leaseWith } from '../support/fake-lease-store.ts';

const boom = new Error('boom');
const trap = (): never => {
  throw boom;
};
const withGetter = (name: string, get: () => unknown): HeldLease =>
  new HeldLease(Object.defineProperty(leaseWith({}), name, { get }));

/** A lease, and the listener of its slot. */
function watched(fields: object = {}) {
  const held = new HeldLease(leaseWith(fields));
  const onLost = vi.fn();
  held.onLost = onLost;
  return { held, onLost };
}

describe('a lease is lost', () => {
  test('when lost is aborted, or held is false', () => {
    const lost = AbortSignal.abort();
    expect([{}, { held: true }, { held: false }, { lost }].map((fields) => watched(fields).held.isLost)).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  test('also when the getter of held aborts lost', () => {
    const lost = new AbortController();
    const lease = leaseWith({ lost: lost.signal });
    const held = new HeldLease(Object.defineProperty(lease, 'held', { get: () => lost.abort() }));
    expect(held.isLost).toBe(true);
  });

  test('not when held throws, or is not a boolean', () => {
    for (const get of [trap, () => 0, () => null, () => undefined]) {
      const held = withGetter('held', get);
      expect([held.isLost, held.check()]).toEqual([false, true]);
    }
  });
});

test('contended is true only where the lease says true', () => {
  expect([true, false, 1, undefined].map((contended) => watched({ contended }).held.contended)).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(withGetter('contended', trap).contended).toBe(false);
});

describe('a check', () => {
  test('informs the slot of a loss once, however often it is asked', () => {
    const { held, onLost } = watched({ held: false });
    expect([held.check(), held.check()]).toEqual([false, false]);
    held.lose();
    expect(onLost).toHaveBeenCalledTimes(1);
  });

  test('of a lease that is held informs no one', () => {
    const { held, onLost } = watched({ held: true });
    expect(held.check()).toBe(true);
    expect(onLost).not.toHaveBeenCalled();
  });
});

describe('confirm', () => {
  test.for<readonly [what: string, fields: object, owned: boolean]>([
    ['true when the store says so', { confirm: async () => true }, true],
    ['false when the store says so', { confirm: async () => false }, false],
    ['false when the store gives nothing', { confirm: () => undefined }, false],
    ['true without a confirm', {}, true],
    ['false when the lease is not held any more, whatever the store says', { confirm: () => true, held: false }, false],
    ['false without a confirm when the lease is not held any more', { held: false }, false],
  ])('is %s, and the slot knows of a loss', async ([, fields, owned]) => {
    const { held, onLost } = watched(fields);
    expect(await held.confirm()).toBe(owned);
    expect(onLost).toHaveBeenCalledTimes(owned ? 0 : 1);
  });

  test('rejects with what the store threw, and the lease is not lost', async () => {
    for (const confirm of [trap, () => Promise.reject(boom)]) {
      const { held, onLost } = watched({ confirm });
      await expect(held.confirm()).rejects.toBe(boom);
      expect(onLost).not.toHaveBeenCalled();
    }
  });

  test('is called as a method of the lease', async () => {
    const confirm = vi.fn(function (this: unknown) {
      return this === held.lease;
    });
    const { held } = watched({ confirm });
    expect(await held.confirm()).toBe(true);
  });
});

test('bodies that were given up are reported as ended when the last has ended', () => {
  const { held } = watched();
  const ended = vi.fn();
  held.bodyGivenUp();
  held.bodyGivenUp();
  held.whenBodiesEnded(ended);
  held.bodyEnded();
  expect([held.hasBodyAlive, ended.mock.calls.length]).toEqual([true, 0]);
  held.bodyEnded();
  expect([held.hasBodyAlive, ended.mock.calls.length]).toEqual([false, 1]);
});

test('the local lease, which all local slots share, counts no bodies and is never lost', async () => {
  LOCAL.bodyGivenUp();
  expect([LOCAL.hasBodyAlive, LOCAL.check(), await LOCAL.confirm()]).toEqual([false, true, true]);
  LOCAL.bodyEnded();
});
