import { describe, expect, test } from 'vitest';
import { FleetLease, type LeaseSession } from '../../../src/ext/fleet/fleet-lease.ts';

function leaseOf(session: Partial<LeaseSession> = {}): FleetLease {
  const whole: LeaseSession = {
    isGood: () => true,
    isContended: () => false,
    confirm: async () => true,
    release: async () => {},
    ...session,
  };
  return new FleetLease(whole, 'a"b', 7n, 1_000);
}

describe('a lease', () => {
  test('holds while its session is good', () => {
    let isGood = true;
    const lease = leaseOf({ isGood: () => isGood });
    expect(lease.held).toBe(true);
    isGood = false;
    expect(lease.held).toBe(false);
  });

  test('that was lost does not hold, and its signal says of which slot and why', () => {
    const lease = leaseOf();
    lease.lose('the store was away');
    expect(lease.held).toBe(false);
    expect(lease.lost.reason).toMatchObject({ message: 'the lease of slot "a\\"b" is lost: the store was away' });
  });

  test('asks the store only while it holds, and does not confirm what was lost meanwhile', async () => {
    let asked = 0;
    let isGood = true;
    const confirm = async () => {
      asked += 1;
      isGood = false;
      return true;
    };
    const lease = leaseOf({ isGood: () => isGood, confirm });
    await expect(lease.confirm()).resolves.toBe(false);
    await expect(lease.confirm()).resolves.toBe(false);
    expect(asked).toBe(1);
  });

  test('tells a request to stop by its signal', () => {
    const lease = leaseOf();
    expect(lease.revoked.aborted).toBe(false);
    lease.revoke();
    expect(lease.revoked.aborted).toBe(true);
  });
});
