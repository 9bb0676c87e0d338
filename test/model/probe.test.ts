import { expect, test } from 'vitest';
import { thrownFailure } from '../../src/model/failure.ts';
import type { TaskId } from '../../src/model/id.ts';
import { AttemptReportRecord, ProbedRecord } from '../../src/model/probe.ts';

test('what a probe learns of an attempt is gathered from its task and its attempt, and JSON can hold it', () => {
  const settings = { restart: 'never', timeoutMs: 900, vital: false, stableMs: Infinity } as const;
  const task = { id: 'x-1' as TaskId, slot: 's', name: 'n', meta: { tenant: 7 }, settings };
  const probed = new ProbedRecord(task, { number: 2, fence: 7n }, 5);
  const { settings: _, ...shown } = task;
  const expected = { ...shown, attempt: 2, waitedMs: 5, restart: 'never', timeoutMs: 900, fence: 7n, resident: false };
  expect(probed).toEqual(expected);
  expect(JSON.parse(JSON.stringify(probed))).toEqual({ ...expected, fence: '7' });
});

test('a task is resident if it is vital, or has a finite stableMs', () => {
  const isResident = (vital: boolean, stableMs: number): boolean => {
    const settings = { restart: 'never', timeoutMs: Infinity, vital, stableMs } as const;
    const task = { id: 'x-1' as TaskId, slot: 's', name: 'n', meta: undefined, settings };
    return new ProbedRecord(task, { number: 1, fence: 0n }, 0).resident;
  };
  expect(isResident(true, Infinity)).toBe(true);
  expect(isResident(false, 1_000)).toBe(true);
  expect(isResident(false, Infinity)).toBe(false);
});

test('a report has a failure only where something went wrong', () => {
  expect(Object.keys(new AttemptReportRecord('succeeded', 5, undefined))).toEqual(['end', 'durationMs']);
  const failed = new AttemptReportRecord('failed', 5, thrownFailure(new Error('boom')));
  expect(JSON.parse(JSON.stringify(failed))).toMatchObject({ end: 'failed', failure: { error: { message: 'boom' } } });
});
