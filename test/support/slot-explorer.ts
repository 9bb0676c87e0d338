// Walks every reachable state of the slot machine, breadth first, and checks the invariants in each. The world around the machine (lease
// store, bodies, callers) is the smallest one that can do everything wrong that a real one can; next to the machine it keeps its own idea of
// who must go next, so that the two can disagree.

import type { AdmissionPolicy } from '../../src/model/settings.ts';
import type { Place, SlotEffect, SlotEntry, SlotMachine } from '../../src/policy/slot-machine.ts';

export interface Entry extends SlotEntry<Entry> {
  readonly n: number;
}

export type Machine = SlotMachine<Entry>;

export interface Bounds {
  readonly policies: readonly AdmissionPolicy[];
  readonly submissions: number;
  readonly queueLimit: number;
  readonly onFull: 'reject' | 'dropOldest';
  /** What may happen beside submissions, grants and ends. */
  readonly with: ReadonlySet<Feature>;
}

export type Feature = 'cancel' | 'slotCancel' | 'pause' | 'denied' | 'lostRevoked' | 'handBack' | 'close' | 'stale';

export const EVERYTHING: readonly Feature[] = [
  'cancel',
  'slotCancel',
  'pause',
  'denied',
  'lostRevoked',
  'handBack',
  'close',
  'stale',
];

/** Inputs as short words: what is replayed, and what a failure prints. */
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

type Outcome = 'rejected' | 'left' | 'ended';

