import type { SlotView, TaskView } from 'slotvisor';
import { describe, expect, it } from 'vitest';
import {
  keyOf,
  matcher,
  ORDERS,
  readSlotQuery,
  type SlotQuery,
  seen,
  statesOf,
} from '../../../src/ext/dashboard/query.ts';

const query = (params: Record<string, string> = {}): SlotQuery => readSlotQuery(new URLSearchParams(params));

const task = (fields: Partial<TaskView> = {}): TaskView => ({
  id: 'p-1' as TaskView['id'],
  name: 'task',
  slot: 's',
  policy: 'queue',
  status: 'running',
  attempt: 1,
  retries: 0,
  streak: 0,
  sinceMs: 0,
  ageMs: 0,
  meta: undefined,
  ...fields,
});
const slot = (fields: Partial<SlotView> = {}): SlotView => ({
  name: 's',
  phase: fields.owner === undefined ? 'idle' : 'running',
  paused: false,
  queuedCount: 0,
  queued: [],
  ...fields,
});
const owned = (fields: Partial<TaskView>, more: Partial<SlotView> = {}): SlotView =>
  slot({ owner: task(fields), ...more });

describe('the query of an address', () => {
  it('has defaults', () => {
    expect(query()).toEqual({ q: '', states: [], sort: 'attention', offset: 0, limit: 50 });
  });

  it('takes each parameter', () => {
    const params = { q: 'a b', group: 'sync', status: 'backoff,overrun', sort: 'name', offset: '1900', limit: '100' };
    expect(query(params)).toEqual({
      ...params,
      status: undefined,
      states: ['backoff', 'overrun'],
      offset: 1_900,
      limit: 100,
    });
  });

  it('takes an empty group for the group whose name is empty', () => {
    expect(query({ group: '' }).group).toBe('');
  });

  it.each([
    [{ q: 'x'.repeat(201) }, 'q must be at most 200 characters'],
    [{ status: 'runing' }, "status must be one of 'starting'"],
    [{ status: 'ended' }, 'status must be one of'],
    [{ sort: 'size' }, "sort must be one of 'attention'"],
    [{ offset: '-1' }, 'offset must be a whole number from 0 to 2000, got "-1"'],
    [{ offset: '1e3' }, 'offset must be a whole number'],
    [{ offset: '' }, 'offset must be a whole number'],
    [{ limit: '0' }, 'limit must be a whole number from 1 to 200, got 0'],
    [{ limit: '201' }, 'limit must be a whole number from 1 to 200, got 201'],
    [{ limit: '5.5' }, 'limit must be a whole number'],
    [{ offset: '1951' }, 'offset and limit together must be at most 2000: narrow the filter, got 1951'],
    [{ offset: '1801', limit: '200' }, 'offset and limit together'],
  ])('refuses %j', (params, message) => {
    expect(() => query(params as Record<string, string>)).toThrow(message);
  });

  it('has a key that is the same for equal queries only', () => {
    expect(query({ status: 'dead,'.repeat(2_000) }).states).toEqual(['dead']);
    expect(keyOf(query({ status: 'backoff,overrun,backoff' }))).toBe(keyOf(query({ status: 'overrun,backoff' })));
    const others = [
      {},
      { q: 'a' },
      { q: 'A' },
      { group: '' },
      { group: 'null' },
      { status: 'dead' },
      { sort: 'name' },
      { offset: '1' },
      { limit: '1' },
    ];
    expect(new Set(others.map((params) => keyOf(query(params as Record<string, string>)))).size).toBe(others.length);
  });
});

describe('the states of a slot', () => {
  it.each([
    ['idle', slot(), []],
    ['a slot that runs', owned({}), ['running']],
    ['a slot with a line', owned({}, { queuedCount: 1 }), ['running', 'waiting']],
    ['a slot that asks for its lease', slot({ phase: 'waiting', queuedCount: 2 }), ['lease']],
    ['a slot that lost its lease', owned({ status: 'suspended' }), ['suspended', 'lease']],
    ['a paused slot', slot({ paused: true }), ['paused']],
    ['a paused slot with work', slot({ paused: true, queuedCount: 1 }), ['paused', 'waiting']],
    ['four failures in a row', owned({ status: 'backoff', streak: 4, retries: 9 }), ['backoff']],
    ['five failures in a row', owned({ status: 'running', streak: 5 }), ['running', 'failing']],
    ['a dead slot', slot({ vital: 'dead' }), ['dead']],
    ['a vital slot that lives', owned({}, { vital: 'alive' }), ['running']],
  ] as const)('%s', (_, view, states) => {
    expect(statesOf(view)).toEqual(states);
  });
});

