import { leaseConformance } from 'slotvisor/testing';
import { describe, test } from 'vitest';
import { memoryWorlds } from '../support/memory-world.ts';

describe('over a store in memory', () => {
  for (const { rule, name, run } of leaseConformance({ open: memoryWorlds() })) test(`${rule}: ${name}`, run);
});
