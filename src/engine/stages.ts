// The stages of a shutdown that are not over. Each slot adds its owner and the finishers that wait
// there as it is closed. None is added later, and those that have left are taken out when they are
// met: to walk all of them at every question would cost more, the more there are.

import { isQueued } from '../policy/slot-machine.ts';
import type { LiveSubmission } from './submission.ts';

export class Stages {
  readonly #submissions = new Map<number, LiveSubmission[]>();

  add(submission: LiveSubmission): void {
    const { shutdownStage } = submission.settings;
    const others = this.#submissions.get(shutdownStage);
    if (others === undefined) this.#submissions.set(shutdownStage, [submission]);
    else others.push(submission);
  }

  /** The later stages of owners and of waiting finishers: each once, ascending. */
  above(stage: number): number[] {
    const left = [...this.#submissions].filter(([one, submissions]) => one > stage && isAnyLeft(submissions));
    return left.map(([one]) => one).sort((a, b) => a - b);
  }
}

function isAnyLeft(submissions: LiveSubmission[]): boolean {
  for (let last = submissions.at(-1); last !== undefined; last = submissions.at(-1)) {
    if (last.place === 'owner' || isQueued(last)) return true;
    submissions.pop();
  }
  return false;
}
