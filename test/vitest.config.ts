import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { buildPage } from '../src/ext/dashboard/ui/build.ts';

buildPage();

const root = fileURLToPath(new URL('..', import.meta.url));

/** What all configurations share. */
export const base = {
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
  },
};

export const globalSetup = ['test/servers.ts', 'test/chromium.ts'];

/**
 * They explore many states, or run random schedules: coverage would take a third of their time, and
 * they cover nothing that other tests do not.
 */
const EXPLORERS = ['test/**/*.{model,faults,race}.test.ts'];

/**
 * Files that may follow each other in one process: each test makes all that it uses, and puts back
 * what it patches. A process for each would take as long as the tests themselves (measured).
 */
const SHARED = [
  'test/{api,engine,kernel,model,policy,testing,types}/*.test.ts',
  'test/behaviour/options/*.test.ts',
  'test/ext/{cron,dashboard,health,log,otel,prometheus}/**/*.test.ts',
];

const project = (name: string, test: TestProjectInlineConfiguration['test']) => ({
  ...base,
  test: { ...base.test, ...test, name },
});

/** Projects run in the order of their names: the long files come first. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    globalSetup,
    projects: [
      project('alone', { exclude: [...base.test.exclude, ...EXPLORERS, ...SHARED] }),
      project('explorers', { include: EXPLORERS, env: { SLOTVISOR_NO_COVERAGE: '1' } }),
      project('shared', { include: SHARED, exclude: [...base.test.exclude, ...EXPLORERS], isolate: false }),
    ],
    coverage: {
      provider: 'custom',
      customProviderModule: `${root}test/coverage.ts`,
      include: ['src/**/*.ts'],
      reporter: ['text-summary', ['text', { skipFull: true }]],
      thresholds: { lines: 97, branches: 93 },
    },
  },
});
