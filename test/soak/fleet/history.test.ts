// Small histories: each rule has one that breaks it, and one that comes close.

import { describe, expect, it } from 'vitest';
import { type HistoryLine, judge, type Measure, RULES, type Rule } from './history.ts';

const TTL_MS = 4_000;

type Body = readonly [pid: number, fence: number];
type Plain = Omit<HistoryLine, 'at'> & Record<string, unknown>;

const deed = (is: 'begin' | 'step' | 'end' | 'refused', [pid, fence]: Body): Plain => ({
  is,
  pid,
  slot: 's',
  fence: `${fence}`,
});
const place = (is: 'asks' | 'waits' | 'leaves', pid: number, mode?: string): Plain => ({ is, pid, slot: 's', mode });
const fault = (is: string, pid: number): Plain => ({ is, pid }) as never;
const row = (fence: number): Plain => ({ is: 'row', slot: 's', fence: `${fence}` });

/** One line a millisecond. A number lets so many ms pass. */
function historyOf(...told: (Plain | number)[]): HistoryLine[] {
  let at = 0;
  const lines: HistoryLine[] = [];
  for (const one of told) {
    at += typeof one === 'number' ? one : 1;
    if (typeof one !== 'number') lines.push({ at, ...one } as never);
  }
  return lines;
}

function broken(lines: readonly HistoryLine[], measure: Partial<Measure> = {}): Rule[] {
  const { counts } = judge(lines, { ttlMs: TTL_MS, ...measure });
  return RULES.filter((rule) => counts[rule] > 0);
}

const a: Body = [1, 10];
const b: Body = [2, 20];
const handOver = [deed('begin', a), deed('step', a), deed('end', a), deed('begin', b), deed('step', b), deed('end', b)];

describe('a history', () => {
  it('in which one body follows the other breaks no rule', () => {
    const { counts, words, figures } = judge(historyOf(...handOver, row(10), row(20)), { ttlMs: TTL_MS });
    expect(Object.values(counts).every((count) => count === 0)).toBe(true);
    expect(words).toEqual([]);
    expect(figures).toMatchObject({ bodies: 2, steps: 2, writes: 2, 'refused writes': 0 });
  });

  it('is judged in the order of its moments, in whatever order its lines came', () => {
    expect(broken(historyOf(...handOver).reverse())).toEqual([]);
  });
});

describe('a stale step', () => {
  it('is one under a fence after a step under a greater one', () => {
    expect(broken(historyOf(...handOver, deed('step', a)))).toEqual(['stale step']);
  });
  it('is none before the first step under the greater fence', () => {
    expect(broken(historyOf(deed('begin', a), deed('end', a), deed('begin', b), deed('step', a)))).toEqual([]);
  });
});

describe('an overlap', () => {
  it('is a body that begins while another one is alive', () => {
    expect(broken(historyOf(deed('begin', a), deed('begin', b)))).toEqual(['overlap']);
    expect(broken(historyOf(deed('begin', a), deed('begin', [1, 11])))).toEqual(['overlap']);
  });
  it('is none if the process of the other one is dead', () => {
    expect(broken(historyOf(deed('begin', a), fault('killed', 1), deed('begin', b)))).toEqual([]);
  });
  for (const [what, stop] of [
    ['is frozen', [fault('frozen', 1)]],
    ['was frozen until now', [fault('frozen', 1), TTL_MS, fault('thawed', 1)]],
    ['did not run', [3_000, { is: 'stood', pid: 1, since: 5 }]],
  ] as [string, (Plain | number)[]][])
    it(`is none if the process of the other one ${what}`, () => {
      expect(broken(historyOf(deed('begin', a), ...stop, deed('begin', b)))).toEqual([]);
    });
  it('is one if the process of the other one was frozen long ago, or is cut off', () => {
    const frozen = [fault('frozen', 1), fault('thawed', 1), 2 * TTL_MS];
    expect(broken(historyOf(deed('begin', a), ...frozen, deed('begin', b)))).toEqual(['overlap']);
    expect(broken(historyOf(deed('begin', a), fault('hindered', 1), deed('begin', b)))).toEqual(['overlap']);
  });
});

describe('a fence', () => {
  it('is shared if two processes begin bodies under it', () => {
    expect(broken(historyOf(deed('begin', a), deed('end', a), deed('begin', [2, 10])))).toEqual(['shared fence']);
  });
  it('is not shared by the bodies of one process', () => {
    expect(broken(historyOf(deed('begin', a), deed('end', a), deed('begin', a)))).toEqual([]);
  });
  it('falls if a body begins under it after one under a greater fence', () => {
    const lines = historyOf(deed('begin', b), deed('end', b), deed('begin', a), deed('end', a));
    expect(broken(lines)).toEqual(['falling fence']);
  });
});

