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
  /** Bytes that a live slot holds, with its owner and a body that never ends. */
  readonly bytesLive: number;
  /** Bytes that the first listener of a running body holds. */
  readonly bytesListening: number;
  /**
   * Promises for one submission with an instant async body and an awaited outcome, including the
   * promise of the body.
   */
  readonly promises: number;
  readonly promisesMany: number;
  /** Async resources of any kind. */
  readonly resources: number;
  readonly resourcesMany: number;
  /** One call of `stats()` with 1,000 queued submissions, and with 1,000,000. */
  readonly stats: Cost;
  readonly statsMany: Cost;
  /** The first 50 views of `slots({ queued: 0 })` of 100 slots, and of 100,000. */
  readonly slots: Cost;
  readonly slotsMany: Cost;
}

interface Cost {
  readonly bytes: number;
  readonly ms: number;
}

test('the memory and the promises of a submission, the memory of a live slot and of a listener, and what stats() and the first slots() allocate, stay below their limits, and do not grow with the number of submissions and slots', async () => {
  const { code, lines, stderr } = await run('cost/count.ts', { flags: ['--expose-gc'] });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const counts = JSON.parse(lines.at(-1) ?? 'null') as Counts;
  expect(counts.bytesQueued).toBeLessThan(330);
  expect(counts.bytesQueuedMany / counts.bytesQueued).toBeLessThan(1.2);
  expect(counts.bytesQueuedWithOptions / counts.bytesQueued).toBeLessThan(1.2);
  expect(counts.bytesLive).toBeLessThan(1_400);
  expect(counts.bytesListening).toBeLessThan(280);
  expect(counts.promises).toBeLessThan(8);
  expect(counts.promisesMany / counts.promises).toBeLessThan(1.1);
  expect(counts.resources).toBeLessThan(10);
  expect(counts.resourcesMany / counts.resources).toBeLessThan(1.1);
  expect(counts.stats.bytes).toBeLessThan(4_000);
  expect(counts.statsMany.bytes / counts.stats.bytes).toBeLessThan(1.5);
  expect(counts.statsMany.ms).toBeLessThan(0.5); // to walk a million submissions takes longer
  expect(counts.slotsMany.bytes / counts.slots.bytes).toBeLessThan(1.5);
});
