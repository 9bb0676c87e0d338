// Explores every reachable state of the slot machine, breadth first, and checks the invariants in
// each state. The world around the machine (lease store, bodies, callers) is the smallest world
// that can make every mistake of a real one. It keeps a reference of the order in which submissions
// must start, and compares the machine with it.

import { ADMISSION_POLICIES, type AdmissionPolicy } from '../../src/model/settings.ts';
import type { OnFull } from '../../src/model/slot-options.ts';
import type { Place, SlotEffect, SlotEntry, SlotMachine } from '../../src/policy/slot-machine.ts';

export interface Entry extends SlotEntry<Entry> {
  readonly n: number;
}

export type Machine = SlotMachine<Entry>;

export interface Bounds {
  readonly policies: readonly AdmissionPolicy[];
  readonly submissions: number;
  readonly queueLimit: number;
  readonly onFull: OnFull;
  /** What may happen in addition to submissions, grants and ends. */
  readonly with: ReadonlySet<Feature>;
}

export type Feature = 'cancel' | 'slotCancel' | 'pause' | 'denied' | 'lostRevoked' | 'abandoned' | 'close' | 'stale';

export const EVERYTHING: readonly Feature[] = [
  'cancel',
  'slotCancel',
  'pause',
  'denied',
  'lostRevoked',
  'abandoned',
  'close',
  'stale',
];

/** An input as short words. They are replayed, and printed with a violation. */
type Input = string;

export class Violation extends Error {
  constructor(invariant: string, detail: string, trail: readonly Input[]) {
    super(`${invariant}: ${detail}\nafter: ${trail.join(', ')}`);
    this.name = 'Violation';
  }
}

export interface Explored {
  readonly states: number;
  readonly edges: number;
}

type Outcome = 'rejected' | 'detached' | 'ended';

/** The machine and the world around it. Replaying inputs brings both to a state. */
class World {
  readonly machine: Machine;
  readonly bounds: Bounds;
  readonly trail: Input[] = [];
  readonly entries: Entry[] = [];
  readonly outcomes = new Map<Entry, Outcome>();
  /** Requests that the store has not answered. */
  readonly requests = new Map<number, { readonly asker: Entry; withdrawn: boolean }>();
  lease: { readonly request: number; state: 'held' | 'revoked' | 'lost' } | null = null;
  body: Entry | null = null;
  joined: Entry[] = [];
  stops = 0;
  closed = false;
  lastRequest = 0;
  lastOwner: Entry | null = null;
  // The reference: the entries that wait, in the order in which they must start.
  replacement: Entry | null = null;
  queue: Entry[] = [];

  constructor(create: () => Machine, bounds: Bounds) {
    this.machine = create();
    this.bounds = bounds;
  }

  fail(invariant: string, detail: string): never {
    throw new Violation(invariant, detail, this.trail);
  }

  inputs(): Input[] {
    const { bounds, machine } = this;
    const can = (feature: Feature) => bounds.with.has(feature);
    const inputs: Input[] = [];
    if (this.entries.length < bounds.submissions) for (const policy of bounds.policies) inputs.push(`submit ${policy}`);
    for (const [request, { withdrawn }] of this.requests) {
      inputs.push(`granted ${request}`);
      if (can('denied') || withdrawn) inputs.push(`denied ${request}`);
    }
    if (this.body !== null) {
      inputs.push('ended');
      if (can('abandoned')) inputs.push('ended abandoned');
    }
    if (can('cancel'))
      for (const entry of this.entries) if (!this.outcomes.has(entry)) inputs.push(`cancel ${entry.n}`);
    if (can('slotCancel')) inputs.push('slotCancel');
    if (can('pause')) inputs.push(machine.paused ? 'resume' : 'pause');
    if (can('lostRevoked') && this.lease !== null) {
      if (this.lease.state !== 'lost') inputs.push(`lost ${this.lease.request}`);
      if (this.lease.state === 'held') inputs.push(`revoked ${this.lease.request}`);
    }
    if (can('close') && !this.closed) inputs.push('close');
    if (can('stale')) {
      const old = this.lastRequest - 1;
      if (old > 0)
        inputs.push(`stale granted ${old}`, `stale denied ${old}`, `stale lost ${old}`, `stale revoked ${old}`);
      if (this.lastOwner !== null && this.lastOwner !== this.body) inputs.push(`stale ended ${this.lastOwner.n}`);
    }
    return inputs;
  }

