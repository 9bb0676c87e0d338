import { describe, expect, test } from 'vitest';
import { EventMemory, type EventQuery } from '../../../src/ext/dashboard/event-memory.ts';
import type { EventKind, EventRow } from '../../../src/ext/dashboard/wire.ts';

const AT = 1_000_000;

function rowOf(seq: number, fields: Partial<EventRow> = {}): EventRow {
  return { seq, at: AT + seq, type: 'attemptFailed', level: 'warn', slot: 's', text: `event ${seq}`, ...fields };
}

/** Events 1 to `count`. Every third is rejected, every third is a common one. */
function filled(count: number, sizes = { events: 1_000, notable: 1_000 }): EventMemory {
  const memory = new EventMemory(sizes);
  for (let seq = 1; seq <= count; seq += 1) {
    const kind = (['rejected', 'notable', 'all'] as const)[seq % 3] as EventKind;
    const type = ({ rejected: 'rejected', notable: 'attemptFailed', all: 'started' } as const)[kind];
    memory.add(rowOf(seq, { type, slot: `s:${seq % 2}` }), kind);
  }
  return memory;
}

const seqs = (memory: EventMemory, query: Partial<EventQuery> = {}): number[] =>
  memory.page({ kind: 'all', limit: 500, ...query }).events.map(({ seq }) => seq);

describe('a page', () => {
  test('has the newest first, of its kind', () => {
    const memory = filled(9);
    expect(seqs(memory)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(seqs(memory, { kind: 'notable' })).toEqual([7, 4, 1]);
    expect(seqs(memory, { kind: 'rejected' })).toEqual([9, 6, 3]);
  });

  test('says whether there are more that match, and the next one begins before its last', () => {
    const memory = filled(9);
    const first = memory.page({ kind: 'all', limit: 4 });
    expect([first.events.map(({ seq }) => seq), first.more]).toEqual([[9, 8, 7, 6], true]);
    const next = memory.page({ kind: 'all', limit: 5, before: 6 });
    expect([next.events.map(({ seq }) => seq), next.more]).toEqual([[5, 4, 3, 2, 1], false]);
    expect(memory.page({ kind: 'all', limit: 3, types: new Set(['rejected']) }).more).toBe(false);
    expect(memory.page({ kind: 'all', limit: 2, types: new Set(['rejected']) }).more).toBe(true);
  });

  test('has only what its filter lets through', () => {
    const memory = filled(9);
    expect(seqs(memory, { from: AT + 4, to: AT + 6 })).toEqual([5, 4]);
    expect(seqs(memory, { slot: 's:0' })).toEqual([8, 6, 4, 2]);
    expect(seqs(memory, { slot: 's' })).toEqual([]);
    expect(seqs(memory, { types: new Set(['rejected', 'started']) })).toEqual([9, 8, 6, 5, 3, 2]);
    expect(seqs(memory, { slot: 's:1', types: new Set(['rejected']), from: AT + 4 })).toEqual([9]);
  });

  test('finds a part of the slot, the task, an id, the type and the sentence, in any case', () => {
    const memory = new EventMemory({ events: 10, notable: 10 });
    memory.add(rowOf(1, { slot: 'Orders:7' }), 'all');
    memory.add(rowOf(2, { name: 'send mail' }), 'all');
    memory.add(rowOf(3, { id: 'AbC-1' }), 'all');
    memory.add(rowOf(4, { other: 'xyz-2' }), 'all');
    memory.add(rowOf(5, { type: 'overrun' }), 'all');
    memory.add(rowOf(6, { text: 'was asked to STOP' }), 'all');
    memory.add({ seq: 7, at: AT, type: 'shutdownStarted', level: 'info', text: 'a shutdown began' }, 'all');
    const found = ['orders:', 'MAIL', 'abc', 'Xyz-', 'verru', 'to stop', 'began', 'nothing', ''].map(
      (q) => seqs(memory, { q }).length,
    );
    expect(found).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 7]);
  });

  test('says how far back its kind is remembered', () => {
    const memory = filled(9, { events: 4, notable: 2 });
    const keptSince = (kind: EventKind) => memory.page({ kind, limit: 1 }).keptSince;
    expect([keptSince('all'), keptSince('notable'), keptSince('rejected')]).toEqual([AT + 6, AT + 4, AT + 6]);
    expect(new EventMemory({ events: 4, notable: 2 }).page({ kind: 'all', limit: 1 })).toStrictEqual({
      events: [],
      more: false,
    });
  });
});

