// The steps of a shutdown: stop the owners, one stage after the other; end the finish time; wait
// for the grace; kill or abandon the rest; wait for the killed; flush; report. This file decides;
// engine/shutdown.ts acts.

import type { ShutdownCause } from '../model/view.ts';

/**
 * How long a shutdown waits for a killed body, in ms. Then the body is abandoned and listed in the
 * report.
 */
export const KILL_PATIENCE_MS = 5_000;

export type ShutdownState =
  | { readonly phase: 'open' }
  | Closing
  /** The grace is over. Bodies that still run are killed or abandoned. */
  | { readonly phase: 'forcing'; readonly cause: ShutdownCause }
  | { readonly phase: 'flushing'; readonly cause: ShutdownCause }
  | { readonly phase: 'closed' };

interface Closing {
  readonly phase: 'closing';
  readonly cause: ShutdownCause;
  /** The end of the grace. */
  readonly deadlineMs: number;
  /** The end of the finish time: at most `deadlineMs`. */
  readonly finishUntilMs: number;
  readonly finishOver: boolean;
  /** The latest stage that has begun. `-Infinity`: none has. `Infinity`: all have. */
  readonly stage: number;
  /** When the next stage begins at the latest. `Infinity` once all have begun. */
  readonly stageUntilMs: number;
}

/** The time that a shutdown takes at most. */
export interface ShutdownTimes {
  /** From the call to the force. */
  readonly graceMs: number;
  /** The part of the grace in which finishers may go on: at most `graceMs`. */
  readonly finishMs: number;
}

/** What the engine sees at an input. */
export interface Moment {
  readonly nowMs: number;
  /**
   * The stages that have not begun and still have an owner or a waiting finisher: each once,
   * ascending.
   */
  readonly stages: readonly number[];
}

export type ShutdownInput =
  | ({ readonly kind: 'begin'; readonly cause: ShutdownCause } & ShutdownTimes & Pick<Moment, 'nowMs'>)
  /** A later call of `shutdown`, or a second signal. It can only shorten what is left. */
  | ({ readonly kind: 'hasten' } & ShutdownTimes & Moment)
  /** Nothing is left that the next stage has to wait for. At first: all slots are closed. */
  | ({ readonly kind: 'stageOver' } & Moment)
  /** The timer fired. It may be late, early, or that of an earlier `wakeAt`. */
  | ({ readonly kind: 'time' } & Moment)
  | { readonly kind: 'patienceOver' }
  /** No submission is left. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'flushed' };

export type ShutdownEffect =
  /** Close all slots. Answer with `stageOver`. */
  | { readonly do: 'close' }
  /** Stop the owners of this stage and of all lower ones. `Infinity`: all owners. */
  | { readonly do: 'tell'; readonly stage: number }
  | { readonly do: 'endFinish' }
  /** Answer with `time`, on a later turn. There is one timer: this takes the place of the last. */
  | { readonly do: 'wakeAt'; readonly atMs: number }
  | { readonly do: 'killOrAbandon' }
  /** Answer with `patienceOver`, this long after the last body was killed. */
  | { readonly do: 'patience'; readonly ms: number }
  | { readonly do: 'abandonRest' }
  | { readonly do: 'flush' }
  | { readonly do: 'report'; readonly cause: ShutdownCause };

export const OPEN: ShutdownState = { phase: 'open' };

export interface ShutdownStep {
  readonly state: ShutdownState;
  readonly effects: readonly ShutdownEffect[];
}

/** Input in a phase other than its own changes nothing. */
export function shutdownStep(state: ShutdownState, input: ShutdownInput): ShutdownStep {
  switch (state.phase) {
    case 'open':
      return input.kind === 'begin' ? begin(input) : unchanged(state);
    case 'closing':
      return whileClosing(state, input);
    case 'forcing':
      if (input.kind === 'patienceOver') return { state, effects: [{ do: 'abandonRest' }] };
      return input.kind === 'empty' ? flush(state.cause) : unchanged(state);
    case 'flushing':
      return input.kind === 'flushed' ? report(state.cause) : unchanged(state);
    case 'closed':
      return unchanged(state);
  }
}

function whileClosing(state: Closing, input: ShutdownInput): ShutdownStep {
  switch (input.kind) {
    case 'hasten':
      return hasten(state, input);
    case 'stageOver':
      return state.stage === Infinity ? unchanged(state) : goOn({ ...state, stageUntilMs: input.nowMs }, input);
    case 'time':
      return mayForce(state, input.nowMs) ? force(state) : goOn(state, input);
    case 'empty':
      return flush(state.cause);
    default:
      return unchanged(state);
  }
}