  apply(input: Input): void {
    const { machine } = this;
    this.trail.push(input);
    const [verb = '', first = '', second = ''] = input.split(' ');
    switch (verb) {
      case 'submit':
        this.#submit(first as AdmissionPolicy);
        break;
      case 'granted':
        this.#granted(Number(first));
        break;
      case 'denied': {
        const request = Number(first);
        this.requests.delete(request);
        machine.denied(request, 'slotBusy');
        break;
      }
      case 'ended': {
        const owner = this.body as Entry;
        this.body = null;
        this.lastOwner = owner;
        for (const entry of [owner, ...this.joined]) if (!this.outcomes.has(entry)) this.#settle(entry, 'ended');
        this.joined = [];
        if (!machine.ended(owner, first === 'abandoned', false)) this.fail('S10', 'the end of the owner was ignored');
        break;
      }
      case 'cancel': {
        const entry = this.entries[Number(first)] as Entry;
        const waited = isQueued(entry);
        if (machine.withdraw(entry, 'canceled') !== waited)
          this.fail('S3', `withdraw of ${entry.n} answered ${!waited}`);
        if (!waited) machine.detach(entry, 'caller');
        break;
      }
      case 'slotCancel':
        machine.cancel();
        break;
      case 'pause':
        machine.pause();
        break;
      case 'resume':
        machine.resume();
        break;
      case 'lost':
      case 'revoked':
        if (this.lease !== null) this.lease.state = verb;
        machine[verb](Number(first));
        break;
      case 'close':
        this.closed = true;
        machine.close();
        break;
      case 'stale':
        this.#stale(first, Number(second));
        return;
    }
    this.#carryOut();
    this.#check();
  }