test('a flood of one kind pushes out nothing of another', () => {
  const memory = new EventMemory({ events: 5, notable: 3 });
  memory.add(rowOf(1), 'notable');
  for (let seq = 2; seq < 10_000; seq += 1) memory.add(rowOf(seq, { type: 'rejected' }), 'rejected');
  memory.add(rowOf(10_000, { type: 'started' }), 'all');
  expect(seqs(memory, { kind: 'notable' })).toEqual([1]);
  expect(seqs(memory, { kind: 'rejected' })).toEqual([9_999, 9_998, 9_997]);
  expect(seqs(memory)).toEqual([10_000, 9_999, 9_998, 9_997, 9_996]);
});

test('of one slot the notable and rejected ones are found, the newest first', () => {
  const memory = filled(20);
  expect(memory.of('s:1', 4).map(({ seq }) => seq)).toEqual([19, 15, 13, 9]);
  expect(memory.of('nothing', 4)).toEqual([]);
});

describe('what follows a seq', () => {
  const tail = (memory: EventMemory, seq: number, limit = 500, filter = {}) => {
    const { gap, events } = memory.after(seq, { kind: 'all', ...filter }, limit);
    return [events.map((row) => row.seq), gap];
  };

  test('is exact, the oldest first', () => {
    const memory = filled(9);
    expect(tail(memory, 6)).toEqual([[7, 8, 9], false]);
    expect(tail(memory, 9)).toEqual([[], false]);
    expect(tail(memory, 0)).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9], false]);
    expect(tail(memory, 2, 500, { kind: 'notable' })).toEqual([[4, 7], false]);
    expect(tail(memory, 2, 500, { slot: 's:1', types: new Set(['attemptFailed']) })).toEqual([[7], false]);
  });

  test('has a gap once one of them is no longer remembered, and not before', () => {
    const memory = filled(9, { events: 4, notable: 2 }); // all: 6 to 9; notable: 4 and 7
    expect(tail(memory, 5)).toEqual([[6, 7, 8, 9], false]);
    expect(tail(memory, 4)).toEqual([[6, 7, 8, 9], true]);
    expect(tail(memory, 1, 500, { kind: 'notable' })).toEqual([[4, 7], false]);
    expect(tail(memory, 0, 500, { kind: 'notable' })).toEqual([[4, 7], true]);
  });

  test('has a gap where not all fit, and the newest of them', () => {
    const memory = filled(9);
    expect(tail(memory, 4, 5)).toEqual([[5, 6, 7, 8, 9], false]);
    expect(tail(memory, 3, 5)).toEqual([[5, 6, 7, 8, 9], true]);
  });

  test('has a gap where events were lost on their way, for each kind', () => {
    const memory = filled(9);
    memory.add(rowOf(20, { type: 'eventsDropped' }), 'notable');
    memory.add(rowOf(21), 'notable');
    expect(tail(memory, 9)).toEqual([[20, 21], true]);
    expect(tail(memory, 9, 500, { kind: 'rejected' })).toEqual([[], true]);
    expect(tail(memory, 20)).toEqual([[21], false]);
  });

  test('is without loss and duplicate over any cuts', () => {
    const memory = filled(300);
    const seen: number[] = [];
    for (let seq = 0; seq < 300; seq += (seq * 7) % 11 || 1) {
      const { events } = memory.after(seq, { kind: 'all' }, 500);
      const next = seq + ((seq * 7) % 11 || 1);
      seen.push(...events.filter((row) => row.seq <= next).map((row) => row.seq));
    }
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  });
});
