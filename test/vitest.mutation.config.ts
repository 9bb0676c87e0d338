// The tests that mutants have to survive: everything fast, in one process, with fewer random runs.

import { mergeConfig } from 'vitest/config';
import { base } from './vitest.config.ts';

process.env.SLOTVISOR_RUNS ??= '30';

export default mergeConfig(base, {
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