/** The machine with the world around it, brought to a state by replaying inputs. */
class World {
  readonly machine: Machine;
  readonly bounds: Bounds;
  readonly trail: Input[] = [];
  readonly entries: Entry[] = [];
  readonly outcomes = new Map<Entry, Outcome>();
  /** Requests that the store has not answered. */
  readonly asked = new Map<number, { readonly asker: Entry; calledOff: boolean }>();
  lease: { readonly request: number; state: 'held' | 'revoked' | 'lost' } | null = null;
  body: Entry | null = null;
  joined: Entry[] = [];
  stops = 0;
  closed = false;
  lastRequest = 0;
  lastOwner: Entry | null = null;
  // The reference: who waits, in the order in which they must go.
  next: Entry | null = null;
  line: Entry[] = [];

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
    for (const [request, { calledOff }] of this.asked) {
      inputs.push(`granted ${request}`);
      if (can('denied') || calledOff) inputs.push(`denied ${request}`);
    }
    if (this.body !== null) {
      inputs.push('ended');
      if (can('handBack')) inputs.push('ended handBack');
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
        this.asked.delete(request);
        machine.denied(request, 'slotBusy');
        break;
      }
      case 'ended': {
        const owner = this.body as Entry;
        this.body = null;
        this.lastOwner = owner;
        for (const one of [owner, ...this.joined]) if (!this.outcomes.has(one)) this.#settle(one, 'ended');
        this.joined = [];
        if (!machine.ended(owner, first === 'handBack', false)) this.fail('S10', 'the end of the owner was not taken');
        break;
      }
      case 'cancel': {
        const entry = this.entries[Number(first)] as Entry;
        const waited = isWaiting(entry);
        if (machine.withdraw(entry, 'canceled') !== waited) this.fail('S3', `withdraw of ${entry.n} misjudged`);
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
      if (!running || owner !== this.body || this.body === null) this.fail('S3', 'joined something that does not run');
      this.joined.push(entry);
      return;
    }
    // The reference takes it in before the effects say who leaves.
    if (!isWaiting(entry)) return;
    if (policy === 'replace') {
      if (this.next !== null && isWaiting(this.next)) this.fail('S4', 'two replacements wait');
      this.next = entry;
    } else if (verdict === 'takeLatest') {
      const at = this.line.findIndex((one) => one.policy === 'keepLatest');
      if (at < 0) this.fail('S4', 'took the place of nobody');
      this.line.splice(at, 0, entry);
    } else this.line.push(entry);
  }

  #granted(request: number): void {
    const { machine } = this;
    const waiting = this.asked.get(request);
    this.asked.delete(request);
    if (this.lease !== null) this.fail('S2', 'a second lease was asked for while one is held');
    if (machine.granted(request)) {
      if (waiting?.calledOff === true) this.fail('S8', 'a called-off lease was kept');
      this.lease = { request, state: 'held' };
    }
  }

  /** S8: an answer or an end from the past changes nothing. */
  #stale(verb: string, n: number): void {
    const { machine } = this;
    const before = this.key();
    const taken =
      verb === 'granted'
        ? machine.granted(n)
        : verb === 'ended'
          ? machine.ended(this.entries[n] as Entry, false, false)
          : verb === 'denied'
            ? machine.denied(n, 'slotBusy')
            : verb === 'lost'
              ? machine.lost(n)
              : machine.revoked(n);
    if (taken === true) this.fail('S8', `stale ${verb} was accepted`);
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
        if (this.lease !== null || this.body !== null) this.fail('S2', 'asked for a lease while owning');
        for (const { calledOff } of this.asked.values()) if (!calledOff) this.fail('S2', 'two requests at a time');
        if (this.closed || this.machine.paused) this.fail('S7', 'asked for a lease though nothing may start');
        this.asked.set(effect.request, { asker: effect.asker, calledOff: false });
        this.lastRequest = effect.request;
        return;
      case 'withdraw': {
        const current = this.asked.get(this.lastRequest);
        if (current === undefined || current.calledOff) this.fail('S8', 'called off what was not asked');
        else current.calledOff = true;
        return;
      }
      case 'release':
        if (this.lease === null || this.lease.state === 'lost') this.fail('S2', 'released a lease that is not held');
        if (this.body !== null) this.fail('S1', 'released under a live body');
        this.lease = null;
        return;
      case 'forget':
        if (this.lease?.state !== 'lost') this.fail('S2', 'forgot a lease that is not lost');
        this.lease = null;
        return;
      case 'start': {
        const { entry } = effect;
        if (this.body !== null) this.fail('S1', `${entry.n} started while ${this.body.n} is alive`);
        if (this.lease?.state !== 'held') this.fail('S2', `${entry.n} started without a lease`);
        if (this.closed) this.fail('S7', `${entry.n} started after close`);
        if (this.machine.paused) this.fail('S5', `${entry.n} started in a paused slot`);
        const due = this.next ?? this.line[0];
        if (due !== entry) this.fail('S4', `${entry.n} started before ${due?.n}`);
        this.#forget(entry);
        this.body = entry;
        this.stops = 0;
        return;
      }
      case 'stop':
        if (effect.owner !== this.body) this.fail('S8', 'told somebody else to stop');
        this.stops += 1;
        if (this.stops > 1) this.fail('S3', 'told to stop twice');
        return;
      case 'reject': {
        const { entry, reason, by } = effect;
        if (entry === this.body || this.joined.includes(entry))
          this.fail('S3', `${entry.n} was rejected while it owns`);
        if (reason === 'superseded' && by !== null && by.policy !== entry.policy)
          this.fail('S4', `${by.n} (${by.policy}) evicted ${entry.n} (${entry.policy})`);
        this.#forget(entry);
        this.#settle(entry, 'rejected');
        return;
      }
      case 'detach':
        this.#settle(effect.entry, 'left');
        this.joined = this.joined.filter((one) => one !== effect.entry);
    }
  }

  #forget(entry: Entry): void {
    if (this.next === entry) this.next = null;
    this.line = this.line.filter((one) => one !== entry);
  }

  #settle(entry: Entry, outcome: Outcome): void {
    if (this.outcomes.has(entry)) this.fail('S3', `${entry.n} ended twice: ${this.outcomes.get(entry)}, ${outcome}`);
    this.outcomes.set(entry, outcome);
  }

  #check(): void {
    const { machine } = this;
    const waiting = [...machine.waiting()];
    const due = this.next === null ? this.line : [this.next, ...this.line];
    if (waiting.length !== due.length || waiting.some((one, i) => one !== due[i]))
      this.fail('S4', `waits ${waiting.map(({ n }) => n)}, must wait ${due.map(({ n }) => n)}`);
    if (machine.queueLength !== this.line.length || machine.hasReplacement !== (this.next !== null))
      this.fail('S4', 'the counts of the line are wrong');
    if (machine.hasLatest !== this.line.some(({ policy }) => policy === 'keepLatest'))
      this.fail('S4', 'the waiting keepLatest is misremembered');
    if (this.line.filter(({ policy }) => policy === 'keepLatest').length > 1) this.fail('S4', 'two keepLatest wait');
    if (machine.owner !== this.body) this.fail('S1', `owner ${machine.owner?.n}, alive ${this.body?.n}`);
    const participants = (this.body === null || this.outcomes.has(this.body) ? 0 : 1) + this.joined.length;
    if (this.body !== null && machine.participants !== participants) this.fail('S3', 'participants are miscounted');
    if (this.body !== null && participants === 0 && this.stops === 0)
      this.fail('S3', 'nobody wants it, and it is not told to stop');
    if (this.body === null && this.lease !== null) this.fail('S6', 'a lease is held for nobody');
    if (this.body !== null && this.lease === null) this.fail('S2', 'an owner without a lease');
    if (this.lease !== null && this.lease.state !== 'held' && this.stops === 0)
      this.fail('S2', 'the owner goes on without its lease');
    if (waiting.length > 0 && machine.phase === 'idle' && !machine.paused)
      this.fail('S5', 'work waits in an idle slot');
    const outstanding = this.asked.size > 0;
    if (machine.phase === 'waiting' && !outstanding) this.fail('S10', 'waits for an answer that nobody owes');
    if (waiting.length > 0 && !machine.paused && this.body === null && !outstanding) this.fail('S10', 'lost wakeup');
    if (waiting.length === 0 || machine.paused)
      for (const { calledOff } of this.asked.values()) if (!calledOff) this.fail('S6', 'a lease is asked for nobody');
    const spent = this.body === null && !outstanding && waiting.length === 0 && !machine.paused;
    if (machine.isIdle !== spent) this.fail('S6', `spent is ${machine.isIdle}`);
    if (this.closed && waiting.length > 0) this.fail('S7', 'work waits in a closed slot');
    for (const entry of this.entries) {
      const live = entry === this.body || this.joined.includes(entry) || isWaiting(entry);
      if (live === this.outcomes.has(entry) && !(entry === this.body && this.outcomes.get(entry) === 'left'))
        this.fail('S3', `${entry.n} is ${live ? 'live with' : 'gone without'} an outcome`);
    }
  }

  /** Every submission has its outcome and the slot would leave the table, but for a pause. */
  get atRest(): boolean {
    return this.body === null && this.asked.size === 0 && this.outcomes.size === this.entries.length;
  }

  /** All that decides what can happen from here on. Requests and owners are named by their order, not by their number. */
  key(): string {
    const { machine } = this;
    // Who is gone can do nothing more, whatever it was.
    const entries = this.entries.map((entry) =>
      this.outcomes.has(entry) && entry !== this.body
        ? '-'
        : `${entry.policy[0]}${entry.place[0]}${this.outcomes.has(entry)}`,
    );
    const asked = [...this.asked].map(([n, { asker, calledOff }]) => `${this.lastRequest - n}/${asker.n}${calledOff}`);
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
      asked,
    ].join('|');
  }
}

