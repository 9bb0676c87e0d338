// What must not creep back: bytes and promises of a submission, and growth with the number of them.
// Counted, not timed.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Counts {
  /** Bytes that a queued submission holds above its spec, its outcome not asked for. */
  readonly bytesQueued: number;
  /** The same with 100 times as many. */
  readonly bytesQueuedMany: number;
  /** The same where the specs ask for something, all for the same. */
  readonly bytesQueuedWithOptions: number;
  /**
   * Promises made for one instant async submission whose outcome is awaited, the body's own
   * included.
   */
  readonly promises: number;
  readonly promisesMany: number;
  /** Async resources of any kind. */
  readonly resources: number;
  readonly resourcesMany: number;
}

test('a submission costs what it costs, however many there are', { timeout: 60_000 }, () => {
  const child = fileURLToPath(new URL('./guard/count.ts', import.meta.url));
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--expose-gc', '--import', 'tsx', child], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const counts = JSON.parse(stdout) as Counts;
  expect(counts.bytesQueued).toBeLessThan(330);
  expect(counts.bytesQueuedMany / counts.bytesQueued).toBeLessThan(1.2);
  expect(counts.bytesQueuedWithOptions / counts.bytesQueued).toBeLessThan(1.2);
  expect(counts.promises).toBeLessThan(8);
  expect(counts.promisesMany / counts.promises).toBeLessThan(1.1);
  expect(counts.resources).toBeLessThan(10);
  expect(counts.resourcesMany / counts.resources).toBeLessThan(1.1);
});
