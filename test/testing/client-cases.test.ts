// Each fault is planted in the store in memory. The case that it breaks must fail, and each case on
// supervisors must fail for one fault at least.

import { type ConformanceCase, leaseConformance } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { memoryWorlds } from '../support/memory-world.ts';
import { failuresOf, loadFaultyFleet, type PlantedFault } from '../support/planted-store.ts';

const isOnClient = ({ rule }: ConformanceCase): boolean => rule === 'client' || rule === 'faults';

const FAULTS: readonly PlantedFault[] = [
  {
    name: 'a slot has many holders',
    from: 'if (row === undefined || row.session === session) return',
    to: 'if (row === undefined || row.session !== "") return',
    caughtBy: 'processes share slots while the network is sound',
  },
  {
    name: 'fences are drawn in pairs, the greater one first',
    from: 'fence: this.#lastFence,',
    to: 'fence: this.#lastFence ^ 1n,',
    caughtBy: 'a slot goes from process to process in the order in which they began to wait',
  },
  {
    name: 'the last in line is first',
    from: '|| a.seq - b.seq',
    to: '|| b.seq - a.seq',
    caughtBy: 'a slot goes from process to process in the order in which they began to wait',
  },
  {
    name: 'try waits',
    from: "if (mode === 'try') return { state: 'busy' };",
    to: '',
    caughtBy: 'dropIfRunning is rejected as slotBusy while another process has the slot',
  },
  {
    name: 'a replacement is a session that waits like others',
    from: "this.#enter(session, slot, mode === 'urgent');",
    to: 'this.#enter(session, slot, false);',
    caughtBy: 'a replacement stops the owner in another process, and goes before the line',
  },
  {
    name: 'withdraw always fails',
    from: 'this.#leave(session, slot);\n    if (this.holderOf',
    to: 'throw new Error("planted");\n    if (this.holderOf',
    caughtBy: 'a submission that is canceled while it waits leaves the line',
  },
  {
    name: 'release does nothing',
    from: 'if (row?.session === session && row.fence === fence) this.#passOn(slot);',
    to: '',
    caughtBy: 'processes share slots while answers come after the lease is lost',
  },
  {
    name: 'a session that was opened expires after a third of its ttl',
    from: 'expiresMs: this.#nowMs() + ttlMs, spared',
    to: 'expiresMs: this.#nowMs() + ttlMs / 3, spared',
    caughtBy: 'the body of a process that is cut off has ended before the slot goes to another one',
  },
  {
    name: 'acquire cannot be repeated',
    from: 'if (row === undefined || row.session === session) return',
    to: 'if (row === undefined) return',
    caughtBy: 'processes share slots while calls are done twice',
  },
  {
    name: 'a beat reports no grant',
    from: "return [{ kind: 'granted', slot, fence: row.fence, contended: row.wanted > 0 }];",
    to: 'return [];',
    caughtBy: 'processes share slots while news are lost',
  },
];

describe('a fault in the store fails its case', () => {
  const failed = new Set<string>();

  test.for(FAULTS)('$name', async (fault) => {
    const failures = await failuresOf(memoryWorlds(loadFaultyFleet(fault)), isOnClient);
    for (const name of failures) failed.add(name);
    expect(failures).toContain(fault.caughtBy);
  });

  test('and each case fails for one of the faults', () => {
    const cases = leaseConformance({ open: memoryWorlds() }).filter(isOnClient);
    expect(cases.map(({ name }) => name).filter((name) => !failed.has(name))).toEqual([]);
  });
});