const isWaiting = ({ place }: Entry): boolean => place === 'replacement' || place === 'queue';

/**
 * Breadth first over all states within the bounds. Throws a {@link Violation} with the inputs that lead there.
 * Beside the invariants of every state it checks that from every state rest can be reached.
 */
export function explore(create: () => Machine, bounds: Bounds, mostStates = Infinity): Explored {
  const replay = (trail: readonly Input[]): World => {
    const world = new World(create, bounds);
    for (const input of trail) world.apply(input);
    return world;
  };
  const start = replay([]);
  const numbers = new Map<string, number>([[start.key(), 0]]);
  const trails: (readonly Input[])[] = [[]];
  const before: number[][] = [[]]; // the graph, backwards
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
        if (trails.length >= mostStates) continue;
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
  if (mostStates === Infinity)
    for (let at = 0; at < trails.length; at += 1)
      if (!reaches.has(at)) throw new Violation('liveness', 'rest cannot be reached', trails[at] as readonly Input[]);
  return { states: trails.length, edges };
}

/** Three submissions, every policy, and everything that can happen to a slot. */
export const everything = (queueLimit: number): Bounds => ({
  policies: ['queue', 'replace', 'dropIfRunning', 'keepLatest', 'join'],
  submissions: 3,
  queueLimit,
  onFull: queueLimit === 1 ? 'dropOldest' : 'reject',
  with: new Set(EVERYTHING),
});
