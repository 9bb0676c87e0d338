// A lease store for random schedules: it answers, loses and revokes at moments that a random
// scheduler draws, and notes what the library must not do.

import type { TaskContext } from 'slotvisor';
import { type Ask, type FakeLease, leaseWith, UncheckedLeaseStore } from './fake-lease-store.ts';

/** What becomes of a request, and of the lease that is granted. */
export const FATES = ['keep', 'lose', 'loseOnUse', 'revoke', 'contend', 'deny', 'throw', 'supersede', 'stale'] as const;
export type Fate = (typeof FATES)[number];

export class RaceStore {
  readonly port = new UncheckedLeaseStore();
  readonly wrong: string[] = [];
  /** Bodies that have not ended, by the lease under which they were called. */
  readonly #bodies = new Map<FakeLease, number>();
  readonly #fates: Fate[];
  readonly #moment: () => Promise<unknown>;

  /** `fates`: of the requests in their order. All further ones are granted and kept. */
  constructor(fates: readonly Fate[], moment: () => Promise<unknown>) {
    this.#fates = [...fates];
    this.#moment = moment;
    this.port.givesUpBodies = true;
    this.port.respond = (ask) => {
      void this.#answer(ask, this.#fates.shift() ?? 'keep');
    };
    this.port.onRelease = (lease) => {
      if ((this.#bodies.get(lease) ?? 0) > 0) this.wrong.push(`release of ${lease.slot} ${lease.fence} under a body`);
    };
  }

  async #answer(ask: Ask, fate: Fate): Promise<void> {
    const last = this.#last(ask.request.slot);
    await this.#moment();
    if (fate === 'deny') ask.deny();
    else if (fate === 'throw') ask.fail(new Error('the store is away'));
    else if (fate === 'supersede' && ask.urgent.aborted) ask.supersede();
    else if (fate === 'stale' && last !== undefined) ask.answer(leaseWith({ fence: last.fence }));
    else await this.#grant(ask, fate);
  }

  async #grant(ask: Ask, fate: Fate): Promise<void> {
    const lease = ask.grant();
    if (fate === 'contend') lease.contended = true;
    if (fate !== 'lose' && fate !== 'loseOnUse' && fate !== 'revoke') return;
    await this.#moment();
    if (fate === 'revoke') lease.revoke();
    else if (fate === 'loseOnUse') lease.held = false;
    else if (lease.state === 'held') lease.lose();
  }

  #last(slot: string): FakeLease | undefined {
    return this.port.leases.findLast((lease) => lease.slot === slot);
  }

  /** A body is called: only under the last lease of its slot, and not after its loss. */
  called({ slot, fence }: TaskContext): FakeLease | undefined {
    const lease = this.#last(slot);
    if (lease?.fence !== fence || lease.state !== 'held' || !lease.held)
      this.wrong.push(`a body of ${slot} under ${fence}, the last lease is ${lease?.fence}, ${lease?.state} (S2, S11)`);
    if (lease !== undefined) this.#bodies.set(lease, (this.#bodies.get(lease) ?? 0) + 1);
    return lease;
  }

  ended(lease: FakeLease | undefined): void {
    if (lease !== undefined) this.#bodies.set(lease, (this.#bodies.get(lease) ?? 0) - 1);
  }

  /** Leases that were not given back. */
  get kept(): FakeLease[] {
    return this.port.leases.filter(({ state }) => state !== 'released');
  }
}
