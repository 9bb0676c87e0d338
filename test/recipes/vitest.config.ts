// For test/recipes.test.ts: the recipes for Vitest, in a Vitest of their own.

import { defineConfig } from 'vitest/config';
import { base } from '../vitest.config.ts';

export default defineConfig({
  ...base,
  test: { include: ['test/recipes/vitest.*.ts'], exclude: ['**/*.config.ts'] },
});
