// The lease store of one process, asked without a supervisor.

import type { AdmissionPolicy, Lease, LeaseAnswer } from 'slotvisor';
import {
  type FleetLeases,
  type FleetOperation,
  type FleetOptions,
  fleetLeases,
  type LeaseStore,
} from 'slotvisor/fleet';
import { VirtualClock } from 'slotvisor/testing';
import { MemoryFleet, type MemoryStore } from './memory-store.ts';

export class AskedSlot {
  /** What the store has answered. `undefined`: nothing yet. */
  answer: LeaseAnswer | undefined;
  error: unknown;
  readonly #signal = new AbortController();
  readonly #urgent = new AbortController();

  constructor(leases: FleetLeases, slot: string, policy: AdmissionPolicy) {
    if (policy === 'replace') this.#urgent.abort();
    const request = { slot, owner: 'owner-1', policy, signal: this.#signal.signal, urgent: this.#urgent.signal };
    Promise.resolve(leases.acquire(request as never)).then(
      (answer) => {
        this.answer = answer;
      },
      (error: unknown) => {
        this.error = error;
      },
    );
  }
  get isSettled(): boolean {
    return this.answer !== undefined || this.error !== undefined;
  }
  /** The lease that was granted. */
  get lease(): Lease {
    if (this.answer === null || typeof this.answer !== 'object') throw new Error(`no lease, but ${this.answer}`);
    return this.answer;
  }
  cancel(): void {
    this.#signal.abort();
  }
  urge(): void {
    this.#urgent.abort();
  }
}

export class FleetClient {
  readonly leases: FleetLeases;
  readonly store: MemoryStore;
  readonly troubles: string[] = [];

  constructor(fleet: MemoryFleet, options: FleetOptions, over: (store: LeaseStore) => LeaseStore = (store) => store) {
    this.store = fleet.store();
    const onTrouble = (error: unknown, operation: FleetOperation): void => {
      this.troubles.push(`${operation}: ${(error as Error).message}`);
    };
    this.leases = fleetLeases(over(this.store), { onTrouble, ...options });
  }
  ask(slot: string, policy: AdmissionPolicy = 'queue'): AskedSlot {
    return new AskedSlot(this.leases, slot, policy);
  }
}

/** Processes of one fleet, in virtual time. Their `ttlMs` is 6,000: they beat every 1,000 ms. */
export function fleetOf(processes: number, options: FleetOptions = {}) {
  const clock = new VirtualClock();
  const fleet = new MemoryFleet(clock);
  const clients = Array.from({ length: processes }, () => new FleetClient(fleet, { ttlMs: 6_000, clock, ...options }));
  /** Asks for a slot that is free. */
  async function granted(client: FleetClient, slot: string): Promise<AskedSlot> {
    const asked = client.ask(slot);
    await clock.settle();
    if (asked.answer === undefined) throw new Error(`${slot} was not granted`);
    return asked;
  }
  return {
    clock,
    fleet,
    clients,
    granted,
    a: clients[0] as FleetClient,
    b: clients[1] as FleetClient,
    c: clients[2] as FleetClient,
  };
}
