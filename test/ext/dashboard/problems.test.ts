import { describe, expect, test } from 'vitest';
import { Problems, sameText } from '../../../src/ext/dashboard/problems.ts';
import type { SlotFailure } from '../../../src/ext/dashboard/wire.ts';

describe('two messages are the same text if they differ in words with digits', () => {
  test.each([
    ['upstream 12 answered 503', 'upstream # answered #'],
    ['timed out after 217 ms', 'timed out after # ms'],
    ['timed out after 217ms', 'timed out after #'],
    ['took 12.5ms, 1,024 bytes', 'took #, # bytes'],
    ['no user 7f3a9c', 'no user #'],
    ['no commit deadbeefcafe', 'no commit #'],
    ['no 0xDEADBEEF', 'no #'],
    ['no object 507f1f77bcf86cd799439011', 'no object #'],
    ['no order 123e4567-e89b-12d3-a456-426614174000!', 'no order #!'],
    ['no order abcdefab-abcd-abcd-abcd-abcdefabcdef!', 'no order #!'],
    ['connect ECONNREFUSED 10.0.0.17:5432', 'connect ECONNREFUSED #'],
    ['connect ECONNREFUSED ::1:5432', 'connect ECONNREFUSED ::#'],
    ['at 2026-11-27T10:52:11.123Z', 'at #'],
    ['slotvisor v1.2.3-beta', 'slotvisor #'],
    ['GET /v1/users/17/orders', 'GET /#/users/#/orders'],
    ['[1,2,3] is bad', '[#] is bad'],
    ['tenant_5, tenant-5, tenant:5', '#, #, tenant:#'],
    ['Größe5 und ٣٤', '# und #'],
    ['a facade was added; defaced', 'a facade was added; defaced'],
    ['-------- table --------', '-------- table --------'],
    ['no digits', 'no digits'],
    ['', ''],
  ])('%s', (message, text) => {
    expect(sameText(message)).toBe(text);
  });

  test('a text has at most 200 characters', () => {
    expect(sameText('word '.repeat(100))).toMatch(/^.{199}…$/);
  });

  test('long words cost no more than their length', () => {
    const startedMs = performance.now();
    for (const mark of ['a', '-', '#', '#.', '1.', '1,a']) sameText(mark.repeat(100_000));
    expect(performance.now() - startedMs).toBeLessThan(5_000); // a quadratic search takes minutes
  });
});

let at = 0;
function failure(message: string, given: Partial<SlotFailure> = {}): SlotFailure {
  at += 1;
  return { at, id: `id-${at}`, name: 'sync', attempt: 1, kind: 'thrown', message, ...given };
}

test('failures of one group, kind, error and text are one problem, with its count, times and slots', () => {
  const problems = new Problems(200);
  at = 0;
  for (const tenant of [1, 2, 1, 3]) problems.add('sync', `sync:${tenant}`, failure(`upstream ${tenant} is down`));
  expect(problems.rows()).toEqual([
    {
      ...{ group: 'sync', kind: 'thrown', text: 'upstream # is down', count: 4, first: 1, last: 4 },
      slots: ['sync:2', 'sync:1', 'sync:3'],
      latest: failureAt(4, 'upstream 3 is down'),
    },
  ]);
});

function failureAt(time: number, message: string): SlotFailure {
  return { at: time, id: `id-${time}`, name: 'sync', attempt: 1, kind: 'thrown', message };
}

test('another group, kind, name, code or text is another problem', () => {
  const problems = new Problems(200);
  const error = { name: 'Error', message: 'boom' };
  problems.add('a', 'a:1', failure('boom', { error }));
  problems.add('b', 'b:1', failure('boom', { error }));
  problems.add('a', 'a:1', failure('boom', { kind: 'exited' }));
  problems.add('a', 'a:1', failure('boom', { error: { ...error, name: 'TypeError' } }));
  problems.add('a', 'a:1', failure('boom', { error: { ...error, code: 'EBOOM' } }));
  problems.add('a', 'a:1', failure('bang', { error }));
  problems.add('a', 'a:1', failure('boom', { error })); // the first one again
  expect(
    problems.rows().map(({ group, kind, name, code, text, count }) => [group, kind, name, code, text, count]),
  ).toEqual([
    ['a', 'thrown', 'Error', undefined, 'boom', 2],
    ['a', 'thrown', 'Error', undefined, 'bang', 1],
    ['a', 'thrown', 'Error', 'EBOOM', 'boom', 1],
    ['a', 'thrown', 'TypeError', undefined, 'boom', 1],
    ['a', 'exited', undefined, undefined, 'boom', 1],
    ['b', 'thrown', 'Error', undefined, 'boom', 1],
  ]);
});

test('parts of a problem cannot be mistaken for one another', () => {
  const problems = new Problems(200);
  problems.add('a', 'a', failure('x', { error: { name: 'n', code: 'c', message: 'x' } }));
  problems.add('a', 'a', failure('x', { error: { name: 'n","c', message: 'x' } }));
  problems.add('a\n', 'a', failure('x', { error: { name: 'n', code: 'c', message: 'x' } }));
  expect(problems.rows().length).toBe(3);
});

test('the problem that came last longest ago makes room for a new one', () => {
  const problems = new Problems(3);
  for (const text of ['a', 'b', 'c', 'a', 'd', 'e']) problems.add('g', 's', failure(text));
  expect(problems.rows().map(({ text, count }) => [text, count])).toEqual([
    ['e', 1],
    ['d', 1],
    ['a', 2],
  ]);
});

test('it names the five slots that failed last', () => {
  const problems = new Problems(3);
  for (const n of [1, 2, 3, 4, 5, 6, 7, 3]) problems.add('g', `s:${n}`, failure('x'));
  expect(problems.rows()[0]?.slots).toEqual(['s:4', 's:5', 's:6', 's:7', 's:3']);
});

test('the latest failure with a stack stays, so that a flood of others does not hide it', () => {
  const problems = new Problems(3);
  const error = { name: 'Error', message: 'x' };
  const latest = () => problems.rows()[0]?.latest.id;
  problems.add('g', 's', failure('x', { id: 'bare', error }));
  expect(latest()).toBe('bare');
  problems.add('g', 's', failure('x', { id: 'bare too', error }));
  expect(latest()).toBe('bare too');
  problems.add('g', 's', failure('x', { id: 'with stack', error: { ...error, stack: 'at x' } }));
  problems.add('g', 's', failure('x', { id: 'bare again', error }));
  expect(latest()).toBe('with stack');
  expect(problems.rows()[0]?.count).toBe(4);
});

test('rows that were given out do not change', () => {
  const problems = new Problems(3);
  problems.add('g', 's', failure('x'));
  const [row] = problems.rows();
  problems.add('g', 't', failure('x'));
  expect(row).toMatchObject({ count: 1, slots: ['s'] });
});
