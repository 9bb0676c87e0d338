// Guards the cost of a submission: bytes, promises and async resources must not grow. They are
// counted, not timed.

import { expect, test } from 'vitest';
import { run } from '../process/child.ts';

interface Counts {
  /** Bytes that a queued submission holds in addition to its spec, when its outcome is not read. */
  readonly bytesQueued: number;
  /** The same with 100 times as many submissions. */
  readonly bytesQueuedMany: number;
  /** The same where all specs set the same option. */
  readonly bytesQueuedWithOptions: number;
  /**
   * Promises for one submission with an instant async body and an awaited outcome, including the
   * promise of the body.
   */
  readonly promises: number;
  readonly promisesMany: number;
  /** Async resources of any kind. */
  readonly resources: number;
  readonly resourcesMany: number;
}

test('the memory and the promises of a submission stay below their limits, and do not grow with the number of submissions', async () => {
  const { code, lines, stderr } = await run('cost/count.ts', { flags: ['--expose-gc'] });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const counts = JSON.parse(lines.at(-1) ?? 'null') as Counts;
  expect(counts.bytesQueued).toBeLessThan(330);
  expect(counts.bytesQueuedMany / counts.bytesQueued).toBeLessThan(1.2);
  expect(counts.bytesQueuedWithOptions / counts.bytesQueued).toBeLessThan(1.2);
  expect(counts.promises).toBeLessThan(8);
  expect(counts.promisesMany / counts.promises).toBeLessThan(1.1);
  expect(counts.resources).toBeLessThan(10);
  expect(counts.resourcesMany / counts.resources).toBeLessThan(1.1);
});
