// The tests that mutants have to survive: everything fast, in one process, with fewer random runs.
// SLOTVISOR_TESTS narrows them, to the files of its patterns, which have a space between them.

import { mergeConfig } from 'vitest/config';
import { base } from './vitest.config.ts';

process.env.SLOTVISOR_RUNS ??= '30';

const config = mergeConfig(base, {
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
});

const { SLOTVISOR_TESTS } = process.env;
if (SLOTVISOR_TESTS !== undefined) config.test.include = SLOTVISOR_TESTS.split(' ');

export default config;
