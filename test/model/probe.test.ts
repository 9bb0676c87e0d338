import { expect, test } from 'vitest';
import { thrownFailure } from '../../src/model/failure.ts';
import { AttemptReportRecord, ProbedRecord } from '../../src/model/probe.ts';
import type { AttemptInfo } from '../../src/model/task.ts';

test('the info of an attempt has the fields of both parts, and JSON can hold it', () => {
  const info = { id: 'x-1', slot: 's', name: 'n', attempt: 2, meta: { tenant: 7 } } as unknown as AttemptInfo;
  const more = { waitedMs: 5, restart: 'never', timeoutMs: 900, fence: 7n, resident: true } as const;
  const probed = new ProbedRecord(info, more);
  expect(probed).toEqual({ ...info, ...more });
  expect(JSON.parse(JSON.stringify(probed))).toEqual({ ...info, ...more, fence: '7' });
});

test('a report has a failure only where something went wrong', () => {
  expect(Object.keys(new AttemptReportRecord('succeeded', 5, undefined))).toEqual(['end', 'durationMs']);
  const failed = new AttemptReportRecord('failed', 5, thrownFailure(new Error('boom')));
  expect(JSON.parse(JSON.stringify(failed))).toMatchObject({ end: 'failed', failure: { error: { message: 'boom' } } });
});
