import { expect, test } from 'vitest';
import {
  BACKOFF,
  ENDED,
  INTERVAL,
  LEFT,
  OVERRUN,
  RUNNING,
  SHOWN,
  STARTING,
  STOPPING,
  StatusCounts,
  SUSPENDED,
  UNCOUNTED,
} from '../../src/engine/status-counts.ts';
import { TASK_STATUSES } from '../../src/model/view.ts';

const NONE = { starting: 0, running: 0, backoff: 0, interval: 0, suspended: 0, stopping: 0, overrun: 0 };
const NUMBERS = { STARTING, RUNNING, BACKOFF, INTERVAL, SUSPENDED, STOPPING, OVERRUN, ENDED };

test.for(Object.entries(NUMBERS))('%s is the number of the status of its name', ([name, number]) => {
  expect(TASK_STATUSES[number]).toBe(name.toLowerCase());
});

test('an owner counts in the place that it moved to, and in no other', () => {
  const counts = new StatusCounts();
  expect([counts.shown, counts.owners]).toEqual([NONE, 0]);
  counts.move(UNCOUNTED + STARTING, SHOWN + STARTING);
  counts.move(UNCOUNTED + STARTING, SHOWN + STARTING);
  counts.move(SHOWN + STARTING, SHOWN + RUNNING);
  expect([counts.shown, counts.owners]).toEqual([{ ...NONE, starting: 1, running: 1 }, 2]);
  counts.move(SHOWN + RUNNING, UNCOUNTED + RUNNING);
  expect([counts.shown, counts.owners]).toEqual([{ ...NONE, starting: 1 }, 1]);
});

test('an owner whose participants have left is shown under no status, and counts as overrun', () => {
  const counts = new StatusCounts();
  counts.move(UNCOUNTED + STOPPING, SHOWN + STOPPING);
  counts.move(SHOWN + STOPPING, LEFT + STOPPING);
  counts.move(LEFT + STOPPING, LEFT + OVERRUN);
  counts.move(UNCOUNTED + OVERRUN, SHOWN + OVERRUN);
  expect([counts.shown, counts.owners, counts.overrun]).toEqual([{ ...NONE, overrun: 1 }, 1, 2]);
});

test('an owner that has ended counts until its submissions have their outcome, under no status', () => {
  const counts = new StatusCounts();
  counts.move(UNCOUNTED + STARTING, SHOWN + STARTING);
  counts.move(SHOWN + STARTING, SHOWN + ENDED);
  expect([counts.shown, counts.owners]).toEqual([NONE, 1]);
});