  #submit(policy: AdmissionPolicy): void {
    const { machine, bounds } = this;
    const entry: Entry = { n: this.entries.length, policy, place: 'new' as Place, ahead: null, behind: null };
    this.entries.push(entry);
    const owner = machine.owner;
    const running = machine.phase === 'running';
    const verdict = machine.submit(entry, { queueLimit: bounds.queueLimit, onFull: bounds.onFull, mayWait: true });
    if (verdict === 'join') {
      if (!running || owner !== this.body || this.body === null)
        this.fail('S3', 'an entry joined an owner that does not run');
      this.joined.push(entry);
      return;
    }
    // The reference takes the entry before the effects remove others.
    if (!isQueued(entry)) return;
    if (policy === 'replace') {
      if (this.replacement !== null && isQueued(this.replacement)) this.fail('S4', 'two replacements wait');
      this.replacement = entry;
    } else if (verdict === 'takeLatest') {
      const at = this.queue.findIndex(({ policy }) => policy === 'keepLatest');
      if (at < 0) this.fail('S4', 'took the place of a keepLatest that does not wait');
      this.queue.splice(at, 0, entry);
    } else this.queue.push(entry);
  }

  #granted(request: number): void {
    const { machine } = this;
    const pending = this.requests.get(request);
    this.requests.delete(request);
    if (this.lease !== null) this.fail('S2', 'a second lease was requested while one is held');
    if (machine.granted(request)) {
      if (pending?.withdrawn === true) this.fail('S8', 'the lease of a withdrawn request was kept');
      this.lease = { request, state: 'held' };
    }
  }

  /** S8: a stale answer or end changes nothing. */
  #stale(verb: string, n: number): void {
    const { machine } = this;
    const before = this.key();
    const accepted =
      verb === 'granted'
        ? machine.granted(n)
        : verb === 'ended'
          ? machine.ended(this.entries[n] as Entry, false, false)
          : verb === 'denied'
            ? machine.denied(n, 'slotBusy')
            : verb === 'lost'
              ? machine.lost(n)
              : machine.revoked(n);
    if (accepted === true) this.fail('S8', `stale ${verb} was accepted`);
    if (machine.effects.length > 0) this.fail('S8', `stale ${verb} had an effect: ${machine.effects[0]?.do}`);
    if (this.key() !== before) this.fail('S8', `stale ${verb} changed the state`);
  }

  #carryOut(): void {
    for (const effect of this.machine.effects) this.#do(effect);
    this.machine.effects.length = 0;
  }

  #do(effect: SlotEffect<Entry>): void {
    switch (effect.do) {
      case 'acquire':
        if (this.lease !== null || this.body !== null)
          this.fail('S2', 'a lease was requested while one is held or a body is alive');
        for (const { withdrawn } of this.requests.values())
          if (!withdrawn) this.fail('S2', 'two lease requests are pending');
        if (this.closed || this.machine.paused) this.fail('S7', 'a lease was requested although nothing may start');
        this.requests.set(effect.request, { asker: effect.asker, withdrawn: false });
        this.lastRequest = effect.request;
        return;
      case 'cancelRequest': {
        const current = this.requests.get(this.lastRequest);
        if (current === undefined || current.withdrawn) this.fail('S8', 'withdrew a lease request that is not pending');
        else current.withdrawn = true;
        return;
      }
      case 'release':
        if (this.lease === null || this.lease.state === 'lost')
          this.fail('S2', 'a lease was released that is not held');
        if (this.body !== null) this.fail('S1', 'a lease was released while a body is alive');
        this.lease = null;
        return;
      case 'dropLease':
        if (this.lease?.state !== 'lost') this.fail('S2', 'a lease was forgotten that is not lost');
        this.lease = null;
        return;
      case 'start': {
        const { entry } = effect;
        if (this.body !== null) this.fail('S1', `${entry.n} started while ${this.body.n} is alive`);
        if (this.lease?.state !== 'held') this.fail('S2', `${entry.n} started without a lease`);
        if (this.closed) this.fail('S7', `${entry.n} started after close`);
        if (this.machine.paused) this.fail('S5', `${entry.n} started in a paused slot`);
        const expected = this.replacement ?? this.queue[0];
        if (expected !== entry) this.fail('S4', `${entry.n} started before ${expected?.n}`);
        this.#leaveQueue(entry);
        this.body = entry;
        this.stops = 0;
        return;
      }
      case 'stop':
        if (effect.owner !== this.body) this.fail('S8', 'an entry was stopped that is not the owner');
        this.stops += 1;
        if (this.stops > 1) this.fail('S3', 'the owner was stopped twice');
        return;
      case 'reject': {
        const { entry, reason, by } = effect;
        if (entry === this.body || this.joined.includes(entry))
          this.fail('S3', `${entry.n} was rejected while it owns or shares the slot`);
        if (reason === 'superseded' && by !== null && by.policy !== entry.policy)
          this.fail('S4', `${by.n} (${by.policy}) evicted ${entry.n} (${entry.policy})`);
        this.#leaveQueue(entry);
        this.#settle(entry, 'rejected');
        return;
      }
      case 'detach':
        this.#settle(effect.entry, 'detached');
        this.joined = this.joined.filter((entry) => entry !== effect.entry);
    }
  }

  #leaveQueue(entry: Entry): void {
    if (this.replacement === entry) this.replacement = null;
    this.queue = this.queue.filter((queued) => queued !== entry);
  }

  #settle(entry: Entry, outcome: Outcome): void {
    if (this.outcomes.has(entry)) this.fail('S3', `${entry.n} ended twice: ${this.outcomes.get(entry)}, ${outcome}`);
    this.outcomes.set(entry, outcome);
  }

  #check(): void {
    const { machine } = this;
    const waiting = [...machine.waiting()];
    const expected = this.replacement === null ? this.queue : [this.replacement, ...this.queue];
    if (waiting.length !== expected.length || waiting.some((entry, i) => entry !== expected[i]))
      this.fail('S4', `${waiting.map(({ n }) => n)} wait, expected ${expected.map(({ n }) => n)}`);
    if (machine.queueLength !== this.queue.length || machine.hasReplacement !== (this.replacement !== null))
      this.fail('S4', 'the counts of the queue are wrong');
    if (machine.hasLatest !== this.queue.some(({ policy }) => policy === 'keepLatest'))
      this.fail('S4', 'hasLatest is wrong');
    if (this.queue.filter(({ policy }) => policy === 'keepLatest').length > 1) this.fail('S4', 'two keepLatest wait');
    if (machine.owner !== this.body)
      this.fail('S1', `the owner is ${machine.owner?.n}, but the live body is of ${this.body?.n}`);
    const participants = (this.body === null || this.outcomes.has(this.body) ? 0 : 1) + this.joined.length;
    if (this.body !== null && machine.participants !== participants)
      this.fail('S3', 'the count of participants is wrong');
    if (this.body !== null && participants === 0 && this.stops === 0)
      this.fail('S3', 'a body without participants was not stopped');
    if (this.body === null && this.lease !== null) this.fail('S6', 'a lease is held without an owner');
    if (this.body !== null && this.lease === null) this.fail('S2', 'an owner has no lease');
    if (this.lease !== null && this.lease.state !== 'held' && this.stops === 0)
      this.fail('S2', 'the owner was not stopped although its lease is revoked or lost');
    if (waiting.length > 0 && machine.phase === 'idle' && !machine.paused)
      this.fail('S5', 'work waits in an idle slot');
    const isRequested = this.requests.size > 0;
    if (machine.phase === 'waiting' && !isRequested)
      this.fail('S10', 'the slot waits for a lease without a pending request');
    if (waiting.length > 0 && !machine.paused && this.body === null && !isRequested) this.fail('S10', 'lost wakeup');
    if (waiting.length === 0 || machine.paused)
      for (const { withdrawn } of this.requests.values())
        if (!withdrawn) this.fail('S6', 'a lease request is pending although nothing may start');
    const isIdle = this.body === null && !isRequested && waiting.length === 0 && !machine.paused;
    if (machine.isIdle !== isIdle) this.fail('S6', `isIdle is ${machine.isIdle}`);
    if (this.closed && waiting.length > 0) this.fail('S7', 'work waits in a closed slot');
    for (const entry of this.entries) {
      const isLive = entry === this.body || this.joined.includes(entry) || isQueued(entry);
      if (isLive === this.outcomes.has(entry) && !(entry === this.body && this.outcomes.get(entry) === 'detached'))
        this.fail('S3', `${entry.n} is ${isLive ? 'live with' : 'gone without'} an outcome`);
    }
  }

  /** Every submission has its outcome, and the slot holds nothing. It may be paused. */
  get atRest(): boolean {
    return this.body === null && this.requests.size === 0 && this.outcomes.size === this.entries.length;
  }

  /**
   * Everything that the next inputs depend on. Requests and owners are named by their order, not by
   * their number.
   */
  key(): string {
    const { machine } = this;
    // An entry with an outcome has no further effect, whatever its policy was.
    const entries = this.entries.map((entry) =>
      this.outcomes.has(entry) && entry !== this.body
        ? '-'
        : `${entry.policy[0]}${entry.place[0]}${this.outcomes.has(entry)}`,
    );
    const requests = [...this.requests].map(
      ([n, { asker, withdrawn }]) => `${this.lastRequest - n}/${asker.n}${withdrawn}`,
    );
    return [
      entries,
      [...machine.waiting()].map(({ n }) => n),
      machine.phase,
      machine.paused,
      machine.owner?.n,
      this.lastOwner === null || this.lastOwner === this.body,
      this.lastRequest > 1,
      machine.participants,
      this.lease?.state,
      this.stops,
      this.closed,
      requests,
    ].join('|');
  }
}

