// V8's coverage, left out in the files whose project asks for that (vitest.config.ts).

import v8 from '@vitest/coverage-v8';
import type { CoverageProviderModule } from 'vitest/node';

const isOff = process.env.SLOTVISOR_NO_COVERAGE === '1';

const none: Partial<CoverageProviderModule> = {
  startCoverage: () => {},
  takeCoverage: () => ({ result: [] }),
  stopCoverage: () => {},
};

export default { ...v8, ...(isOff && none) };
