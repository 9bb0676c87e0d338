// What a sweep counts over all slots: states, groups, and what `warnings.ts` has to know.

import type { StopCause } from '../../index.ts';
import type { Seen } from './query.ts';
import { Top } from './top.ts';
import { type GroupRow, SLOT_STATES, type SlotState } from './wire.ts';

export interface Tally {
  /** When the sweep began, in epoch ms. */
  readonly at: number;
  /** All slots of the table. */
  readonly slots: number;
  /** A slot can count to several. */
  readonly states: Readonly<Record<SlotState, number>>;
  /**
   * For how long the oldest slot of a state has been so: its owner, or in `waiting`, `paused` and
   * `lease` what has waited there longest. `failing` counts from the first failure in a row. 0
   * where there is none.
   */
  readonly oldestMs: Readonly<Record<SlotState, number>>;
  /** Why the oldest body that overran was asked to stop. */
  readonly overrunBy?: StopCause;
  /** The longest time until a retry. */
  readonly longestBackoffMs: number;
  /** Submissions that wait in paused slots. */
  readonly waitingInPaused: number;
  /** At most `MAX_GROUPS`, those with trouble first, then the largest. */
  readonly groups: readonly GroupRow[];
  readonly groupCount: number;
  /** The groups in which slots are failing, where that are at most `FEW_GROUPS`; else empty. */
  readonly failingGroups: readonly FailingGroup[];
}

export interface FailingGroup {
  readonly group: string;
  readonly slots: number;
  /** Since the first failure in a row, of the slot that has failed for longest. */
  readonly sinceMs: number;
}

const MAX_GROUPS = 200;
/** So many groups are named one by one. */
const FEW_GROUPS = 3;

const TROUBLE: readonly SlotState[] = ['overrun', 'failing', 'backoff', 'dead'];

const zeros = (): Record<SlotState, number> =>
  Object.fromEntries(SLOT_STATES.map((state) => [state, 0])) as Record<SlotState, number>;

interface GroupCount {
  readonly group: string;
  slots: number;
  waiting: number;
  trouble: number;
  failing: number;
  failingMs: number;
}

/** Those with trouble first, then the largest, then by name. */
const byTrouble = (one: GroupCount, other: GroupCount): number =>
  other.trouble - one.trouble || other.slots - one.slots || (one.group < other.group ? -1 : 1);

export class TallyCounter {
  readonly #at: number;
  #slots = 0;
  readonly #states = zeros();
  readonly #oldestMs = zeros();
  #overrunBy: StopCause | undefined;
  #longestBackoffMs = 0;
  #waitingInPaused = 0;
  readonly #groups = new Map<string, GroupCount>();

  constructor(at: number) {
    this.#at = at;
  }

  add(slot: Seen): void {
    this.#slots += 1;
    for (const state of slot.states) this.#count(state, slot);
    this.#countGroup(slot);
    if (slot.view.paused) this.#waitingInPaused += slot.view.queuedCount;
    this.#longestBackoffMs = Math.max(this.#longestBackoffMs, backoffMs(slot));
  }

  answer(): Tally {
    const groups = new Top(MAX_GROUPS, byTrouble);
    const failing: FailingGroup[] = [];
    for (const count of this.#groups.values()) {
      groups.add(count);
      if (count.failing > 0 && failing.length <= FEW_GROUPS)
        failing.push({ group: count.group, slots: count.failing, sinceMs: count.failingMs });
    }
    return {
      at: this.#at,
      slots: this.#slots,
      states: this.#states,
      oldestMs: this.#oldestMs,
      ...(this.#overrunBy !== undefined && { overrunBy: this.#overrunBy }),
      longestBackoffMs: this.#longestBackoffMs,
      waitingInPaused: this.#waitingInPaused,
      groups: groups.sorted().map(({ group, slots, waiting, trouble }) => ({ group, slots, waiting, trouble })),
      groupCount: this.#groups.size,
      failingGroups: failing.length > FEW_GROUPS ? [] : failing.sort((one, other) => other.slots - one.slots),
    };
  }

  #count(state: SlotState, { view }: Seen): void {
    this.#states[state] += 1;
    const ageMs = ageOf(state, view);
    if (state === 'overrun' && ageMs >= this.#oldestMs.overrun) this.#overrunBy = view.owner?.stop?.by;
    if (ageMs > this.#oldestMs[state]) this.#oldestMs[state] = ageMs;
  }

  #countGroup({ group, states, view }: Seen): void {
    let count = this.#groups.get(group);
    if (count === undefined) {
      count = { group, slots: 0, waiting: 0, trouble: 0, failing: 0, failingMs: 0 };
      this.#groups.set(group, count);
    }
    count.slots += 1;
    count.waiting += view.queuedCount;
    if (states.some((state) => TROUBLE.includes(state))) count.trouble += 1;
    if (!states.includes('failing')) return;
    count.failing += 1;
    count.failingMs = Math.max(count.failingMs, ageOf('failing', view));
  }
}

function ageOf(state: SlotState, { owner, queued, deadMs }: Seen['view']): number {
  if (state === 'dead') return deadMs ?? 0;
  if (state === 'failing') return owner?.failingMs ?? 0;
  if (state === 'waiting' || state === 'paused' || (state === 'lease' && owner === undefined))
    return queued.reduce((longest, { sinceMs }) => Math.max(longest, sinceMs), 0);
  return owner?.sinceMs ?? 0;
}

const backoffMs = ({ view: { owner } }: Seen): number =>
  owner?.status === 'backoff' ? (owner.nextAttemptInMs ?? 0) : 0;
