// The tests that mutants have to survive: everything fast, in one process, with fewer random runs.
// SLOTVISOR_TESTS narrows them, to files that match its patterns, with a space between.

import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

process.env.SLOTVISOR_RUNS ??= '30';

const config = mergeConfig(
  base,
  defineConfig({
    test: {
      exclude: [
        'test/policy/*.faults.test.ts',
        'test/process/**',
        'test/cost/**',
        'test/soak/**',
        'test/*.test.ts',
        'test/behaviour/leaks.long.test.ts',
        'test/types/**',
        'test/ext/**',
      ],
    },
  }),
);

const narrowed = process.env.SLOTVISOR_TESTS;
if (narrowed !== undefined) config.test.include = narrowed.split(' ');

export default config;
