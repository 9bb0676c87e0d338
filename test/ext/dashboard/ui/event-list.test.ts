import { expect, it } from 'vitest';
import {
  type EventList,
  holds,
  NO_EVENTS,
  withRemembered,
  withTail,
} from '../../../../src/ext/dashboard/ui/event-list.ts';
import type { EventRow } from '../../../../src/ext/dashboard/wire.ts';

const event = (seq: number): EventRow => ({ seq, at: seq, type: 'rejected', level: 'warn', text: `event ${seq}` });
const tail = (...seqs: number[]) => ({ gap: false, events: seqs.map(event) });
const seqs = ({ rows }: EventList) => rows.map(({ seq }) => seq);

it('what comes in frames is shown the newest first', () => {
  const list = withTail(withTail(NO_EVENTS, tail(1, 2), 9), tail(5, 6), 9);
  expect(seqs(list)).toEqual([6, 5, 2, 1]);
});

it('an event that comes by the stream and from memory is shown once', () => {
  const streamed = withTail(NO_EVENTS, tail(4, 5), 9);
  expect(seqs(withRemembered(streamed, [5, 4, 3, 2].map(event), 9))).toEqual([5, 4, 3, 2]);
});

it('of too many the oldest go', () => {
  expect(seqs(withTail(withTail(NO_EVENTS, tail(1, 2, 3), 3), tail(4), 3))).toEqual([4, 3, 2]);
});

it('a gap is between the frame that tells of it and what was there before', () => {
  const list = withTail(withTail(NO_EVENTS, tail(1), 9), { gap: true, events: [event(7), event(8)] }, 9);
  expect([...list.gapsAfter]).toEqual([7]);
  expect([...withTail(list, tail(9), 9).gapsAfter], 'it stays').toEqual([7]);
  expect([...withTail(list, tail(9, 10), 3).gapsAfter], 'it goes with its row').toEqual([]);
});

it('a text is found in the slot, the id, the name, the type and the words, in any case', () => {
  const row: EventRow = { ...event(1), slot: 'Sync:A', id: 'x-1', name: 'import' };
  expect(['sync:a', 'X-1', 'IMPORT', 'reject', 'Event 1', ''].map((q) => holds(row, q))).toEqual(Array(6).fill(true));
  expect(holds(row, 'sync:b')).toBe(false);
});
