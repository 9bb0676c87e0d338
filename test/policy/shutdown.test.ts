import { describe, expect, test } from 'vitest';
import {
  KILL_PATIENCE_MS,
  OPEN,
  type ShutdownEffect,
  type ShutdownInput,
  type ShutdownState,
  shutdownStep,
} from '../../src/policy/shutdown.ts';

const shown = (effect: ShutdownEffect): string => {
  if (effect.do === 'patience') return `patience ${effect.ms}`;
  if ('atMs' in effect) return `${effect.do} ${effect.atMs}`;
  return effect.do === 'tell' ? `tell ${effect.stage}` : effect.do;
};

/** Its effects are those that follow the begin. */
function run(...inputs: ShutdownInput[]): { readonly state: ShutdownState; readonly effects: readonly string[] } {
  let state: ShutdownState = OPEN;
  const effects: string[] = [];
  for (const input of inputs) {
    const step = shutdownStep(state, input);
    state = step.state;
    if (input.kind !== 'begin') effects.push(...step.effects.map(shown));
  }
  return { state, effects };
}

/** Begins, and closes the slots at once. */
const begin = (stages: readonly number[] = [0], graceMs = 100, finishMs = 50): ShutdownInput[] => [
  { kind: 'begin', cause: 'caller', graceMs, finishMs, nowMs: 1_000 },
  over(1_000, stages),
];
const hasten = (nowMs: number, graceMs: number, finishMs: number, stages: readonly number[] = []): ShutdownInput => ({
  kind: 'hasten',
  graceMs,
  finishMs,
  nowMs,
  stages,
});
const time = (nowMs: number, stages: readonly number[] = []): ShutdownInput => ({ kind: 'time', nowMs, stages });
const over = (nowMs: number, stages: readonly number[] = []): ShutdownInput => ({ kind: 'stageOver', nowMs, stages });

describe('a shutdown', () => {
  test('closes the slots first, and begins no stage before all are closed', () => {
    const { state, effects } = shutdownStep(OPEN, begin()[0] as ShutdownInput);
    expect(effects.map(shown)).toEqual(['close', 'wakeAt 1050']);
    expect(shutdownStep(state, time(1_050)).effects.map(shown)).toEqual(['endFinish', 'wakeAt 1100']);
    expect(shutdownStep(state, hasten(1_010, 60, 60)).effects.map(shown)).toEqual(['wakeAt 1050']);
  });

  test('stops everything, flushes and reports when all ends within the grace', () => {
    const { state, effects } = run(...begin(), { kind: 'empty' }, { kind: 'flushed' });
    expect(effects).toEqual(['tell Infinity', 'wakeAt 1050', 'flush', 'report']);
    expect(state.phase).toBe('closed');
  });

  test('ends the finish time, then kills or abandons what is left after the grace, then abandons what is left after the patience', () => {
    const { effects } = run(...begin(), time(1_050), time(1_100), { kind: 'patienceOver' }, { kind: 'empty' });
    expect(effects.slice(2)).toEqual([
      'endFinish',
      'wakeAt 1100',
      'killOrAbandon',
      `patience ${KILL_PATIENCE_MS}`,
      'abandonRest',
      'flush',
    ]);
  });

  test('with a grace of 0 stops all stages at once, and forces a turn later', () => {
    const { effects } = run(...begin([0, 1, 2], 0, 0), time(1_000, [1, 2]));
    expect(effects.slice(0, -1)).toEqual(['tell Infinity', 'endFinish', 'wakeAt 1000', 'killOrAbandon']);
  });

  test('without a limit waits until everything has ended, stage by stage', () => {
    const { state, effects } = run(...begin([0, 1], Infinity, Infinity), over(9_000, [1]));
    expect(effects).toEqual(['tell 0', 'wakeAt Infinity', 'tell Infinity', 'wakeAt Infinity']);
    expect(state).toMatchObject({ deadlineMs: Infinity, finishUntilMs: Infinity });
  });

  test('reports its cause', () => {
    const { state } = run(...begin(), { kind: 'empty' });
    expect(shutdownStep(state, { kind: 'flushed' }).effects).toEqual([{ do: 'report', cause: 'caller' }]);
  });

  test('begins once, and input in another phase than its own changes nothing', () => {
    const everything: ShutdownInput[] = [
      ...begin(),
      hasten(0, 0, 0),
      time(9e9),
      over(9e9, [1]),
      { kind: 'patienceOver' },
      { kind: 'empty' },
      { kind: 'flushed' },
    ];
    for (const input of everything.slice(1)) expect(shutdownStep(OPEN, input)).toEqual({ state: OPEN, effects: [] });
    const { state } = run(...begin(), { kind: 'empty' }, { kind: 'flushed' });
    for (const input of everything) expect(shutdownStep(state, input)).toEqual({ state, effects: [] });
  });
});

