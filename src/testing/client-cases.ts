// The cases on supervisors that share slots through the store, also while the network between them
// and the store is at fault. Over 300 lines because all of them use the same processes and bodies.

import { fleetLeases } from '../ext/fleet/index.ts';
import { type AdmissionPolicy, type Outcome, type Submission, Supervisor, type TaskContext } from '../index.ts';
import { type Case, type CaseWorld, claim, expectSame } from './case-world.ts';
import { FaultyStore, type StoreFault, type StoreOperation } from './faulty-store.ts';

const SLOTS = ['a', 'b'];
const ADMISSIONS: readonly AdmissionPolicy[] = ['queue', 'replace', 'queue', 'dropIfRunning'];
const ROUNDS = 6;
const BODY_MS = 15;

/** What all processes of a case have in common: which bodies are alive, and under which fences. */
class Bodies {
  readonly #alive = new Map<string, bigint>();
  readonly #last = new Map<string, bigint>();
  readonly #wrong: string[] = [];
  count = 0;

  async run(ctx: TaskContext, work: () => Promise<unknown>): Promise<void> {
    const { slot, fence } = ctx;
    const [other, last] = [this.#alive.get(slot), this.#last.get(slot) ?? -1n];
    this.count += 1;
    if (other !== undefined)
      this.#wrong.push(`a body of '${slot}' began under fence ${fence} beside one under ${other}`);
    if (fence <= last) this.#wrong.push(`a body of '${slot}' began under fence ${fence} after one under ${last}`);
    this.#alive.set(slot, fence);
    this.#last.set(slot, fence);
    try {
      await work();
    } finally {
      this.#alive.delete(slot);
    }
  }

  /** The fence of the body that is alive. */
  fenceIn(slot: string): bigint | undefined {
    return this.#alive.get(slot);
  }

  check(): void {
    claim(this.#wrong.length === 0, this.#wrong.join('\n'));
  }
}

/** A process: a supervisor over a store whose network can fail. */
class CaseProcess {
  readonly store: FaultyStore;
  readonly supervisor: Supervisor;
  readonly #world: CaseWorld;
  readonly #bodies: Bodies;

  constructor(world: CaseWorld, bodies: Bodies) {
    const { clock } = world.world;
    this.#world = world;
    this.#bodies = bodies;
    this.store = new FaultyStore(world.world.store());
    this.supervisor = new Supervisor({ clock, leases: fleetLeases(this.store, { ttlMs: world.ttlMs, clock }) });
    world.atEnd(() => this.shutdown());
  }

  submit(slot: string, admission: AdmissionPolicy, ms: number): Submission<void> {
    return this.supervisor.submit({ slot, admission, run: (ctx) => this.#bodies.run(ctx, () => ctx.sleep(ms)) });
  }

  /** Submits a body that ends when it is asked to stop, and waits until it runs. */
  async start(slot: string): Promise<Submission<void>> {
    const submission = this.submit(slot, 'queue', Infinity);
    await this.#world.until('a submission for a free slot runs', () => submission.status === 'running');
    return submission;
  }

  /** Submits for a slot that another process has, and waits until it is in line. */
  async wait(slot: string, admission: AdmissionPolicy, ms = 0): Promise<Submission<void>> {
    const submission = this.submit(slot, admission, ms);
    const isInLine = () => this.store.calls.some((call) => call.startsWith(`acquire ${slot}`)) && !this.store.pending;
    await this.#world.until('the store has answered an acquire', isInLine);
    expectSame('the status of a submission for a slot of another process', submission.status, 'queued');
    return submission;
  }

  outcomeOf(submission: Submission<void>): Promise<Outcome<void>> {
    return this.#world.settled('a submission ends', submission.outcome);
  }

  shutdown(): Promise<unknown> {
    this.mend();
    return this.#world.settled('the shutdown of a process ends', this.supervisor.shutdown());
  }

  mend(): void {
    this.store.clearPlans();
    this.store.cut(false);
    this.store.news = 'pass';
    this.store.deliverNews();
    this.store.letGo();
  }
}

function start(world: CaseWorld, count: number): [Bodies, CaseProcess[]] {
  const bodies = new Bodies();
  return [bodies, Array.from({ length: count }, () => new CaseProcess(world, bodies))];
}

/** Sessions that were given up expire, and their slots are free for others. */
async function expectNothingLeft(world: CaseWorld, processes: readonly CaseProcess[]): Promise<void> {
  for (const process of processes) await process.shutdown();
  const store = world.store();
  const isEmpty = async (): Promise<boolean> => {
    const sweeper = await world.session({ ttlMs: world.ttlMs, store });
    await sweeper.beat();
    for (const slot of SLOTS) {
      const answer = await sweeper.acquire(slot, 'try');
      if (answer.state === 'granted') await sweeper.release(slot, answer.fence);
    }
    await sweeper.end();
    sweeper.stopListening();
    return world.world.isEmpty();
  };
  await world.until('all sessions have ended or expired, and the store is empty', isEmpty, world.ttlMs / 10);
}

const clients: readonly Case[] = [
  {
    name: 'a slot goes from process to process in the order in which they began to wait',
    rule: 'client',
    async run(world) {
      const [bodies, [a, b, c]] = start(world, 3) as [Bodies, [CaseProcess, CaseProcess, CaseProcess]];
      const owner = await a.start('a');
      const [second, third] = [await b.wait('a', 'queue'), await c.wait('a', 'queue')];
      const order: string[] = [];
      void second.outcome.then(() => order.push('second'));
      void third.outcome.then(() => order.push('third'));
      await owner.cancel();
      for (const submission of [second, third])
        expectSame('how it ended', (await a.outcomeOf(submission)).kind, 'completed');
      expectSame('the order', order, ['second', 'third']);
      bodies.check();
      await expectNothingLeft(world, [a, b, c]);
    },
  },
  {
    name: 'dropIfRunning is rejected as slotBusy while another process has the slot',
    rule: 'client',
    async run(world) {
      const [, [a, b]] = start(world, 2) as [Bodies, [CaseProcess, CaseProcess]];
      await a.start('a');
      const outcome = await b.outcomeOf(b.submit('a', 'dropIfRunning', 0));
      expectSame('why it was rejected', outcome.kind === 'rejected' && outcome.reason, 'slotBusy');
      await expectNothingLeft(world, [a, b]);
    },
  },
  {
    name: 'a replacement stops the owner in another process, and goes before the line',
    rule: 'client',
    async run(world) {
      const [bodies, [a, b, c]] = start(world, 3) as [Bodies, [CaseProcess, CaseProcess, CaseProcess]];
      const owner = await a.start('a');
      const waiting = await b.wait('a', 'queue');
      const replacement = c.submit('a', 'replace', 0);
      const stopped = await a.outcomeOf(owner);
      expectSame('what stopped the owner', stopped.kind === 'canceled' && stopped.by, 'replace');
      expectSame('how the replacement ended', (await c.outcomeOf(replacement)).kind, 'completed');
      expectSame('how the submission in line ended', (await b.outcomeOf(waiting)).kind, 'completed');
      bodies.check();
      await expectNothingLeft(world, [a, b, c]);
    },
  },
  {
    name: 'a submission that is canceled while it waits leaves the line',
    rule: 'client',
    async run(world) {
      const [, [a, b, c]] = start(world, 3) as [Bodies, [CaseProcess, CaseProcess, CaseProcess]];
      const owner = await a.start('a');
      const [gone, next] = [await b.wait('a', 'queue'), await c.wait('a', 'queue')];
      await gone.cancel();
      await owner.cancel();
      expectSame('how the next in line ended', (await c.outcomeOf(next)).kind, 'completed');
      await expectNothingLeft(world, [a, b, c]);
    },
  },
  {
    name: 'the shutdown of a process hands its slots over',
    rule: 'client',
    async run(world) {
      const [bodies, [a, b]] = start(world, 2) as [Bodies, [CaseProcess, CaseProcess]];
      await a.start('a');
      const next = await b.wait('a', 'queue');
      await a.shutdown();
      expectSame('how the next in line ended', (await b.outcomeOf(next)).kind, 'completed');
      bodies.check();
      await expectNothingLeft(world, [a, b]);
    },
  },
  {
    name: 'the body of a process that is cut off has ended before the slot goes to another one',
    rule: 'client',
    async run(world) {
      const [bodies, [a, b]] = start(world, 2) as [Bodies, [CaseProcess, CaseProcess]];
      const owner = await a.start('a');
      const fence = bodies.fenceIn('a') as bigint;
      const next = await b.wait('a', 'queue', Infinity);
      a.store.cut(true);
      await world.until('the process that is cut off stops its body', () => owner.status === 'suspended');
      await world.until('the other process runs its body', () => next.status === 'running');
      claim((bodies.fenceIn('a') as bigint) > fence, 'the fence must be greater than that of the lost lease');
      a.store.cut(false);
      await world.pass(world.ttlMs / 2);
      expectSame('the status of the owner that lost its lease', owner.status, 'suspended');
      await next.cancel();
      await world.until('the first process has the slot again', () => owner.status === 'running');
      bodies.check();
      await expectNothingLeft(world, [a, b]);
    },
  },
];

/** Processes use the same slots under faults. All work ends, and no two bodies of a slot meet. */
async function shareSlots(world: CaseWorld, harm: (store: FaultyStore) => void): Promise<void> {
  const [bodies, processes] = start(world, 3);
  for (const { store } of processes) harm(store);
  const work = processes.flatMap((process, i) =>
    SLOTS.map(async (slot) => {
      for (let round = i; round < i + ROUNDS; round += 1) {
        const admission = ADMISSIONS[round % ADMISSIONS.length] as AdmissionPolicy;
        await process.submit(slot, admission, BODY_MS).outcome;
      }
    }),
  );
  await world.settled('all work ends', Promise.all(work));
  bodies.check();
  claim(bodies.count >= ROUNDS, `of ${work.length * ROUNDS} bodies at least ${ROUNDS} must run, ${bodies.count} did`);
  for (const process of processes) process.mend();
  await expectNothingLeft(world, processes);
}

const OPERATIONS: readonly StoreOperation[] = ['open', 'beat', 'acquire', 'release', 'withdraw', 'end'];

/** The next calls of every operation have this fault. */
function plan(store: FaultyStore, fault: StoreFault, times: number): void {
  for (const operation of OPERATIONS) store.plan(operation, fault, { times });
}

/** Calls that hang go on after a time in which a lease is lost. */
function hang(world: CaseWorld, store: FaultyStore, fault: StoreFault): void {
  plan(store, fault, 1);
  const letGo = async (): Promise<void> => {
    for (let n = 0; n < OPERATIONS.length; n += 1) {
      await world.sleep(0.7 * world.ttlMs);
      store.letGo();
    }
  };
  void letGo();
}

const HARMS: readonly [what: string, harm: (store: FaultyStore, world: CaseWorld) => void][] = [
  ['the network is sound', () => {}],
  ['calls fail before they are done', (store) => plan(store, 'failBefore', 3)],
  ['answers of calls that were done are lost', (store) => plan(store, 'failAfter', 3)],
  ['calls are done twice', (store) => plan(store, 'twice', 20)],
  ['calls reach the store after the lease is lost', (store, world) => hang(world, store, 'hangBefore')],
  ['answers come after the lease is lost', (store, world) => hang(world, store, 'hangAfter')],
  [
    'news are lost',
    (store) => {
      store.news = 'lost';
    },
  ],
  [
    'news come twice',
    (store) => {
      store.news = 'doubled';
    },
  ],
  [
    'news come late, the last one first',
    (store, world) => {
      store.news = 'held';
      const deliver = async (): Promise<void> => {
        for (let n = 0; n < 20; n += 1) {
          await world.sleep(world.ttlMs / 10);
          store.heldNews.reverse();
          store.deliverNews();
        }
      };
      void deliver();
    },
  ],
  [
    'news and answers are lost',
    (store) => {
      store.news = 'lost';
      plan(store, 'failAfter', 3);
    },
  ],
  [
    'the network is cut for longer than a lease lives',
    (store, world) => {
      void world
        .sleep(BODY_MS)
        .then(() => store.cut(true))
        .then(() => world.sleep(1.3 * world.ttlMs))
        .then(() => store.cut(false));
    },
  ],
];

export const clientCases: readonly Case[] = [
  ...clients,
  ...HARMS.map(
    ([what, harm]): Case => ({
      name: `processes share slots while ${what}`,
      rule: 'faults',
      run: (world) => shareSlots(world, (store) => harm(store, world)),
    }),
  ),
];
