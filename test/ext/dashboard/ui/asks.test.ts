import { expect, it } from 'vitest';
import {
  type Ask,
  askCancelAll,
  askCancelOwner,
  askCancelWaiting,
  askPause,
  askRestart,
  askResume,
  askSchedule,
  canRestart,
} from '../../../../src/ext/dashboard/ui/asks.ts';
import type { ScheduleRow, SlotDetail, SlotRow, TaskRow } from '../../../../src/ext/dashboard/wire.ts';
import { TASK_STATUSES } from '../../../../src/model/view.ts';
import { slot, task } from './made-rows.ts';

const next = task({ id: 'x-2', name: 'rev 7', status: 'queued' });
const detail = (row: SlotRow, line: readonly TaskRow[] = []): SlotDetail => ({
  slot: row.slot,
  row,
  explain: '',
  line,
  attempts: [],
  events: [],
});
const text = ({ title, lines }: Ask): string => [title, ...lines].join(' ');

it('a cancel says whose attempt stops, when the slot is free, and who comes next', () => {
  const owner = task({ attempt: 3 });
  const ask = askCancelOwner(detail(slot({ owner, waiting: 2 }), [next, task({ id: 'x-3' })]), owner);
  expect(text(ask)).toBe(
    'Cancel the owner of a? “import” (x-1) ends canceled, and is not retried. Attempt 3 is asked to stop. ' +
      'The slot is free only when its body has ended. Then “rev 7” (x-2) starts, the first of 2 in line.',
  );
  expect(ask).toMatchObject({ kind: 'cancel', target: { id: 'x-1' }, isDanger: true });
});

it('a cancel of what runs no body says that it ends at once', () => {
  const owner = task({ status: 'backoff' });
  expect(text(askCancelOwner(detail(slot({ owner })), owner))).toContain(
    'It runs no body now, so it ends at once. No submission waits behind it: then the slot has no owner.',
  );
});

it('a cancel of one of several that share a body says that the body goes on', () => {
  const said = (joined: number): string => {
    const owner = task({ joined });
    return text(askCancelOwner(detail(slot({ owner, waiting: 1 }), [next]), owner));
  };
  const begin = 'Cancel the owner of a? “import” (x-1) ends canceled, and is not retried. ';
  expect(said(1)).toBe(`${begin}1 other submission shares its body, so the body goes on.`);
  expect(said(2)).toBe(`${begin}2 other submissions share its body, so the body goes on.`);
});

it('a cancel of what was asked to stop before says by whom', () => {
  const owner = task({ status: 'overrun', stop: { by: 'replace', sinceMs: 7 } });
  expect(text(askCancelOwner(detail(slot({ owner })), owner))).toContain(
    'Attempt 1 was asked to stop already, by its replacement.',
  );
});

it('a cancel in a paused slot does not promise that the next one starts', () => {
  const owner = task();
  const ask = askCancelOwner(detail(slot({ owner, paused: true, waiting: 1 }), [next]), owner);
  expect(text(ask)).toContain('Next in line is “rev 7” (x-2). It starts when the slot is resumed: the slot is paused.');
});

it('a cancel of all says how many', () => {
  expect(text(askCancelAll(detail(slot({ waiting: 1 }), [next])))).toContain(
    '1 submission in line is rejected, because canceled.',
  );
  expect(text(askCancelAll(detail(slot({ waiting: 2_000 }), [next])))).toContain(
    '2,000 submissions in line are rejected, because canceled.',
  );
  expect(askCancelAll(detail(slot())).target).toEqual({ slot: 'a' });
});

it('a cancel in line says which place', () => {
  const ask = askCancelWaiting(detail(slot({ waiting: 4 }), [next]), next, 4);
  expect(text(ask)).toMatch(/^Take number 4 out of the line of a\? “rev 7” \(x-2\) is rejected, because canceled/);
});

it('a restart says what follows, in a body and between bodies', () => {
  const running = task({ attempt: 3 });
  expect(text(askRestart(detail(slot({ owner: running })), running))).toContain(
    'Attempt 3 of “import” (x-1) is asked to stop. When its body has ended, attempt 4 follows at once.',
  );
  const pausing = task({ attempt: 3, status: 'backoff' });
  expect(text(askRestart(detail(slot({ owner: pausing })), pausing))).toContain(
    '“import” (x-1) does not wait for its next try: attempt 4 follows at once.',
  );
});

it('a restart is offered where it is accepted', () => {
  expect(TASK_STATUSES.filter((status) => canRestart(task({ status })))).toEqual(['running', 'backoff', 'interval']);
});

it('a pause says that the owner goes on, and who waits', () => {
  expect(text(askPause(slot({ waiting: 3 })))).toBe(
    'Pause a? Nothing more starts in it until it is resumed. Its owner “import” (x-1) goes on, its retries included. ' +
      '3 submissions in line, and later ones, wait.',
  );
});

it('a resume says who starts', () => {
  expect(text(askResume(detail(slot({ paused: true, waiting: 1 }, 'ownerless'), [next])))).toBe(
    'Resume a? “rev 7” (x-2) starts at once, the first in line.',
  );
  expect(text(askResume(detail(slot({ paused: true }), [next])))).toContain('starts when the owner has ended');
  expect(text(askResume(detail(slot({ paused: true }))))).toContain('No submission waits in it.');
});

it('a schedule is asked for by its name', () => {
  const row: ScheduleRow = { name: 'nightly', slot: 'job', when: '', status: 'active', next: [], totals: {}, runs: [] };
  for (const kind of ['trigger', 'pause', 'resume'] as const)
    expect(askSchedule(kind, row)).toMatchObject({ kind, target: { schedule: 'nightly' }, isDanger: false });
  expect(text(askSchedule('trigger', row))).toContain(
    'A submission goes to the slot job. Its admission policy decides',
  );
});