describe('the stages of a shutdown', () => {
  test('begin with the lowest one, and each gets an equal share of what is left of the grace', () => {
    const { effects } = run(...begin([-1, 0, 7], 90, 90), time(1_030, [0, 7]), time(1_060, [7]), time(1_090));
    expect(effects.slice(0, -1)).toEqual([
      'tell -1',
      'wakeAt 1030',
      'tell 0',
      'wakeAt 1060',
      'tell Infinity', // the last one
      'wakeAt 1090',
      'endFinish',
    ]);
  });

  test('begin as soon as the stage before is over, and share what that one has left', () => {
    const { effects } = run(...begin([0, 1, 2], 90, 90), over(1_010, [1, 2]));
    expect(effects.slice(-2)).toEqual(['tell 1', 'wakeAt 1050']); // half of the 80 ms that are left
  });

  test('pass over a stage in which nothing is left', () => {
    expect(run(...begin([0, 1, 2], 90, 90), over(1_010, [2])).effects.at(-2)).toBe('tell Infinity');
    expect(run(...begin([0, 1, 2, 3], 90, 90), over(1_010, [2, 3])).effects.at(-2)).toBe('tell 2');
  });

  test('all begin when the grace is over, and the force comes a turn later', () => {
    const { effects } = run(...begin([0, 1, 2]), time(1_200, [1, 2]), time(1_200));
    expect(effects.slice(2)).toEqual([
      'tell Infinity',
      'endFinish',
      'wakeAt 1100',
      'killOrAbandon',
      `patience ${KILL_PATIENCE_MS}`,
    ]);
  });

  test('are not touched by a timer that fires early: it is set again', () => {
    expect(run(...begin([0, 1], 100, 100), time(1_049, [1])).effects.slice(1)).toEqual(['wakeAt 1050', 'wakeAt 1050']);
  });
});

describe('a later call', () => {
  test('ends the grace and the finish time earlier, never later', () => {
    expect(run(...begin(), hasten(1_000, 10, 5)).state).toMatchObject({ deadlineMs: 1_010, finishUntilMs: 1_005 });
    expect(run(...begin(), hasten(1_000, 999, 5)).state).toMatchObject({ deadlineMs: 1_100, finishUntilMs: 1_005 });
    expect(run(...begin(), hasten(1_000, 999, 999)).state).toMatchObject({ deadlineMs: 1_100, finishUntilMs: 1_050 });
  });

  test('gives the present stage an equal share of what is left', () => {
    const { effects } = run(...begin([0, 1, 2], 90, 0), hasten(1_010, 30, 0, [1, 2]));
    expect(effects.slice(-2)).toEqual(['wakeAt 1030', 'wakeAt 1020']);
  });

  test('that shortens nothing sets no timer', () => {
    expect(run(...begin(), hasten(1_040, 60, 10)).effects).toEqual(run(...begin()).effects);
    expect(run(...begin([0, 1]), hasten(1_040, 60, 10, [1])).effects).toEqual(run(...begin([0, 1])).effects);
  });

  test('without a grace stops everything within the call, and forces a turn later', () => {
    const { effects } = run(...begin([0, 1, 2]), hasten(1_010, 0, 0, [1, 2]), time(1_010));
    expect(effects.slice(2, -1)).toEqual(['tell Infinity', 'endFinish', 'wakeAt 1010', 'killOrAbandon']);
  });

  test('changes nothing once the force has begun', () => {
    const { state } = run(...begin(), time(1_100), time(1_100));
    expect(state.phase).toBe('forcing');
    expect(shutdownStep(state, hasten(1_100, 0, 0))).toEqual({ state, effects: [] });
  });
});
