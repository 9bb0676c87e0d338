// The world of one random schedule: tasks of a few slots, bodies that end when the scheduler says,
// a shutdown, and perhaps a lease store. It notes what happens; the test judges it.

import type fc from 'fast-check';
import { type Outcome, type Submission, Supervisor, type TaskContext, type TaskEvent } from 'slotvisor';
import { VirtualClock } from 'slotvisor/testing';
import type { AdmissionPolicy } from '../../src/model/settings.ts';
import { ProbeCount } from './probe-count.ts';
import { type Fate, RaceStore } from './race-store.ts';
import { wrongCounts } from './recount.ts';

export interface Plan {
  readonly slot: string;
  readonly admission: AdmissionPolicy;
  readonly restart: 'onFailure' | 'never';
  readonly onShutdown: 'stop' | 'finish';
  readonly stage: number;
  /** `late`: it ignores its stop request, and ends after its grace. */
  readonly ends: 'value' | 'error' | 'errorOnce' | 'late';
  readonly heedsStop: boolean;
  readonly stableMs: number;
  readonly afterwards: 'nothing' | 'cancel' | 'restart' | 'cancelSlot' | 'pause' | 'shutdown' | 'shutdownSoon';
  /** Microtasks between the drawn moment and the call. */
  readonly hops: number;
}

export interface Entry {
  readonly plan: Plan;
  readonly submission: Submission<string>;
  readonly outcomes: Outcome<string>[];
  calls: number;
  calledAfterOutcome: boolean;
}

interface Body {
  readonly slot: string;
  readonly isLate: boolean;
  stoppedAt: number;
}

const GRACE_MS = 20;
const LATE_MS = 50;

/** A shutdown with time for every body, and one that gives bodies up. */
export const SHUTDOWNS = {
  shutdown: { graceMs: 1_000, finishMs: 30 },
  shutdownSoon: { graceMs: 15, finishMs: 5 },
} as const;

export class World {
  readonly clock = new VirtualClock();
  readonly store: RaceStore | undefined;
  readonly supervisor: Supervisor;
  readonly entries: Entry[] = [];
  /** The owners, in the order in which their first bodies began. */
  readonly begun: Entry[] = [];
  readonly overlaps: string[] = [];
  /** Where `stats()` was not what the tasks, the slots and the bodies are. */
  readonly miscounts: string[] = [];
  readonly events: TaskEvent[] = [];
  readonly #alive = new Set<Body>();
  readonly #probes = new ProbeCount();
  readonly #scheduler: fc.Scheduler;

  /** `fates`: those of the lease store's requests; undefined without a store. */
  constructor(scheduler: fc.Scheduler, fates: readonly Fate[] | undefined) {
    this.#scheduler = scheduler;
    this.store = fates && new RaceStore(fates, () => scheduler.schedule(Promise.resolve()));
    const leases = this.store === undefined ? {} : { leases: this.store.port };
    this.supervisor = new Supervisor({ clock: this.clock, shutdownGraceMs: 1_000, ...leases });
    this.supervisor.instrument(this.#probes);
    this.supervisor.subscribe((event) => void this.events.push(event), { capacity: Infinity });
  }

  async play(given: Plan): Promise<void> {
    await this.#moment(given.hops);
    if (this.supervisor.snapshot().phase !== 'open') return;
    const entry = this.#submit(given);
    if (given.afterwards === 'nothing') return;
    await this.#moment(given.hops);
    this.#act(entry);
  }

  async #moment(hops: number): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve());
    for (let hop = 0; hop < hops; hop += 1) await undefined;
    this.#recount();
  }

  /** A body that has ended is alive for the supervisor until the supervisor learns of it. */
  #recount(): void {
    this.miscounts.push(...wrongCounts(this.supervisor), ...this.#probes.differences(this.supervisor));
    const { bodies, abandonedAlive } = this.supervisor.stats();
    if (this.#alive.size > bodies + abandonedAlive)
      this.miscounts.push(`${this.#alive.size} bodies are alive: stats() has ${bodies} and ${abandonedAlive}`);
  }

  #submit(given: Plan): Entry {
    const submission = this.supervisor.submit({
      slot: given.slot,
      admission: given.admission,
      restart: given.restart,
      onShutdown: given.onShutdown,
      shutdownStage: given.stage,
      graceMs: GRACE_MS,
      onOverrun: given.ends === 'late' ? 'abandon' : 'hold',
      backoff: { firstMs: 5, jitter: 'none' },
      maxRetries: 1,
      stableMs: given.stableMs,
      run: (ctx) => this.#run(entry, ctx),
    });
    const entry: Entry = { plan: given, submission, outcomes: [], calls: 0, calledAfterOutcome: false };
    this.entries.push(entry);
    void submission.outcome.then((outcome) => entry.outcomes.push(outcome));
    return entry;
  }

  async #run(entry: Entry, ctx: TaskContext): Promise<string> {
    const { slot, ends, heedsStop } = entry.plan;
    const body: Body = { slot, isLate: ends === 'late', stoppedAt: Infinity };
    const lease = this.store?.called(ctx);
    for (const other of this.#alive) if (other.slot === slot && !this.#isGivenUp(other)) this.overlaps.push(slot);
    this.#alive.add(body);
    ctx.onCancel(() => {
      body.stoppedAt = this.clock.now();
    });
    if (entry.calls === 0) this.begun.push(entry);
    entry.calls += 1;
    entry.calledAfterOutcome ||= entry.outcomes.length > 0;
    this.#recount();
    const work = this.#work(entry, ctx.attempt);
    try {
      return await (heedsStop && ends !== 'late' ? ctx.untilCanceled(work) : work);
    } finally {
      this.#alive.delete(body);
      this.store?.ended(lease);
    }
  }

  async #work({ plan: { ends }, submission }: Entry, attempt: number): Promise<string> {
    if (ends === 'late') await new Promise<void>((resolve) => this.clock.setTimer(LATE_MS, resolve));
    await this.#scheduler.schedule(Promise.resolve());
    if (ends === 'error' || (ends === 'errorOnce' && attempt === 1)) throw new Error('own');
    return submission.id;
  }

  /** Its grace is over: the library may go on without it. */
  #isGivenUp({ isLate, stoppedAt }: Body): boolean {
    return isLate && this.clock.now() >= stoppedAt + GRACE_MS;
  }

  #act({ plan: { slot, afterwards }, submission }: Entry): void {
    switch (afterwards) {
      case 'cancel':
        void submission.cancel();
        return;
      case 'restart':
        submission.restart();
        return;
      case 'cancelSlot':
        void this.supervisor.slot(slot).cancel();
        return;
      case 'pause':
        this.supervisor.slot(slot).pause();
        void this.#moment(1).then(() => this.supervisor.slot(slot).resume());
        return;
      case 'shutdown':
      case 'shutdownSoon':
        void this.supervisor.shutdown(SHUTDOWNS[afterwards]);
        return;
      case 'nothing':
    }
  }

  /** Runs until the scheduler has nothing to draw and no timer is set. */
  async rest(): Promise<void> {
    do {
      await this.#scheduler.waitIdle();
      await this.clock.settle();
    } while (this.#scheduler.count() > 0 || (await this.clock.next()));
  }
}
