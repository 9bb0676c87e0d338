// What a schedule must know of its supervisor before it submits, asked of `submitAll`: it decides about a whole batch before it admits any
// of it, so that a batch with nothing to admit is a question. Nothing is submitted here, and nothing is counted.

import { SpecError, type Supervisor, type TaskSpec } from '../../index.ts';

/** Whether it still takes submissions: a shutdown has not begun. */
export function isOpen(supervisor: Supervisor): boolean {
  try {
    supervisor.submitAll([]);
    return true;
  } catch {
    return false; // ClosedError: there is nothing else in it that could be refused
  }
}

/** Throws what `submit` would throw for this spec. The specs of a batch are read in order, and the one behind it can never be meant. */
export function mustTake(supervisor: Supervisor, spec: TaskSpec): void {
  try {
    supervisor.submitAll([spec, NO_SPEC as never]);
  } catch (error) {
    if (!(error instanceof SpecError && error.got === NO_SPEC)) throw error;
  }
}

const NO_SPEC = Symbol('no spec');
