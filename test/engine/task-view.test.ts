import { expect, test } from 'vitest';
import { TaskViewRecord, type Viewed, type Work } from '../../src/engine/task-view.ts';
import { thrownFailure } from '../../src/model/failure.ts';
import type { TaskId } from '../../src/model/id.ts';

const waiting: Viewed = {
  id: 'x-1' as TaskId,
  name: 'n',
  slot: 's',
  policy: 'queue',
  status: 'queued',
  meta: undefined,
  joined: 0,
  waitingFor: undefined,
};

const work: Work = {
  status: 'backoff',
  attempts: 3,
  retries: 3,
  streak: 2,
  failingMs: 40,
  sinceMs: 5,
  ranMs: 50,
  nextAttemptInMs: 95,
  lastFailure: thrownFailure(new Error('boom')),
  waitingFor: 'backoff',
  stopping: undefined,
  restart: () => true,
};

test('a submission without work has no attempt, and has had its status since its submit', () => {
  expect(new TaskViewRecord(waiting, null, 60)).toStrictEqual({
    id: 'x-1',
    name: 'n',
    slot: 's',
    policy: 'queue',
    status: 'queued',
    attempt: 0,
    retries: 0,
    streak: 0,
    sinceMs: 60,
    ageMs: 60,
    meta: undefined,
  });
});

test('a submission without work waits for what its slot says', () => {
  expect(new TaskViewRecord({ ...waiting, waitingFor: 'owner' }, null, 0)).toMatchObject({ waitingFor: 'owner' });
});

test('a submission with work shows what its work does, and nothing of itself in its place', () => {
  const { failingMs, lastFailure, nextAttemptInMs, retries, sinceMs, status, streak, waitingFor } = work;
  expect(new TaskViewRecord({ ...waiting, waitingFor: 'owner' }, work, 60)).toMatchObject({
    attempt: 3,
    ageMs: 60,
    ...{ failingMs, lastFailure, nextAttemptInMs, retries, sinceMs, status, streak, waitingFor },
  });
});

test('a submission shows how many others share its body', () => {
  expect(new TaskViewRecord({ ...waiting, joined: 2 }, work, 0)).toMatchObject({ joined: 2 });
});

test('a view is written as JSON with its failure', () => {
  const plain = JSON.parse(JSON.stringify(new TaskViewRecord(waiting, work, 0)));
  expect(plain.lastFailure).toMatchObject({ kind: 'thrown', message: 'boom' });
});
