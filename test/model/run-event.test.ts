import { expect, test } from 'vitest';
import { createTaskIds } from '../../src/model/id.ts';
import {
  AnyEvent,
  AttemptStarted,
  AttemptSucceeded,
  Completed,
  Queued,
  Started,
  Submitted,
} from '../../src/model/run-event.ts';

const subject = { id: createTaskIds('prefix').text(1), slot: 's', name: 'n', meta: { own: true } };
const COMMON = ['seq', 'at', 'type', 'id', 'slot', 'name', 'meta'];

test.each([
  [new Submitted(1, 2, subject, 'queue'), { type: 'submitted', policy: 'queue' }],
  [new Queued(1, 2, subject, 3), { type: 'queued', depth: 3 }],
  [new Started(1, 2, subject, 0.5, 7n), { type: 'started', waitedMs: 0.5, fence: 7n }],
  [new AttemptStarted(1, 2, subject, 1, 0.5), { type: 'attemptStarted', attempt: 1, waitedMs: 0.5 }],
  [new AttemptStarted(1, 2, subject, 2, undefined), { type: 'attemptStarted', attempt: 2 }],
  [new AttemptSucceeded(1, 2, subject, 2, 8), { type: 'attemptSucceeded', attempt: 2, durationMs: 8 }],
  [new Completed(1, 2, subject, 2, 9), { type: 'finished', outcome: 'completed', attempts: 2, ranMs: 9 }],
  [new AnyEvent(1, 2, subject, 'overrun'), { type: 'overrun' }],
])('an event has the fields that all have, then its own, and can be written as JSON: %o', (event, own) => {
  expect({ ...event }).toStrictEqual({ seq: 1, at: 2, ...subject, ...own });
  expect(Object.keys(event)).toEqual([...COMMON, ...Object.keys(own).slice(1)]);
  expect(JSON.parse(JSON.stringify(event))).toMatchObject({ id: subject.id, meta: { own: true } });
});
