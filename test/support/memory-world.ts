// A store in memory as a world of the conformance suite, on virtual time.

import { type LeaseWorld, VirtualClock } from 'slotvisor/testing';
import { MemoryFleet } from './memory-store.ts';

/** Makes worlds over a fleet, which a test may have patched. */
export function memoryWorlds(Fleet: typeof MemoryFleet = MemoryFleet): () => Promise<LeaseWorld> {
  return async () => {
    const clock = new VirtualClock();
    const fleet = new Fleet(clock);
    return {
      clock,
      store: () => fleet.store(),
      isEmpty: async () => fleet.isEmpty,
      close: async () => fleet.check(),
    };
  };
}
