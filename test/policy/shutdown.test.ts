import { describe, expect, test } from 'vitest';
import {
  KILL_PATIENCE_MS,
  OPEN,
  type ShutdownInput,
  type ShutdownState,
  shutdownStep,
} from '../../src/policy/shutdown.ts';

function walk(...inputs: ShutdownInput[]): { readonly state: ShutdownState; readonly did: readonly string[] } {
  let state: ShutdownState = OPEN;
  const did: string[] = [];
  for (const input of inputs) {
    const step = shutdownStep(state, input);
    state = step.state;
    did.push(...step.effects.map((effect) => ('atMs' in effect ? `${effect.do} ${effect.atMs}` : effect.do)));
  }
  return { state, did };
}

const begin: ShutdownInput = { kind: 'begin', cause: 'caller', graceMs: 100, nowMs: 1_000 };

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
    expect(walk(begin, { kind: 'hasten', graceMs: 10, nowMs: 1_000 }).state).toMatchObject({ deadlineMs: 1_010 });
    expect(walk(begin, { kind: 'hasten', graceMs: 999, nowMs: 1_000 }).state).toMatchObject({ deadlineMs: 1_100 });
    expect(walk(begin, { kind: 'graceOver', nowMs: 1_050 }).did).toEqual(['stopAll', 'graceUntil 1100']);
  });

  test('a grace that ends when the present one does sets no timer anew', () => {
    const { did } = walk(begin, { kind: 'hasten', graceMs: 60, nowMs: 1_040 });
    expect(did).toEqual(['stopAll', 'graceUntil 1100']);
  });

  test('the report names the cause, and says whether the grace was kept', () => {
    const kept = walk(begin, { kind: 'empty' }).state;
    expect(shutdownStep(kept, { kind: 'flushed' }).effects).toEqual([
      { do: 'report', cause: 'caller', withinGrace: true },
    ]);
    const forced = walk(begin, { kind: 'graceOver', nowMs: 1_100 }, { kind: 'empty' }).state;
    expect(shutdownStep(forced, { kind: 'flushed' }).effects).toEqual([
      { do: 'report', cause: 'caller', withinGrace: false },
    ]);
  });

  test('it begins once, and input out of its time changes nothing', () => {
    const everything: ShutdownInput[] = [
      begin,
      { kind: 'hasten', graceMs: 0, nowMs: 0 },
      { kind: 'graceOver', nowMs: 9e9 },
      { kind: 'patienceOver' },
      { kind: 'empty' },
      { kind: 'flushed' },
    ];
    for (const input of everything.slice(1)) expect(shutdownStep(OPEN, input)).toEqual({ state: OPEN, effects: [] });
    const { state } = walk(begin, { kind: 'empty' }, { kind: 'flushed' });
    for (const input of everything) expect(shutdownStep(state, input)).toEqual({ state, effects: [] });
  });

  test('every reachable state closes: no order of inputs leaves a phase without a way on', () => {
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
