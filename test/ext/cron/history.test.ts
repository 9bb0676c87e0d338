import type { Outcome, Submission, TaskId } from 'slotvisor';
import { expect, test } from 'vitest';
import { History } from '../../../src/ext/cron/history.ts';

const submission = (id: string, admission: Submission['admission'] = 'started') =>
  ({ id: id as TaskId, admission }) as Submission<number>;
const completed: Outcome<number> = { kind: 'completed', value: 7, attempts: 1 };
const dropped: Outcome<number> = { kind: 'rejected', reason: 'slotBusy' };

test('a submitted run shows its id, admission and dates, and has no outcome until its task has ended', () => {
  const history = new History<number>(5);
  const ended = history.submitted(submission('x-1', 'queued'), 'date', 1_000, 1_500);
  const run = { kind: 'submitted', cause: 'date', due: new Date(1_000), at: new Date(1_500), id: 'x-1' };
  expect(history.runs).toEqual([{ ...run, admission: 'queued', outcome: undefined }]);
  ended(completed);
  expect(history.runs).toEqual([{ ...run, admission: 'queued', outcome: completed }]);
});

test('missed dates and errors are entries of their own, oldest first', () => {
  const history = new History<number>(5);
  const error = new Error('boom');
  history.missed(3, 1_000, 2_000);
  history.failed(error, 3_000);
  expect(history.runs).toEqual([
    { kind: 'missed', due: new Date(1_000), at: new Date(2_000), count: 3 },
    { kind: 'error', at: new Date(3_000), error },
  ]);
});

test('a claim of another process, and an error that kept a date from being submitted, are entries with the date', () => {
  const history = new History<number>(5);
  const error = new Error('boom');
  history.elsewhere(1_000, 1_500);
  history.failed(error, 2_000, 1_900);
  expect(history.runs).toEqual([
    { kind: 'elsewhere', due: new Date(1_000), at: new Date(1_500) },
    { kind: 'error', due: new Date(1_900), at: new Date(2_000), error },
  ]);
});

test('totals count submissions, triggers, missed dates and dates that were not submitted, also those that left the list', () => {
  const history = new History<number>(1);
  history.submitted(submission('x-1'), 'date', 0, 0)(completed);
  history.submitted(submission('x-2', 'rejected'), 'trigger', 0, 0)(dropped);
  history.missed(2, 0, 0);
  history.missed(40, 0, 0);
  history.elsewhere(0, 0);
  history.failed(new Error('boom'), 0, 0);
  history.failed(new Error('of the calendar'), 0); // no date was lost to it
  expect(history.totals).toEqual({
    ...{ submitted: 2, triggered: 1, missed: 42, elsewhere: 1, errors: 1 },
    ...{ ran: 0, superseded: 0, dropped: 0 }, // the runner counts these
  });
  expect(history.runs).toHaveLength(1);
});

test('the list keeps the newest entries, and a smaller size drops the oldest at once', () => {
  const history = new History<number>(3);
  const dues = () => history.runs.map((run) => (run.kind === 'error' ? -1 : run.due.getTime()));
  for (const due of [1, 2, 3, 4, 5]) history.missed(1, due, 9);
  expect(dues()).toEqual([3, 4, 5]);
  history.size = 2;
  expect(dues()).toEqual([4, 5]);
  history.size = 4;
  history.missed(1, 6, 9);
  expect(dues()).toEqual([4, 5, 6]);
  history.size = 0;
  history.missed(1, 7, 9);
  expect(dues()).toEqual([]);
});

test('the outcome of a run that left the list is taken, and shows nowhere', () => {
  const history = new History<number>(0);
  history.submitted(submission('x-1'), 'date', 0, 0)(dropped);
  expect(history.runs).toEqual([]);
});

test('the dates of an entry are copies, so setting them changes no history', () => {
  const history = new History<number>(5);
  history.missed(1, 1_000, 2_000);
  history.failed(new Error('boom'), 2_000, 1_000);
  for (const run of history.runs) {
    run.at.setTime(0);
    run.due?.setTime(0);
  }
  const kept = { due: new Date(1_000), at: new Date(2_000) };
  expect(history.runs).toMatchObject([kept, kept]);
});
