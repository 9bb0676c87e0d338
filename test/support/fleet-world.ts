// A fleet of processes that share slots through a store in memory, under random faults. It watches
// every body, and knows which may overlap: the store gives the slots of a frozen process away.

import type { Submission, TaskContext } from 'slotvisor';
import type { FleetOptions } from 'slotvisor/fleet';
import { VirtualClock } from 'slotvisor/testing';
import { FrozenProcess } from './frozen-process.ts';
import { MemoryFleet } from './memory-store.ts';

export const TTL_MS = 6_000;

interface LiveBody {
  readonly process: FrozenProcess;
  readonly fence: bigint;
  readonly freezes: number;
}

export class FleetWorld {
  readonly clock = new VirtualClock();
  readonly fleet = new MemoryFleet(this.clock);
  readonly processes: FrozenProcess[] = [];
  readonly violations: string[] = [];
  readonly random: () => number;
  readonly submissions: Submission[] = [];
  bodies = 0;
  steps = 0;
  readonly #options: FleetOptions;
  readonly #live = new Map<string, Set<LiveBody>>();
  readonly #fences = new Map<string, bigint>();

  constructor(random: () => number, processes: number, options: FleetOptions = {}) {
    this.random = random;
    this.#options = { ttlMs: TTL_MS, ...options };
    for (let n = 0; n < processes; n += 1) this.start();
  }

  start(): FrozenProcess {
    const process = new FrozenProcess(this.fleet, this.clock, this.random, this.#options);
    process.store.latencyMs = this.random() < 0.5 ? 0 : this.random() * 20;
    this.processes.push(process);
    return process;
  }

  /** A body that takes steps, and asks before each whether it may. */
  body(process: FrozenProcess, ms: number): (ctx: TaskContext) => Promise<void> {
    return async (ctx) => {
      const body = { process, fence: ctx.fence, freezes: process.freezes };
      this.#began(ctx.slot, body);
      try {
        for (let left = ms; left > 0; left -= 100) {
          if (ctx.canceled) break;
          this.#step(ctx.slot, ctx.fence);
          await ctx.sleep(Math.min(left, 100)).catch(() => {});
        }
        // It takes its time to end, within the grace of a lost lease.
        if (ctx.canceled && this.random() < 0.5) await this.#delay(process, (this.random() * TTL_MS) / 8);
      } finally {
        this.#live.get(ctx.slot)?.delete(body);
      }
    };
  }

  /** Lets the time pass, with all that becomes due. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    await this.clock.settle();
  }

  #delay(process: FrozenProcess, ms: number): Promise<void> {
    return new Promise((resolve) => void process.clock.setTimer(ms, resolve));
  }

  #began(slot: string, body: LiveBody): void {
    this.bodies += 1;
    const last = this.#fences.get(slot) ?? 0n;
    if (body.fence < last) this.violations.push(`${slot}: a body began with fence ${body.fence} after ${last}`);
    else this.#fences.set(slot, body.fence);
    const live = this.#live.get(slot) ?? new Set();
    this.#live.set(slot, live);
    for (const other of live)
      if (other.process.freezes === other.freezes)
        this.violations.push(`${slot}: fence ${body.fence} began while ${other.fence} is alive`);
    live.add(body);
  }

  #step(slot: string, fence: bigint): void {
    this.steps += 1;
    const last = this.#fences.get(slot) as bigint;
    if (fence < last) this.violations.push(`${slot}: a step under fence ${fence} after ${last} had begun`);
  }
}
