import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AdmissionPolicy } from '../../src/model/settings.ts';
import { WaitingLine } from '../../src/policy/waiting-line.ts';
import { Entry } from '../support/slot-world.ts';

/** What a line shows, and what a reference of the same queue must show. */
const shown = (line: WaitingLine<Entry>) => ({
  order: [...line].map(({ n }) => n),
  first: line.first?.n,
  latest: line.latest?.n,
  queueLength: line.queueLength,
  length: line.length,
});

const expected = (replacement: Entry | undefined, queue: readonly Entry[]) => {
  const order = [...(replacement ? [replacement] : []), ...queue];
  return {
    order: order.map(({ n }) => n),
    first: order[0]?.n,
    latest: queue.find(({ policy }) => policy === 'keepLatest')?.n,
    queueLength: queue.length,
    length: order.length,
  };
};

function lineOf(...policies: readonly AdmissionPolicy[]) {
  const line = new WaitingLine<Entry>();
  const queue = policies.map((policy, n) => new Entry(n, policy));
  for (const entry of queue) line.append(entry);
  return { line, queue };
}

describe('a line', () => {
  test('is empty at first', () => {
    expect(shown(new WaitingLine<Entry>())).toEqual(expected(undefined, []));
  });

  test('has the replacement first, which does not count to the queue', () => {
    const { line, queue } = lineOf('queue', 'join');
    const replacement = new Entry(9, 'replace');
    line.replacement = replacement;
    expect(shown(line)).toEqual(expected(replacement, queue));
    line.remove(replacement);
    expect(shown(line)).toEqual(expected(undefined, queue));
  });

  test('has as its oldest entry the head, or the one behind it', () => {
    const { line, queue } = lineOf('queue', 'queue');
    expect([line.oldest(false), line.oldest(true)]).toEqual(queue);
  });

  test('has as its newest entries the last ones of the queue, in their order', () => {
    const { line, queue } = lineOf('queue', 'queue', 'queue');
    line.replacement = new Entry(9, 'replace');
    expect([0, 1, 2, 3, 9].map((count) => line.newest(count))).toEqual([
      [],
      queue.slice(2),
      queue.slice(1),
      queue,
      queue,
    ]);
  });

  test('that is cut off is linked from its first entry to its last', () => {
    for (const replacement of [null, new Entry(9, 'replace')]) {
      const { line, queue } = lineOf('queue', 'queue');
      line.replacement = replacement;
      const linked: Entry[] = [];
      for (let entry = line.cut(); entry !== null; entry = entry.behind) linked.push(entry);
      expect([linked, line.isCut]).toEqual([replacement === null ? queue : [replacement, ...queue], true]);
    }
  });

  test('is, after any changes, what a list is after the same changes', () => {
    const step = fc.record({ what: fc.constantFrom('append', 'remove', 'takePlace', 'replace'), at: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const line = new WaitingLine<Entry>();
        const queue: Entry[] = [];
        let replacement: Entry | undefined;
        steps.forEach(({ what, at }, n) => {
          const found = queue[at];
          const isLatestFree = line.latest === null || line.latest === found;
          const entry = new Entry(n, isLatestFree && n % 2 === 0 ? 'keepLatest' : 'queue');
          if (what === 'replace') {
            if (replacement !== undefined) line.remove(replacement);
            replacement = replacement === undefined ? new Entry(n, 'replace') : undefined;
            line.replacement = replacement ?? null;
          } else if (found === undefined) {
            if (line.latest !== null && entry.policy === 'keepLatest') return;
            line.append(entry);
            queue.push(entry);
          } else if (what === 'takePlace') {
            line.takePlace(found, entry);
            queue.splice(at, 1, entry);
          } else {
            line.remove(found);
            queue.splice(at, 1);
          }
          expect(shown(line)).toEqual(expected(replacement, queue));
        });
      }),
    );
  });

  test('keeps no link in an entry that has left it, so that it can be collected', () => {
    const { line, queue } = lineOf('queue', 'keepLatest', 'queue');
    const [first, second, third] = queue as [Entry, Entry, Entry];
    line.remove(third);
    line.takePlace(second, new Entry(9, 'keepLatest'));
    line.remove(first);
    expect(queue.flatMap(({ ahead, behind }) => [ahead, behind])).toEqual(Array(6).fill(null));
  });
});

test('a copy of a line has the same order, and its own links', () => {
  const { line, queue } = lineOf('queue', 'keepLatest', 'queue');
  line.replacement = new Entry(9, 'replace');
  const copies = new Map<Entry, Entry>();
  const copyOf = (entry: Entry): Entry => {
    let copy = copies.get(entry);
    if (copy === undefined) {
      copy = new Entry(entry.n, entry.policy);
      copies.set(entry, copy);
      copy.ahead = entry.ahead && copyOf(entry.ahead);
      copy.behind = entry.behind && copyOf(entry.behind);
    }
    return copy;
  };
  const before = shown(line);
  const copy = line.copy(copyOf);
  expect(shown(copy)).toEqual(before);
  copy.remove(copyOf(queue[1] as Entry));
  copy.append(new Entry(7, 'keepLatest'));
  expect(shown(copy).order).toEqual([9, 0, 2, 7]);
  expect(shown(line)).toEqual(before);
});
