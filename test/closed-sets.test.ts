// SEMANTICS.md names every word of every closed set, and its tables name no others.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { STOP_CAUSES } from '../src/model/error.ts';
import { EVENT_TYPES, OVERRUN_ACTIONS } from '../src/model/event.ts';
import { FAILED_BECAUSE, OUTCOME_KINDS, REJECT_REASONS } from '../src/model/outcome.ts';
import { SHUTDOWN_CAUSES, TASK_STATUSES } from '../src/model/view.ts';
import { ROOT } from './support/example.ts';

const text = readFileSync(`${ROOT}src/SEMANTICS.md`, 'utf8');

/** The words in the first column of the table with this header. */
function firstColumn(header: string): string[] {
  const rows = text.split(`\n${header}\n`)[1]?.split('\n\n')[0]?.split('\n').slice(1) ?? [];
  return rows.flatMap((row) =>
    [...(row.split('|')[1] as string).matchAll(/`(\w+)`/g)].map(([, word]) => word as string),
  );
}

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