const found = (params: Record<string, string>, view: SlotView, group = 'g', slotOfId?: string): boolean =>
  matcher(query(params), slotOfId)(seen(view, group, 0));

describe('a slot matches', () => {
  const view = owned(
    { name: 'Revision 7', lastFailure: { kind: 'timedOut', afterMs: 5, message: 'Timed OUT', fatal: false } },
    { name: 'sync:Acme' },
  );

  it.each(['', 'ACME', 'nc:ac', 'revision', 'timed out', 'd out'])('by a part of a text, in any case: %j', (q) => {
    expect(found({ q }, view)).toBe(true);
  });

  it.each(['acme ', 'p-', 'task', 'timedOut.'])('not by a text that it has not, nor by a part of an id: %j', (q) => {
    expect(found({ q }, view)).toBe(false);
  });

  it('by the id of a task of its own', () => {
    expect(found({ q: 'p-12' }, view, 'g', 'sync:Acme')).toBe(true);
    expect(found({ q: 'p-12' }, view, 'g', 'sync:acme')).toBe(false);
  });

  it('by its whole group, and by any of several states, and only by all that is asked for', () => {
    expect(found({ group: 'g' }, view)).toBe(true);
    expect(found({ group: 'G' }, view)).toBe(false);
    expect(found({ status: 'backoff,running' }, view)).toBe(true);
    expect(found({ status: 'backoff' }, view)).toBe(false);
    expect(found({ q: 'acme', group: 'g', status: 'backoff' }, view)).toBe(false);
  });

  it('with characters that mean something elsewhere', () => {
    expect(found({ q: '.*' }, view)).toBe(false);
    const matches = matcher({ ...query(), q: '\ud800' }, undefined);
    expect(matches(seen(slot({ name: 'a\ud800b' }), 'g', 0))).toBe(true);
  });
});

const orderOf = (sort: SlotQuery['sort'], views: readonly SlotView[]): string[] =>
  views
    .map((view) => seen(view, 'g', 100_000))
    .sort(ORDERS[sort])
    .map(({ view }) => view.name);

describe('the order', () => {
  it('attention begins with what is dead and ends with what runs', () => {
    const views = [
      owned({ status: 'interval' }, { name: 'n' }),
      owned({ status: 'running' }, { name: 'm' }),
      slot({ paused: true, name: 'l' }),
      owned({ status: 'stopping', sinceMs: 9_999 }, { name: 'k' }),
      slot({ phase: 'waiting', queuedCount: 1, name: 'j' }),
      owned({ status: 'starting' }, { name: 'i' }),
      owned({}, { queuedCount: 1, name: 'h' }),
      slot({ paused: true, queuedCount: 1, name: 'g' }),
      owned({ status: 'suspended' }, { name: 'f' }),
      owned({ status: 'backoff', streak: 4 }, { name: 'e' }),
      owned({ status: 'running', streak: 5 }, { name: 'd' }),
      owned({ status: 'stopping', sinceMs: 10_000 }, { name: 'c' }),
      owned({ status: 'overrun' }, { name: 'b' }),
      slot({ vital: 'dead', name: 'a' }),
    ];
    expect(orderOf('attention', views).join('')).toBe('abcdefghijklmn');
  });

  it('attention puts the longest first among equals, and then goes by name', () => {
    const views = [
      ['c', 5],
      ['b', 50],
      ['a', 5],
    ] as const;
    expect(
      orderOf(
        'attention',
        views.map(([name, sinceMs]) => owned({ sinceMs }, { name })),
      ),
    ).toEqual(['b', 'a', 'c']);
  });

  it('since puts the longest first, by the wait where there is no owner, and idle slots last', () => {
    const waits = slot({ name: 'waits', phase: 'waiting', queuedCount: 1, queued: [task({ sinceMs: 20 })] });
    const views = [
      slot({ name: 'idle', paused: true }),
      owned({ sinceMs: 10 }, { name: 'new' }),
      waits,
      owned({ sinceMs: 30 }, { name: 'old' }),
    ];
    expect(orderOf('since', views)).toEqual(['old', 'waits', 'new', 'idle']);
  });

  it('waiting, retries and name', () => {
    const views = [
      owned({ retries: 2 }, { name: 'b', queuedCount: 1 }),
      owned({ retries: 2 }, { name: 'a', queuedCount: 10 }),
      slot({ name: 'B', paused: true }),
    ];
    expect(orderOf('waiting', views)).toEqual(['a', 'b', 'B']);
    expect(orderOf('retries', views)).toEqual(['a', 'b', 'B']);
    expect(orderOf('name', views)).toEqual(['B', 'a', 'b']);
  });
});
