import type { EventOf, TaskEventType } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { Attempts } from '../../../src/ext/dashboard/attempts.ts';
import type { AttemptRow } from '../../../src/ext/dashboard/wire.ts';
import { made } from '../../support/made-events.ts';

const SUBJECT = { slot: 's', name: 'n' };
const FAILURE = { at: 0, id: 'a', name: 'n', attempt: 1, kind: 'thrown', message: 'boom' } as const;

const event = <Type extends TaskEventType>(type: Type, at: number, fields: object = {}): EventOf<Type> =>
  made(type, { at, id: 'a', ...fields }) as EventOf<Type>;

const began = (at: number, fields?: object) => event('attemptStarted', at, fields);
const succeeded = (at: number, durationMs: number, fields: object = {}) =>
  event('attemptSucceeded', at, { durationMs, ...fields });

const memory = (sizes = { slots: 10, attempts: 4 }): Attempts => new Attempts(sizes);

/** `[id, attempt, from, to, end]` of each. */
const brief = (rows: readonly AttemptRow[]) =>
  rows.map(({ id, attempt, from, to, end }) => [id, attempt, from, to, end]);

test('an attempt runs until its event ends it, and each retry is one of its own', () => {
  const attempts = memory();
  attempts.began(began(100), SUBJECT);
  expect(brief(attempts.of('s', true, 150))).toEqual([['a', 1, 100, null, null]]);
  attempts.ended(event('attemptFailed', 120, { durationMs: 20 }), SUBJECT);
  attempts.began(began(200, { attempt: 2 }), SUBJECT);
  attempts.ended(succeeded(230, 30, { attempt: 2 }), SUBJECT);
  expect(attempts.of('s', false, 300)).toEqual([
    { id: 'a', name: 'n', attempt: 1, from: 100, to: 120, end: 'failed', message: 'boom' },
    { id: 'a', name: 'n', attempt: 2, from: 200, to: 230, end: 'succeeded' },
  ]);
});

test.each([
  ['attemptSucceeded', 'succeeded'],
  ['attemptFailed', 'failed'],
  ['attemptTimedOut', 'timedOut'],
  ['attemptStalled', 'stalled'],
  ['attemptCanceled', 'canceled'],
] as const)('%s ends it %s', (type, end) => {
  const attempts = memory();
  attempts.began(began(100), SUBJECT);
  attempts.ended(event(type, 105), SUBJECT);
  expect(attempts.of('s', false, 0)).toMatchObject([{ to: 105, end }]);
});

test('its length is measured, and does not follow a wall clock that was set', () => {
  const attempts = memory();
  attempts.began(began(1_000), SUBJECT);
  attempts.ended(succeeded(-50_000, 25), SUBJECT);
  expect(brief(attempts.of('s', false, 0))).toEqual([['a', 1, 1_000, 1_025, 'succeeded']]);
});

test('an attempt whose begin was not heard begins as long ago as it took', () => {
  const attempts = memory();
  attempts.ended(succeeded(500, 400, { attempt: 3 }), SUBJECT);
  expect(brief(attempts.of('s', false, 0))).toEqual([['a', 3, 100, 500, 'succeeded']]);
});