const isQueued = ({ place }: Entry): boolean => place === 'replacement' || place === 'queue';

/**
 * Visits all states within the bounds, breadth first. Throws a {@link Violation} with the inputs
 * that lead to it. In addition to the invariants of every state it checks that rest can be reached
 * from every state.
 */
export function explore(create: () => Machine, bounds: Bounds, maxStates = Infinity): Explored {
  const replay = (trail: readonly Input[]): World => {
    const world = new World(create, bounds);
    for (const input of trail) world.apply(input);
    return world;
  };
  const start = replay([]);
  const numbers = new Map<string, number>([[start.key(), 0]]);
  const trails: (readonly Input[])[] = [[]];
  const before: number[][] = [[]]; // the states before each state
  const resting: number[] = [0];
  let edges = 0;
  for (let at = 0; at < trails.length; at += 1) {
    const trail = trails[at] as readonly Input[];
    const inputs = replay(trail).inputs();
    for (const input of inputs) {
      const world = replay(trail);
      world.apply(input);
      edges += 1;
      const key = world.key();
      let to = numbers.get(key);
      if (to === undefined) {
        if (trails.length >= maxStates) continue;
        to = trails.length;
        numbers.set(key, to);
        trails.push([...trail, input]);
        before.push([]);
        if (world.atRest) resting.push(to);
      }
      before[to]?.push(at);
    }
  }
  const reaches = new Set(resting);
  for (const state of reaches) for (const earlier of before[state] ?? []) reaches.add(earlier);
  if (maxStates === Infinity)
    for (let at = 0; at < trails.length; at += 1)
      if (!reaches.has(at)) throw new Violation('liveness', 'rest cannot be reached', trails[at] as readonly Input[]);
  return { states: trails.length, edges };
}

/** Three submissions, every policy, and every event of a slot. */
export const everything = (queueLimit: number): Bounds => ({
  policies: ADMISSION_POLICIES,
  submissions: 3,
  queueLimit,
  onFull: queueLimit === 1 ? 'dropOldest' : 'reject',
  with: new Set(EVERYTHING),
});
