import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { buildPage } from '../src/ext/dashboard/ui/build.ts';

buildPage();

const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
  root,
  resolve: {
    alias: [
      { find: /^slotvisor$/, replacement: `${root}src/index.ts` },
      { find: /^slotvisor\/testing$/, replacement: `${root}src/testing/index.ts` },
      { find: /^slotvisor\/([a-z]+)$/, replacement: `${root}src/ext/$1/index.ts` },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/servers.ts', 'test/chromium.ts'],
    exclude: ['**/node_modules/**', 'test/package/**'], // `npm run test:package` runs them
    // Most tests let tasks fail that nothing watches. Only the printing is turned off: listeners of
    // the process get these warnings all the same.
    execArgv: ['SLOTVISOR_UNWATCHED_FAILURE', 'SLOTVISOR_OVERRUN_HELD'].map((code) => `--disable-warning=${code}`),
    // On two cores too: many tests wait for processes and servers.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // Cases of `describe.concurrent` wait for real servers most of the time.
    maxConcurrency: 12,
    // These limits only end a hang. No test depends on how fast the machine is.
    testTimeout: 240_000,
    hookTimeout: 480_000,
    expect: { poll: { timeout: 30_000 } },
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: ['text-summary', ['text', { skipFull: true }]],
      thresholds: { lines: 97, branches: 93 },
    },
  },
});
