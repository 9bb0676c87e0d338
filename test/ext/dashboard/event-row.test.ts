import type { TaskEventType } from 'slotvisor';
import { describe, expect, test } from 'vitest';
import { eventRow, kindOf } from '../../../src/ext/dashboard/event-row.ts';
import { OwnNames } from '../../../src/ext/dashboard/own-text.ts';
import type { EventKind, Level } from '../../../src/ext/dashboard/wire.ts';
import { EVENT_TYPES, sentenceOf } from '../../../src/kit.ts';
import { AT, made } from '../../support/made-events.ts';

const rowOf = (type: TaskEventType, fields?: object) => eventRow(made(type, fields), new OwnNames());

test.each(EVENT_TYPES)('the row of %s has its sentence, and is what JSON can hold', (type) => {
  const event = made(type);
  const row = rowOf(type);
  expect(row).toMatchObject({ seq: 1, at: AT, type, text: sentenceOf(event) });
  expect(JSON.parse(JSON.stringify(row))).toStrictEqual(row);
  expect(Object.values(row).every((value) => ['string', 'number'].includes(typeof value))).toBe(true);
});

test('a row names the slot, the submission and its task where the event does', () => {
  expect(rowOf('started')).toMatchObject({ slot: 's', id: 'abc-1', name: 'n' });
  expect(rowOf('slotPaused')).toStrictEqual({
    ...{ seq: 1, at: AT, type: 'slotPaused', level: 'info', slot: 's' },
    text: 'the slot was paused',
  });
  expect(Object.keys(rowOf('shutdownStarted'))).toEqual(['seq', 'at', 'type', 'level', 'text']);
});

test('`other` is the submission that the event names besides its own', () => {
  expect(rowOf('joined', { leader: 'a' }).other).toBe('a');
  expect(rowOf('rejected', { by: 'b' }).other).toBe('b');
  expect(rowOf('stopRequested', { by: 'replace', successor: 'c' }).other).toBe('c');
  for (const row of [rowOf('rejected'), rowOf('stopRequested'), rowOf('finished', { by: 'caller' })])
    expect(row).not.toHaveProperty('other');
});

const KINDS: readonly (readonly [type: TaskEventType, fields: object, kind: EventKind, level: Level])[] = [
  ['attemptSucceeded', {}, 'all', 'info'],
  ['backoffScheduled', {}, 'all', 'info'],
  ['finished', { outcome: 'completed' }, 'all', 'info'],
  ['finished', { outcome: 'canceled' }, 'notable', 'info'],
  ['finished', { outcome: 'failed' }, 'notable', 'bad'],
  ['attemptFailed', {}, 'notable', 'warn'],
  ['overrun', {}, 'notable', 'bad'],
  ['stopRequested', {}, 'notable', 'info'],
  ['leaseStalled', {}, 'notable', 'warn'],
  ['eventsDropped', {}, 'notable', 'warn'],
  ['rejected', { reason: 'slotBusy' }, 'rejected', 'info'],
  ['rejected', { reason: 'queueFull' }, 'rejected', 'warn'],
];

describe('an event is notable, rejected or one of all, and has a level', () => {
  test.each(KINDS)('%s %j: %s, %s', (type, fields, kind, level) => {
    const event = made(type, fields);
    expect([kindOf(event), eventRow(event, new OwnNames()).level]).toEqual([kind, level]);
  });
});

test('a name of a task that is the slot is one string', () => {
  const slot = 'a slot with a long name';
  const { name } = rowOf('started', { slot, name: slot });
  expect(name).toBe(slot);
});
