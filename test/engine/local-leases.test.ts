import { expect, test } from 'vitest';
import { LOCAL_LEASE, localLeases } from '../../src/engine/local-leases.ts';
import type { LeaseRequest } from '../../src/model/lease.ts';

test('a local lease is granted synchronously for every request, with the fence 0n', () => {
  const grants = ['a', 'b'].map((slot) => localLeases.acquire({ slot } as LeaseRequest));
  expect(grants).toEqual([LOCAL_LEASE, LOCAL_LEASE]);
  expect(LOCAL_LEASE.fence).toBe(0n);
});

test('a local lease is not lost, never revoked, and its release does nothing', () => {
  expect(LOCAL_LEASE.lost.aborted).toBe(false);
  expect(LOCAL_LEASE.revoked).toBeUndefined();
  expect(LOCAL_LEASE.release()).toBeUndefined();
});

test('the lease and the store are frozen, because all supervisors share them', () => {
  expect([Object.isFrozen(LOCAL_LEASE), Object.isFrozen(localLeases)]).toEqual([true, true]);
});