describe('a stale write', () => {
  it('is one that the resource took after a write under a greater fence', () => {
    expect(broken(historyOf(...handOver, row(20), row(10)))).toEqual(['stale write']);
  });
  it('is one under a fence that no body had', () => {
    expect(broken(historyOf(...handOver, row(15)))).toEqual(['stale write']);
  });
  it('is none that the resource refused', () => {
    expect(broken(historyOf(...handOver, deed('refused', a), row(20)))).toEqual([]);
  });
});

describe('a silence', () => {
  const steps = (...between: (Plain | number)[]) =>
    historyOf(deed('begin', a), deed('step', a), ...between, deed('step', a));
  const busy = { busy: ['s'], judgesSilence: true };
  it('is one longer than the ttl and 2 s, of a slot that always has work', () => {
    expect(broken(steps(TTL_MS + 2_100), busy)).toEqual(['silence']);
    expect(broken(steps(TTL_MS + 1_900), busy)).toEqual([]);
  });
  it('may last twice the ttl and 2 s if two processes were disturbed', () => {
    const faults = [fault('killed', 3), fault('hindered', 4), fault('eased', 4)];
    expect(broken(steps(...faults, 2 * TTL_MS + 2_100), busy)).toEqual(['silence']);
    expect(broken(steps(...faults, 2 * TTL_MS + 1_900), busy)).toEqual([]);
  });
  it('may last longer while the store was away, in other slots, and where it is not judged', () => {
    expect(broken(steps({ is: 'away' }, 9_000, { is: 'back' }, 9_000), busy)).toEqual([]);
    expect(broken(steps(20_000), { busy: ['t'], judgesSilence: true })).toEqual([]);
    expect(broken(steps(20_000), { busy: ['s'] })).toEqual([]);
  });
  it('is one of a slot without a step after the last fault', () => {
    const lines = (...after: Plain[]) => historyOf(deed('begin', a), deed('step', a), { is: 'healed' }, ...after);
    expect(broken(lines(), { busy: ['s'] })).toEqual(['silence']);
    expect(broken(lines(deed('step', a)), { busy: ['s'] })).toEqual([]);
  });
});

describe('the order', () => {
  const line = (...between: Plain[]) => [place('asks', 1), place('waits', 1), ...between, place('asks', 2)];
  it('is broken if a process asked after another one was in line, and goes before it', () => {
    expect(broken(historyOf(...line(), deed('begin', b)))).toEqual(['order']);
  });
  it('is kept if the first in line goes first', () => {
    expect(broken(historyOf(...line(), deed('begin', a), deed('end', a), deed('begin', b)))).toEqual([]);
  });
  for (const [what, lines] of [
    ['is urgent', [place('asks', 1), place('waits', 1), place('asks', 2, 'urgent')]],
    ['asked before the other one was in line', [place('asks', 1), place('asks', 2), place('waits', 1)]],
    ['goes before one that has left', [...line(), place('leaves', 1)]],
    ['goes before one that was disturbed', line(fault('hindered', 1), fault('eased', 1))],
    ['goes before one whose beat was late', [...line(), { is: 'late', pid: 1, since: 2 }]],
    ['goes before one, and the store was away', line({ is: 'away' }, { is: 'back' })],
  ] as [string, Plain[]][])
    it(`is kept by a process that ${what}`, () => {
      expect(broken(historyOf(...lines, deed('begin', b)))).toEqual([]);
    });
  it('is kept by a body that follows another one of its process under the same fence', () => {
    const own = [place('asks', 2), deed('begin', b), place('asks', 1), place('waits', 1), deed('end', b)];
    expect(broken(historyOf(...own, deed('begin', b)))).toEqual([]);
  });
});

describe('what is left', () => {
  it('in the store is counted', () => {
    expect(broken(historyOf({ is: 'left', what: 'slots', count: 1 } as never))).toEqual(['leftover']);
    expect(broken(historyOf({ is: 'left', what: 'slots', count: 0 } as never))).toEqual([]);
  });
  it('of an error is found: one that nothing caught, and an exit with a code', () => {
    expect(broken(historyOf({ is: 'uncaught', pid: 1, text: 'TypeError' } as never))).toEqual(['uncaught error']);
    expect(broken(historyOf({ is: 'exited', pid: 1, how: '1' } as never))).toEqual(['uncaught error']);
    expect(broken(historyOf({ is: 'exited', pid: 1, how: '0' } as never))).toEqual([]);
    const killed = [fault('killed', 1), { is: 'exited', pid: 1, how: 'SIGKILL' } as never];
    expect(broken(historyOf(...killed))).toEqual([]);
  });
});
