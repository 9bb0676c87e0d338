// Runs cases of the conformance suite over a store in memory with a fault in it.

import { fileURLToPath } from 'node:url';
import { type ConformanceCase, leaseConformance } from 'slotvisor/testing';
import type * as memory from './memory-store.ts';
import type { memoryWorlds } from './memory-world.ts';
import { type Fault, loadPatched } from './patched.ts';

export interface PlantedFault extends Fault {
  /** The name of a case that fails. */
  readonly caughtBy: string;
}

const STORE = fileURLToPath(new URL('memory-store.ts', import.meta.url));

/** A fault is in the engine, unless it names another file. */
export const loadFaultyFleet = (fault: PlantedFault): typeof memory.MemoryFleet =>
  loadPatched<typeof memory>(STORE, { in: 'memory-engine.ts', ...fault }).MemoryFleet;

/** The names of the cases that fail. */
export async function failuresOf(
  open: ReturnType<typeof memoryWorlds>,
  isMeant: (one: ConformanceCase) => boolean,
): Promise<string[]> {
  const failed: string[] = [];
  for (const one of leaseConformance({ open }).filter(isMeant)) await one.run().catch(() => failed.push(one.name));
  return failed;
}