describe('an attempt whose end is not heard', () => {
  test('ends when the next one of its slot begins', () => {
    const attempts = memory();
    attempts.began(began(100), SUBJECT);
    attempts.began(began(300, { id: 'b' }), SUBJECT);
    expect(brief(attempts.of('s', true, 0))).toEqual([
      ['a', 1, 100, 300, null],
      ['b', 1, 300, null, null],
    ]);
  });

  test('ends when its last submission was finished, if its slot has no body or another one', () => {
    const attempts = memory();
    attempts.began(began(100), SUBJECT);
    attempts.finished(event('finished', 200));
    attempts.finished(event('finished', 250, { id: 'joined' }));
    expect(brief(attempts.of('s', true, 260))).toEqual([['a', 1, 100, null, null]]); // its body is alive
    expect(brief(attempts.of('s', false, 400))).toEqual([['a', 1, 100, 250, null]]);
    attempts.began(began(900, { id: 'b' }), SUBJECT);
    expect(brief(attempts.of('s', true, 950))[0]).toEqual(['a', 1, 100, 250, null]);
  });

  test('ends when a look finds no body, and stays so', () => {
    const attempts = memory();
    attempts.began(began(100), SUBJECT);
    expect(brief(attempts.of('s', false, 400))).toEqual([['a', 1, 100, 400, null]]);
    expect(brief(attempts.of('s', false, 900))).toEqual([['a', 1, 100, 400, null]]);
  });

  test('ends as its event says, if that comes after the look', () => {
    const attempts = memory();
    attempts.began(began(100), SUBJECT);
    attempts.of('s', false, 400);
    attempts.ended(succeeded(150, 50), SUBJECT);
    expect(brief(attempts.of('s', false, 500))).toEqual([['a', 1, 100, 150, 'succeeded']]);
  });
});

test('the end of an attempt that was passed on to another submission is its end', () => {
  const attempts = memory();
  attempts.began(began(100), SUBJECT);
  attempts.finished(event('finished', 150));
  attempts.ended(succeeded(200, 100, { id: 'joined' }), SUBJECT);
  expect(brief(attempts.of('s', false, 0))).toEqual([['a', 1, 100, 200, 'succeeded']]);
});

test('the end of another submission is not the end of an attempt that has its submission', () => {
  const attempts = memory();
  attempts.began(began(100), SUBJECT);
  attempts.ended(succeeded(300, 50, { id: 'b' }), SUBJECT);
  expect(brief(attempts.of('s', false, 0))).toEqual([
    ['a', 1, 100, 250, null],
    ['b', 1, 250, 300, 'succeeded'],
  ]);
});

test('an attempt overruns once, however many events say so', () => {
  const attempts = memory();
  const overrun = (attempt: number) => event('overrun', 0, { attempt });
  expect(attempts.overran(overrun(1))).toBe(true); // not heard of
  attempts.began(began(100), SUBJECT);
  expect([attempts.overran(overrun(1)), attempts.overran(overrun(1))]).toEqual([true, false]);
  attempts.ended(event('attemptCanceled', 120), SUBJECT);
  attempts.began(began(200, { attempt: 2 }), SUBJECT);
  expect(attempts.overran(overrun(2))).toBe(true);
});

test('the last attempts of a slot are kept, up to a number', () => {
  const attempts = memory({ slots: 1, attempts: 3 });
  for (let n = 1; n <= 10; n += 1) {
    attempts.began(began(n, { attempt: n }), SUBJECT);
    attempts.ended(succeeded(n, 0, { attempt: n }), SUBJECT);
  }
  expect(attempts.of('s', false, 0).map(({ attempt }) => attempt)).toEqual([8, 9, 10]);
});

test('the slot that was heard of longest ago makes room for a new one, with its last failure', () => {
  const attempts = memory({ slots: 2, attempts: 3 });
  for (const slot of ['a', 'b', 'a', 'c']) {
    attempts.began(began(1, { slot }), { slot, name: 'n' });
    attempts.failed(slot, { ...FAILURE, id: slot });
  }
  expect(['a', 'b', 'c'].map((slot) => attempts.of(slot, true, 0).length)).toEqual([2, 0, 1]);
  expect(['a', 'b', 'c'].map((slot) => attempts.lastFailureOf(slot)?.id)).toEqual(['a', undefined, 'c']);
});

test('the message of an attempt is cut to 200 characters', () => {
  const attempts = memory();
  const failure = { kind: 'thrown', error: undefined, message: 'x'.repeat(1_000), fatal: false };
  attempts.ended(event('attemptFailed', 5, { failure }), SUBJECT);
  expect(attempts.of('s', false, 0)[0]?.message?.length).toBe(200);
});
