// A batch, rehearsed: what would become of each entry if all were submitted in this order. It uses the admission table itself, on a copy
// of each slot's line, so a batch that passes here is admitted as it stands. All or none is decided here, before anything happens.

import type { RejectReason } from '../model/outcome.ts';
import type { AdmissionPolicy } from '../model/settings.ts';
import { admit, type Room, type Standing } from './admission.ts';

/** A slot as the batch finds it. `line` holds the policies that wait, the next apart. */
export interface Found extends Omit<Standing, 'hasLatest' | 'inLine'> {
  readonly line: readonly AdmissionPolicy[];
}

interface Bounds {
  /** How many slots may still be opened. */
  slots: number;
  /** How many more submissions may wait. */
  pending: number;
}

interface Waiter {
  readonly policy: AdmissionPolicy;
  readonly ours: boolean;
}

class Plan implements Standing {
  phase: Standing['phase'];
  readonly paused: boolean;
  /** Whether the replacement that waits is one of the batch; `undefined` when none waits. */
  nextIsOurs: boolean | undefined;
  readonly line: Waiter[];

  constructor(found: Found) {
    this.phase = found.phase;
    this.paused = found.paused;
    this.nextIsOurs = found.hasNext ? false : undefined;
    this.line = found.line.map((policy) => ({ policy, ours: false }));
  }

  get hasNext(): boolean {
    return this.nextIsOurs !== undefined;
  }
  get hasLatest(): boolean {
    return this.latest >= 0;
  }
  get inLine(): number {
    return this.line.length;
  }
  get latest(): number {
    return this.line.findIndex(({ policy }) => policy === 'keepLatest');
  }
}

const IDLE: Found = { phase: 'idle', paused: false, hasNext: false, line: [] };

export class Rehearsal {
  readonly #plans = new Map<string, Plan>();
  readonly #bounds: Bounds;
  readonly #ownedAs: 'running' | 'waiting';

  /** `ownedAs`: what an idle slot is after a start; `waiting` where leases are not granted at once. */
  constructor(bounds: Bounds, ownedAs: 'running' | 'waiting') {
    this.#bounds = { ...bounds };
    this.#ownedAs = ownedAs;
  }

  /** `find` is asked once for each slot. Why this entry, or an earlier one of the batch because of it, would be turned away; `undefined` when nobody would. */
  add(
    slot: string,
    find: () => Found | undefined,
    policy: AdmissionPolicy,
    room: Omit<Room, 'mayWait'>,
  ): RejectReason | undefined {
    let plan = this.#plans.get(slot);
    if (plan === undefined) {
      const found = find();
      if (found === undefined) {
        if (this.#bounds.slots <= 0) return 'resourceLimit';
        this.#bounds.slots -= 1;
      }
      plan = new Plan(found ?? IDLE);
      this.#plans.set(slot, plan);
    }
    const waiter: Waiter = { policy, ours: true };
    const verdict = admit(plan, policy, { ...room, mayWait: this.#bounds.pending > 0 });
    switch (verdict) {
      case 'start':
        plan.phase = this.#ownedAs;
        if (this.#ownedAs === 'waiting') this.#wait(plan, waiter);
        return undefined;
      case 'next': {
        const supersedesOurs = plan.nextIsOurs;
        this.#wait(plan, waiter);
        if (plan.phase === 'running') plan.phase = 'stopping';
        return supersedesOurs ? 'superseded' : undefined;
      }
      case 'append':
        this.#wait(plan, waiter);
        return undefined;
      case 'takeLatest': {
        const at = plan.latest;
        const earlier = plan.line[at] as Waiter; // the table asks for one that waits
        plan.line[at] = waiter;
        return earlier.ours ? 'superseded' : undefined;
      }
      case 'dropOldest': {
        const first = plan.phase === 'waiting' && !plan.hasNext ? 1 : 0;
        const surplus = plan.line.length - first - room.queueLimit + 1;
        const dropped = plan.line.splice(first, surplus);
        this.#bounds.pending += dropped.length;
        this.#wait(plan, waiter);
        return dropped.some(({ ours }) => ours) ? 'queueFull' : undefined;
      }
      case 'join':
        return undefined; // it takes no place, and leaves the slot as it is
      case 'slotBusy':
      case 'queueFull':
      case 'resourceLimit':
        return verdict;
    }
  }

  #wait(plan: Plan, waiter: Waiter): void {
    const takesOver = waiter.policy === 'replace' && plan.hasNext; // a place that is counted already
    if (!takesOver) this.#bounds.pending -= 1;
    if (waiter.policy === 'replace') plan.nextIsOurs = true;
    else plan.line.push(waiter);
  }
}
