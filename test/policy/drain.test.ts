import { describe, expect, test } from 'vitest';
import { type DrainInput, type DrainState, drainStep, KILL_PATIENCE_MS, OPEN } from '../../src/policy/drain.ts';

function walk(...inputs: DrainInput[]): { readonly state: DrainState; readonly did: readonly string[] } {
  let state: DrainState = OPEN;
  const did: string[] = [];
  for (const input of inputs) {
    const step = drainStep(state, input);
    state = step.state;
    did.push(...step.effects.map((effect) => ('atMs' in effect ? `${effect.do} ${effect.atMs}` : effect.do)));
  }
  return { state, did };
}

const begin: DrainInput = { kind: 'begin', graceMs: 100, nowMs: 1_000 };

describe('the steps of a shutdown', () => {
  test('everything ends within the grace: stop, flush, report', () => {
    const { state, did } = walk(begin, { kind: 'empty' }, { kind: 'flushed' });
    expect(did).toEqual(['stopAll', 'graceUntil 1100', 'flush', 'report']);
    expect(state.phase).toBe('closed');
  });

  test('after the grace what is left is killed or abandoned, and after the patience abandoned', () => {
    const { did } = walk(begin, { kind: 'graceOver', nowMs: 1_100 }, { kind: 'patienceOver' }, { kind: 'empty' });
    expect(did).toEqual([
      'stopAll',
      'graceUntil 1100',
      'killOrAbandon',
      `patienceUntil ${1_100 + KILL_PATIENCE_MS}`,
      'abandonRest',
      'flush',
    ]);
  });

  test('a shorter grace hastens, a longer one changes nothing, and a timer of the longer one comes too early for nobody', () => {
    expect(walk(begin, { kind: 'hasten', graceMs: 10, nowMs: 1_000 }).state.deadlineMs).toBe(1_010);
    expect(walk(begin, { kind: 'hasten', graceMs: 999, nowMs: 1_000 }).state.deadlineMs).toBe(1_100);
    expect(walk(begin, { kind: 'graceOver', nowMs: 1_050 }).did).toEqual(['stopAll', 'graceUntil 1100']);
  });

  test('a grace that ends when the present one does sets no timer anew', () => {
    const { did } = walk(begin, { kind: 'hasten', graceMs: 60, nowMs: 1_040 });
    expect(did).toEqual(['stopAll', 'graceUntil 1100']);
  });

  test('it begins once, and input out of its time changes nothing', () => {
    const everything: DrainInput[] = [
      begin,
      { kind: 'hasten', graceMs: 0, nowMs: 0 },
      { kind: 'graceOver', nowMs: 9e9 },
      { kind: 'patienceOver' },
      { kind: 'empty' },
      { kind: 'flushed' },
    ];
    for (const input of everything.slice(1)) expect(drainStep(OPEN, input)).toEqual({ state: OPEN, effects: [] });
    const { state } = walk(begin, { kind: 'empty' }, { kind: 'flushed' });
    for (const input of everything) expect(drainStep(state, input)).toEqual({ state, effects: [] });
  });

  test('every reachable state closes: no order of inputs leaves a phase without a way on', () => {
    const seen = new Map<string, DrainState>();
    const open: DrainState[] = [OPEN];
    const inputs: DrainInput[] = [
      begin,
      { kind: 'hasten', graceMs: 0, nowMs: 1_000 },
      { kind: 'graceOver', nowMs: 9_999 },
      { kind: 'patienceOver' },
      { kind: 'empty' },
      { kind: 'flushed' },
    ];
    for (const state of open) {
      const key = JSON.stringify(state);
      if (seen.has(key)) continue;
      seen.set(key, state);
      for (const input of inputs) open.push(drainStep(state, input).state);
    }
    for (const state of seen.values()) {
      const end = inputs.reduce((from, input) => drainStep(from, input).state, state);
      expect(end.phase).toBe('closed');
    }
    expect(new Set([...seen.values()].map(({ phase }) => phase)).size).toBe(5);
  });
});