function begin(input: Extract<ShutdownInput, { kind: 'begin' }>): ShutdownStep {
  const { cause, graceMs, finishMs, nowMs } = input;
  const state: Closing = {
    phase: 'closing',
    cause,
    deadlineMs: nowMs + graceMs,
    finishUntilMs: nowMs + finishMs,
    finishOver: false,
    stage: -Infinity,
    stageUntilMs: nowMs + graceMs,
  };
  return { state, effects: [{ do: 'close' }, wakeAt(state)] };
}

/** Nothing is ever put off. */
function hasten(state: Closing, input: Extract<ShutdownInput, { kind: 'hasten' }>): ShutdownStep {
  const { graceMs, finishMs, nowMs, stages } = input;
  const deadlineMs = Math.min(state.deadlineMs, nowMs + graceMs);
  const finishUntilMs = Math.min(state.finishUntilMs, nowMs + finishMs);
  const stageUntilMs = stageEnd(state, deadlineMs, nowMs, stages);
  // Setting the same timer again at each call would let frequent calls put it off.
  // Without an earlier deadline no stage ends earlier.
  if (deadlineMs === state.deadlineMs && finishUntilMs === state.finishUntilMs) return unchanged(state);
  return goOn({ ...state, deadlineMs, finishUntilMs, stageUntilMs }, input);
}

/** The present stage gets an equal share of what is now left. Before the first one all is left. */
function stageEnd(state: Closing, deadlineMs: number, nowMs: number, stages: readonly number[]): number {
  if (state.stage === -Infinity) return deadlineMs;
  if (state.stage === Infinity) return Infinity;
  const share = shareOf(deadlineMs, nowMs, stages.length + 1);
  return Math.min(state.stageUntilMs, nowMs + share);
}

/** Begins the next stage and ends the finish time, if they are due. Waits for what comes next. */
function goOn(state: Closing, { nowMs, stages }: Moment): ShutdownStep {
  const effects: ShutdownEffect[] = [];
  let next = state;
  if (nowMs >= next.stageUntilMs) {
    next = nextStage(next, nowMs, stages);
    effects.push({ do: 'tell', stage: next.stage });
  }
  if (!next.finishOver && nowMs >= next.finishUntilMs) {
    next = { ...next, finishOver: true };
    effects.push({ do: 'endFinish' });
  }
  effects.push(wakeAt(next));
  return { state: next, effects };
}

/** For what comes next. */
function wakeAt({ stageUntilMs, finishOver, finishUntilMs, deadlineMs }: Closing): ShutdownEffect {
  const finishEndMs = finishOver ? Infinity : finishUntilMs;
  return { do: 'wakeAt', atMs: Math.min(stageUntilMs, finishEndMs, deadlineMs) };
}

/** The last stage lasts until the grace is over. At the end of the grace all stages begin. */
function nextStage(state: Closing, nowMs: number, stages: readonly number[]): Closing {
  const [stage = Infinity, ...later] = stages;
  if (later.length === 0 || nowMs >= state.deadlineMs) return { ...state, stage: Infinity, stageUntilMs: Infinity };
  return { ...state, stage, stageUntilMs: nowMs + shareOf(state.deadlineMs, nowMs, stages.length) };
}

/** What is left of the grace, in equal shares for the stages that have not ended. */
function shareOf(deadlineMs: number, nowMs: number, stages: number): number {
  return (deadlineMs - nowMs) / stages;
}

/** Only when every owner has seen its stop request: on a later turn than the last of them. */
function mayForce({ deadlineMs, finishOver, stage }: Closing, nowMs: number): boolean {
  return nowMs >= deadlineMs && finishOver && stage === Infinity;
}

function force({ cause }: Closing): ShutdownStep {
  return {
    state: { phase: 'forcing', cause },
    effects: [{ do: 'killOrAbandon' }, { do: 'patience', ms: KILL_PATIENCE_MS }],
  };
}

function flush(cause: ShutdownCause): ShutdownStep {
  return { state: { phase: 'flushing', cause }, effects: [{ do: 'flush' }] };
}

function report(cause: ShutdownCause): ShutdownStep {
  return { state: { phase: 'closed' }, effects: [{ do: 'report', cause }] };
}

function unchanged(state: ShutdownState): ShutdownStep {
  return { state, effects: [] };
}
