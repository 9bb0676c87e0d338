import { describe, expect, test } from 'vitest';
import {
  KILL_PATIENCE_MS,
  OPEN,
  type ShutdownInput,
  type ShutdownState,
  shutdownStep,
} from '../../src/policy/shutdown.ts';

function run(...inputs: ShutdownInput[]): { readonly state: ShutdownState; readonly effects: readonly string[] } {
  let state: ShutdownState = OPEN;
  const effects: string[] = [];
  for (const input of inputs) {
    const step = shutdownStep(state, input);
    state = step.state;
    effects.push(...step.effects.map((effect) => ('atMs' in effect ? `${effect.do} ${effect.atMs}` : effect.do)));
  }
  return { state, effects };
}

const begin: ShutdownInput = { kind: 'begin', cause: 'caller', graceMs: 100, nowMs: 1_000 };

describe('a shutdown', () => {
  test('stops everything, flushes and reports when all ends within the grace', () => {
    const { state, effects } = run(begin, { kind: 'empty' }, { kind: 'flushed' });
    expect(effects).toEqual(['stopAll', 'graceUntil 1100', 'flush', 'report']);
    expect(state.phase).toBe('closed');
  });

  test('kills or abandons what is left after the grace, and abandons what is left after the patience', () => {
    const { effects } = run(begin, { kind: 'graceOver', nowMs: 1_100 }, { kind: 'patienceOver' }, { kind: 'empty' });
    expect(effects).toEqual([
      'stopAll',
      'graceUntil 1100',
      'killOrAbandon',
      `patienceUntil ${1_100 + KILL_PATIENCE_MS}`,
      'abandonRest',
      'flush',
    ]);
  });

  test('ends earlier for a shorter grace, ignores a longer one, and ignores a timer that fires before the deadline', () => {
    expect(run(begin, { kind: 'hasten', graceMs: 10, nowMs: 1_000 }).state).toMatchObject({ deadlineMs: 1_010 });
    expect(run(begin, { kind: 'hasten', graceMs: 999, nowMs: 1_000 }).state).toMatchObject({ deadlineMs: 1_100 });
    expect(run(begin, { kind: 'graceOver', nowMs: 1_050 }).effects).toEqual(['stopAll', 'graceUntil 1100']);
  });

  test('sets no second timer for a grace that ends when the present grace does', () => {
    const { effects } = run(begin, { kind: 'hasten', graceMs: 60, nowMs: 1_040 });
    expect(effects).toEqual(['stopAll', 'graceUntil 1100']);
  });

  test('reports its cause, and whether everything ended within the grace', () => {
    const kept = run(begin, { kind: 'empty' }).state;
    expect(shutdownStep(kept, { kind: 'flushed' }).effects).toEqual([
      { do: 'report', cause: 'caller', withinGrace: true },
    ]);
    const forced = run(begin, { kind: 'graceOver', nowMs: 1_100 }, { kind: 'empty' }).state;
    expect(shutdownStep(forced, { kind: 'flushed' }).effects).toEqual([
      { do: 'report', cause: 'caller', withinGrace: false },
    ]);
  });

  test('begins once, and input in another phase than its own changes nothing', () => {
    const everything: ShutdownInput[] = [
      begin,
      { kind: 'hasten', graceMs: 0, nowMs: 0 },
      { kind: 'graceOver', nowMs: 9e9 },
      { kind: 'patienceOver' },
      { kind: 'empty' },
      { kind: 'flushed' },
    ];
    for (const input of everything.slice(1)) expect(shutdownStep(OPEN, input)).toEqual({ state: OPEN, effects: [] });
    const { state } = run(begin, { kind: 'empty' }, { kind: 'flushed' });
    for (const input of everything) expect(shutdownStep(state, input)).toEqual({ state, effects: [] });
  });

  test('can close from every state that any order of inputs reaches', () => {
    const seen = new Map<string, ShutdownState>();
    const open: ShutdownState[] = [OPEN];
    const inputs: ShutdownInput[] = [
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
      for (const input of inputs) open.push(shutdownStep(state, input).state);
    }
    for (const state of seen.values()) {
      const end = inputs.reduce((from, input) => shutdownStep(from, input).state, state);
      expect(end.phase).toBe('closed');
    }
    expect(new Set([...seen.values()].map(({ phase }) => phase)).size).toBe(5);
  });
});
