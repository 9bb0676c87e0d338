// The steps of a shutdown: stop all owners, wait for the grace, kill or abandon the rest, wait for
// the killed, flush, report. This file decides; engine/shutdown.ts acts.

import type { ShutdownCause } from '../model/view.ts';

/**
 * How long a shutdown waits for a killed body, in ms. Then the body is abandoned and listed in the
 * report.
 */
export const KILL_PATIENCE_MS = 5_000;

export type ShutdownState =
  | { readonly phase: 'open' }
  /** All owners were asked to stop. Their grace ends at `deadlineMs`. */
  | { readonly phase: 'draining'; readonly cause: ShutdownCause; readonly deadlineMs: number }
  /** The grace is over. Bodies that still run are killed or abandoned. */
  | { readonly phase: 'forcing'; readonly cause: ShutdownCause }
  | { readonly phase: 'flushing'; readonly cause: ShutdownCause; readonly withinGrace: boolean }
  | { readonly phase: 'closed' };

export type ShutdownInput =
  | { readonly kind: 'begin'; readonly cause: ShutdownCause; readonly graceMs: number; readonly nowMs: number }
  /** A later call of `shutdown`, or a second signal. It can only shorten the grace. */
  | { readonly kind: 'hasten'; readonly graceMs: number; readonly nowMs: number }
  | { readonly kind: 'graceOver'; readonly nowMs: number }
  | { readonly kind: 'patienceOver' }
  /** No submission is left. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'flushed' };

export type ShutdownEffect =
  | { readonly do: 'stopAll' }
  | { readonly do: 'graceUntil'; readonly atMs: number }
  | { readonly do: 'killOrAbandon' }
  | { readonly do: 'patienceUntil'; readonly atMs: number }
  | { readonly do: 'abandonRest' }
  | { readonly do: 'flush'; readonly withinGrace: boolean }
  | { readonly do: 'report'; readonly cause: ShutdownCause; readonly withinGrace: boolean };

export const OPEN: ShutdownState = { phase: 'open' };

export interface ShutdownStep {
  readonly state: ShutdownState;
  readonly effects: readonly ShutdownEffect[];
}

export function shutdownStep(state: ShutdownState, input: ShutdownInput): ShutdownStep {
  switch (input.kind) {
    case 'begin': {
      if (state.phase !== 'open') return unchanged(state);
      const deadlineMs = input.nowMs + input.graceMs;
      return {
        state: { phase: 'draining', cause: input.cause, deadlineMs },
        effects: [{ do: 'stopAll' }, { do: 'graceUntil', atMs: deadlineMs }],
      };
    }
    case 'hasten':
      return hasten(state, input.nowMs + input.graceMs);
    case 'graceOver':
      // The timer of an earlier, longer grace may still fire. It is ignored.
      if (state.phase !== 'draining' || input.nowMs < state.deadlineMs) return unchanged(state);
      return {
        state: { phase: 'forcing', cause: state.cause },
        effects: [{ do: 'killOrAbandon' }, { do: 'patienceUntil', atMs: input.nowMs + KILL_PATIENCE_MS }],
      };
    case 'patienceOver':
      return state.phase === 'forcing' ? { state, effects: [{ do: 'abandonRest' }] } : unchanged(state);
    case 'empty': {
      if (state.phase !== 'draining' && state.phase !== 'forcing') return unchanged(state);
      const withinGrace = state.phase === 'draining';
      return {
        state: { phase: 'flushing', cause: state.cause, withinGrace },
        effects: [{ do: 'flush', withinGrace }],
      };
    }
    case 'flushed':
      if (state.phase !== 'flushing') return unchanged(state);
      return {
        state: { phase: 'closed' },
        effects: [{ do: 'report', cause: state.cause, withinGrace: state.withinGrace }],
      };
  }
}

function hasten(state: ShutdownState, deadlineMs: number): ShutdownStep {
  if (state.phase !== 'draining' || deadlineMs >= state.deadlineMs) return unchanged(state);
  return { state: { ...state, deadlineMs }, effects: [{ do: 'graceUntil', atMs: deadlineMs }] };
}

function unchanged(state: ShutdownState): ShutdownStep {
  return { state, effects: [] };
}
