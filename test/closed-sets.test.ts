// Each list of the words of a closed set is complete. SEMANTICS.md names every word of every set,
// and its tables name no others.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ACTIONS, ActionKind } from '../src/ext/dashboard/wire.ts';
import type { LOG_LEVELS, LogLevel } from '../src/ext/log/options.ts';
import type { SPAN_MODES, SpanMode } from '../src/ext/otel/options.ts';
import type { JITTERS, Jitter } from '../src/model/backoff.ts';
import { STOP_CAUSES, type StopCause } from '../src/model/error.ts';
import { EVENT_TYPES, OVERRUN_ACTIONS, type OverrunAction } from '../src/model/event.ts';
import {
  FAILED_BECAUSE,
  type FailedBecause,
  OUTCOME_KINDS,
  REJECT_REASONS,
  type RejectReason,
} from '../src/model/outcome.ts';
import type {
  ADMISSION_POLICIES,
  AdmissionPolicy,
  ON_OVERRUN,
  ON_SHUTDOWN,
  OnOverrun,
  OnShutdown,
  RESTART_POLICIES,
  RestartPolicy,
} from '../src/model/settings.ts';
import type { ON_FULL, OnFull } from '../src/model/slot-options.ts';
import { SHUTDOWN_CAUSES, type ShutdownCause, TASK_STATUSES, type TaskStatus } from '../src/model/view.ts';
import type { FAKE_CAUSES, FakeStopCause } from '../src/testing/fake-context.ts';
import { ROOT } from './support/example.ts';

/** The words of a set that its list lacks. */
type Lacks<Word, List extends readonly unknown[]> = Exclude<Word, List[number]>;

type Lacking =
  | Lacks<ActionKind, typeof ACTIONS>
  | Lacks<AdmissionPolicy, typeof ADMISSION_POLICIES>
  | Lacks<FailedBecause, typeof FAILED_BECAUSE>
  | Lacks<FakeStopCause, typeof FAKE_CAUSES>
  | Lacks<Jitter, typeof JITTERS>
  | Lacks<LogLevel, typeof LOG_LEVELS>
  | Lacks<OnFull, typeof ON_FULL>
  | Lacks<OnOverrun, typeof ON_OVERRUN>
  | Lacks<OnShutdown, typeof ON_SHUTDOWN>
  | Lacks<OverrunAction, typeof OVERRUN_ACTIONS>
  | Lacks<RejectReason, typeof REJECT_REASONS>
  | Lacks<RestartPolicy, typeof RESTART_POLICIES>
  | Lacks<ShutdownCause, typeof SHUTDOWN_CAUSES>
  | Lacks<SpanMode, typeof SPAN_MODES>
  | Lacks<StopCause, typeof STOP_CAUSES>
  | Lacks<TaskStatus, typeof TASK_STATUSES>;

/** Compiles only if no list lacks a word. The error names the word. */
const isComplete: [Lacking] extends [never] ? true : Lacking = true;

const text = readFileSync(`${ROOT}src/SEMANTICS.md`, 'utf8');

/** The words in the first column of the table with this header. */
function firstColumn(header: string): string[] {
  const rows = text.split(`\n${header}\n`)[1]?.split('\n\n')[0]?.split('\n').slice(1) ?? [];
  return rows.flatMap((row) =>
    [...(row.split('|')[1] as string).matchAll(/`(\w+)`/g)].map(([, word]) => word as string),
  );
}

test('the list of each set has all of its words', () => expect(isComplete).toBe(true));

test.each([
  ['| `status` | meaning |', TASK_STATUSES],
  ['| `by` | cause |', STOP_CAUSES],
  ['| `kind` | when | carries |', OUTCOME_KINDS],
  ['| reason of a rejection | why | `by` |', REJECT_REASONS],
  ['| type | when | fields |', EVENT_TYPES],
] as const)('the table %s has one row for each word', (header, words) => {
  expect(firstColumn(header).sort()).toEqual([...words].sort());
});

test.each([
  ['what forbids a retry', '- `because` is ', FAILED_BECAUSE],
  ['what begins a shutdown', '| `cause` | ', SHUTDOWN_CAUSES],
  ['what is done with an overrun', '| `overrun` | the grace', OVERRUN_ACTIONS],
] as const)('the line about %s has every word', (_, start, words) => {
  const line = text.split('\n').find((one) => one.startsWith(start)) ?? '';
  expect(words.filter((word) => !line.includes(`\`${word}\``))).toEqual([]);
});
