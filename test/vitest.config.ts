import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
  root,
  resolve: {
    alias: [
      { find: /^slotvisor$/, replacement: `${root}src/index.ts` },
      { find: /^slotvisor\/testing$/, replacement: `${root}src/testing/index.ts` },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Children and packages are started for real in a few files.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
