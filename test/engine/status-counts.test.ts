import { expect, test } from 'vitest';
import {
  BACKOFF,
  INTERVAL,
  LEFT,
  OVERRUN,
  RUNNING,
  STARTING,
  STOPPING,
  StatusCounts,
  SUSPENDED,
} from '../../src/engine/status-counts.ts';
import { TASK_STATUSES } from '../../src/model/view.ts';

const NONE = { starting: 0, running: 0, backoff: 0, interval: 0, suspended: 0, stopping: 0, overrun: 0 };
const NUMBERS = { STARTING, RUNNING, BACKOFF, INTERVAL, SUSPENDED, STOPPING, OVERRUN };

test.for(Object.entries(NUMBERS))('%s is the number of the status of its name', ([name, number]) => {
  expect(TASK_STATUSES[number]).toBe(name.toLowerCase());
});

test('an owner counts in the place that it moved to, and in no other', () => {
  const counts = new StatusCounts();
  expect([counts.shown, counts.owners]).toEqual([NONE, 0]);
  counts.add(STARTING, 1);
  counts.add(STARTING, 1);
  counts.move(STARTING, RUNNING);
  expect([counts.shown, counts.owners]).toEqual([{ ...NONE, starting: 1, running: 1 }, 2]);
  counts.add(RUNNING, -1);
  expect([counts.shown, counts.owners]).toEqual([{ ...NONE, starting: 1 }, 1]);
});

test('an owner whose participants have left is shown under no status, and counts as overrun', () => {
  const counts = new StatusCounts();
  counts.add(STOPPING, 1);
  counts.move(STOPPING, LEFT + STOPPING);
  counts.move(LEFT + STOPPING, LEFT + OVERRUN);
  counts.add(OVERRUN, 1);
  expect([counts.shown, counts.owners, counts.overrun]).toEqual([{ ...NONE, overrun: 1 }, 1, 2]);
});
