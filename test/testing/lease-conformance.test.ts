import { leaseConformance, VirtualClock } from 'slotvisor/testing';
import { describe, test } from 'vitest';
import { MemoryFleet } from '../support/memory-store.ts';

describe('over a store in memory', () => {
  const open = async () => {
    const clock = new VirtualClock();
    const fleet = new MemoryFleet(clock);
    return {
      clock,
      store: () => fleet.store(),
      isEmpty: async () => fleet.isEmpty,
      close: async () => fleet.check(),
    };
  };
  for (const { rule, name, run } of leaseConformance({ open })) test(`${rule}: ${name}`, run);
});
