// The steps of a shutdown, decided: told to stop, grace, force, patience with the killed, subscribers, closed. It waits for nothing itself.

/** How long a killable task may take to die once it is killed, before it is abandoned and named. */
export const KILL_PATIENCE_MS = 5_000;

export type DrainPhase = 'open' | 'draining' | 'forcing' | 'flushing' | 'closed';

export type DrainInput =
  | { readonly kind: 'begin'; readonly graceMs: number; readonly nowMs: number }
  /** Another caller, or a second signal: a shorter grace only hastens. */
  | { readonly kind: 'hasten'; readonly graceMs: number; readonly nowMs: number }
  | { readonly kind: 'graceOver'; readonly nowMs: number }
  | { readonly kind: 'patienceOver' }
  /** No submission is left. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'flushed' };

export type DrainEffect =
  | { readonly do: 'stopAll' }
  | { readonly do: 'graceUntil'; readonly atMs: number }
  | { readonly do: 'killOrAbandon' }
  | { readonly do: 'patienceUntil'; readonly atMs: number }
  | { readonly do: 'abandonRest' }
  | { readonly do: 'flush' }
  | { readonly do: 'report' };

export interface DrainState {
  readonly phase: DrainPhase;
  /** When the grace ends; `Infinity` until a shutdown has begun. */
  readonly deadlineMs: number;
}

export const OPEN: DrainState = Object.freeze({ phase: 'open', deadlineMs: Infinity });

export interface DrainStep {
  readonly state: DrainState;
  readonly effects: readonly DrainEffect[];
}

export function drainStep(state: DrainState, input: DrainInput): DrainStep {
  switch (input.kind) {
    case 'begin': {
      if (state.phase !== 'open') return still(state);
      const deadlineMs = input.nowMs + input.graceMs;
      return {
        state: { phase: 'draining', deadlineMs },
        effects: [{ do: 'stopAll' }, { do: 'graceUntil', atMs: deadlineMs }],
      };
    }
    case 'hasten': {
      const deadlineMs = input.nowMs + input.graceMs;
      if (state.phase !== 'draining' || deadlineMs >= state.deadlineMs) return still(state);
      return { state: { phase: 'draining', deadlineMs }, effects: [{ do: 'graceUntil', atMs: deadlineMs }] };
    }
    case 'graceOver':
      // A timer of a grace that was longer once comes early for nobody: the present deadline decides.
      if (state.phase !== 'draining' || input.nowMs < state.deadlineMs) return still(state);
      return {
        state: { phase: 'forcing', deadlineMs: state.deadlineMs },
        effects: [{ do: 'killOrAbandon' }, { do: 'patienceUntil', atMs: input.nowMs + KILL_PATIENCE_MS }],
      };
    case 'patienceOver':
      return state.phase === 'forcing' ? { state, effects: [{ do: 'abandonRest' }] } : still(state);
    case 'empty':
      if (state.phase !== 'draining' && state.phase !== 'forcing') return still(state);
      return { state: { ...state, phase: 'flushing' }, effects: [{ do: 'flush' }] };
    case 'flushed':
      if (state.phase !== 'flushing') return still(state);
      return { state: { ...state, phase: 'closed' }, effects: [{ do: 'report' }] };
  }
}

function still(state: DrainState): DrainStep {
  return { state, effects: [] };
}
