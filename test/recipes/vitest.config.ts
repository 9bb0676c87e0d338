// For test/recipes.test.ts: the recipes for Vitest, in a Vitest of their own.

import { defineConfig } from 'vitest/config';
import config from '../vitest.config.ts';

export default defineConfig({
  ...config,
  test: { include: ['test/recipes/vitest.*.ts'], exclude: ['**/*.config.ts'] },
});
