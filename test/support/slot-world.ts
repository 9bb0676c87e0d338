// The world around a slot machine: the lease store, the bodies and the callers. It is the smallest
// world that can make every mistake of a real one. It keeps a reference of what must be true, and
// throws a Violation where the machine differs from it. A violation is named by its invariant, or:
//
// names      what events, views and `by` name is the first participant that is left
// urge       while a replacement waits for a lease request, the store knows it
// handover   the lease is kept for the next owner exactly when it may be
// attributes no rule asks what a submission does before that matters
//
// Long because one input can touch every part of the world.

import type { StopCause } from '../../src/model/error.ts';
import type { RejectReason } from '../../src/model/outcome.ts';
import { ADMISSION_POLICIES, type AdmissionPolicy } from '../../src/model/settings.ts';
import type { OnFull } from '../../src/model/slot-options.ts';
import { isRefusal, type Limits, type Verdict } from '../../src/policy/admission.ts';
import type { Departure } from '../../src/policy/departure.ts';
import { type Flight, firstOf, participantsOf } from '../../src/policy/flight.ts';
import type { Place, SlotEffect, SlotEntry, SlotMachine } from '../../src/policy/slot-machine.ts';

export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(invariant: string, detail: string, trail: readonly Input[]) {
    super(`${invariant}: ${detail}\nafter: ${trail.map((input) => Object.values(input).join(' ')).join(', ')}`);
  }
}

/**
 * One submission. What it does in a shutdown and after a lost lease is decided when a rule first
 * asks, so one path stands for all submissions that no rule distinguishes yet. A rule that
 * asks too early is a violation.
 */
export class Entry implements SlotEntry<Entry> {
  readonly n: number;
  readonly policy: AdmissionPolicy;
  readonly will: { finishes?: boolean | undefined; resumes?: boolean | undefined };
  place: Place = 'new';
  ahead: Entry | null = null;
  behind: Entry | null = null;
  flight: Flight<Entry> | null = null;
  isCalledOff = false;

  constructor(n: number, policy: AdmissionPolicy, will: Entry['will'] = {}) {
    this.n = n;
    this.policy = policy;
    this.will = will;
  }
  get finishes(): boolean {
    return this.#decided('finishes');
  }
  get resumes(): boolean {
    return this.#decided('resumes');
  }
  #decided(what: 'finishes' | 'resumes'): boolean {
    const value = this.will[what];
    if (value === undefined) throw new Violation('attributes', `a rule asked too early whether ${this.n} ${what}`, []);
    return value;
  }
}

export type Machine = SlotMachine<Entry>;

/** As a slot does it: an entry that is turned away never enters. */
export function submitTo<E extends SlotEntry<E>>(machine: SlotMachine<E>, entry: E, limits: Limits): Verdict {
  const verdict = machine.decide(entry.policy, limits);
  if (!isRefusal(verdict)) machine.enter(entry, verdict, limits);
  return verdict;
}

export interface Bounds {
  readonly submissions: number;
  readonly queueLimit: number;
  readonly onFull: OnFull;
  /** Leases are local: the slot always has its lease. */
  readonly isLocal: boolean;
}

export type Input =
  | { readonly do: 'submit'; readonly policy: AdmissionPolicy }
  | { readonly do: 'leave'; readonly n: number }
  | { readonly do: 'granted' | 'superseded' | 'denied' }
  | { readonly do: 'begin' | 'attemptEnds' }
  | { readonly do: 'suspended'; readonly bodyAlive: boolean }
  | { readonly do: 'ended'; readonly bodyAlive: boolean; readonly contended: boolean }
  | { readonly do: 'lost'; readonly resumes: boolean | undefined }
  | { readonly do: 'revoked' }
  | { readonly do: 'slotCancel' | 'pause' | 'resume' | 'givenUpEnds' }
  | { readonly do: 'close'; readonly finish: readonly number[] }
  | { readonly do: 'stop'; readonly finishes: boolean | undefined }
  | { readonly do: 'endFinish' };

type InputOf<Verb> = Extract<Input, { readonly do: Verb }>;
type EffectOf<Verb> = Extract<SlotEffect<Entry>, { readonly do: Verb }>;

/** A leader and those that joined it. */
interface Group {
  readonly leader: Entry;
  /** The participants that have not left, in the order in which they came. */
  left: Entry[];
}

interface Request {
  readonly n: number;
  readonly asker: Entry;
  readonly policy: AdmissionPolicy;
  /** The store knows that a replacement waits. */
  urgent: boolean;
  withdrawn: boolean;
}

interface Lease {
  readonly request: number;
  state: 'held' | 'revoked' | 'lost';
  /** A body that ran under it was given up, and is alive. */
  bodyGivenUp: boolean;
}

interface Owner {
  readonly group: Group;
  /** It is in an attempt. Otherwise it is before the first one, or between two. */
  inBody: boolean;
  /** `ending`: it must have no body, and has not proved it. `out`: it has proved it. */
  suspended: 'no' | 'ending' | 'out';
  finishing: boolean;
  stoppedBy: StopCause | null;
}

interface Rejection {
  readonly entry: Entry;
  readonly reason: RejectReason;
  readonly by: Entry | null;
}

export class World {
  readonly machine: Machine;
  readonly trail: Input[] = [];
  readonly entries: Entry[] = [];
  readonly #bounds: Bounds;
  readonly #settled = new Set<Entry>();
  readonly #turnedAway = new Set<Entry>();
  #replacement: Group | null = null;
  #queue: Group[] = [];
  #owner: Owner | null = null;
  #lease: Lease | null = null;
  /** What the store has not answered. */
  #request: Request | null = null;
  #lastRequest = 0;
  #shutdown: 'open' | 'closed' | 'finishOver' = 'open';
  #paused = false;
  /** The leases of bodies that were given up and are alive. At most one, to bound the states. */
  #setAside = 0;
  /** What the present input must reject, in order. */
  #expected: Rejection[] = [];
  /** The participant that the present input must detach. */
  #detaches: Entry | null = null;
  /** The present input must stop the owner, unless it was stopped before. */
  #mustStop = false;

  constructor(machine: Machine, bounds: Bounds) {
    this.machine = machine;
    this.#bounds = bounds;
  }

  fail(invariant: string, detail: string): never {
    throw new Violation(invariant, detail, this.trail);
  }

  // -- What can happen now --

  inputs(): Input[] {
    const inputs: Input[] = [];
    if (this.#shutdown === 'open' && this.entries.length < this.#bounds.submissions)
      for (const policy of ADMISSION_POLICIES) inputs.push({ do: 'submit', policy });
    this.#answers(inputs);
    if (this.#owner !== null) this.#inputsOfOwner(inputs, this.#owner);
    for (const entry of this.entries) if (!this.#settled.has(entry)) inputs.push({ do: 'leave', n: entry.n });
    inputs.push({ do: 'slotCancel' }, { do: this.#paused ? 'resume' : 'pause' });
    this.#inputsOfShutdown(inputs);
    if (this.#setAside > 0) inputs.push({ do: 'givenUpEnds' });
    return inputs;
  }

  #answers(inputs: Input[]): void {
    const request = this.#request;
    if (request === null) return;
    inputs.push({ do: 'granted' }, { do: 'denied' });
    if (request.urgent) inputs.push({ do: 'superseded' });
  }

  #inputsOfOwner(inputs: Input[], owner: Owner): void {
    const isStopped = owner.stoppedBy !== null;
    const { isLocal } = this.#bounds;
    const alive = owner.inBody && this.#setAside === 0 && !isLocal ? [false, true] : [false];
    const state = this.#lease?.state;
    if (owner.suspended === 'no' && !isStopped) inputs.push({ do: owner.inBody ? 'attemptEnds' : 'begin' });
    for (const bodyAlive of alive)
      if (owner.suspended === 'ending' && !isStopped) inputs.push({ do: 'suspended', bodyAlive });
      else if (owner.suspended === 'no' || isStopped)
        for (const contended of state === 'held' && !isLocal ? [false, true] : [false])
          inputs.push({ do: 'ended', bodyAlive, contended });
    if (isLocal) return;
    if (state === 'held') inputs.push({ do: 'revoked' });
    if (state !== 'held' && state !== 'revoked') return;
    const isUndecided = owner.group.leader.will.resumes === undefined && !isStopped && !owner.finishing;
    for (const resumes of isUndecided ? [true, false] : [undefined]) inputs.push({ do: 'lost', resumes });
  }

  #inputsOfShutdown(inputs: Input[]): void {
    if (this.#shutdown === 'open') {
      for (const finish of subsets(this.#line.map(({ leader }) => leader.n))) inputs.push({ do: 'close', finish });
      return;
    }
    if (this.#shutdown === 'closed') inputs.push({ do: 'endFinish' });
    const owner = this.#owner;
    if (owner === null || owner.stoppedBy !== null) return;
    const isUndecided = owner.group.leader.will.finishes === undefined && this.#mayFinish;
    for (const finishes of isUndecided ? [true, false] : [undefined]) inputs.push({ do: 'stop', finishes });
  }

  /** The owner has the lease and the time to finish. */
  get #mayFinish(): boolean {
    return this.#shutdown === 'closed' && this.#lease?.state === 'held';
  }

  // -- Inputs --

  /** Changes the world and the machine. {@link check} then compares them. */
  apply(input: Input): void {
    this.trail.push(input);
    this.#mustStop = false;
    this.#give(input);
    const { effects } = this.machine;
    for (const effect of effects) this.#carryOut(effect, input);
    this.machine.effectsDone();
    const missing = this.#expected[0];
    if (missing !== undefined) this.fail('S3', `${missing.entry.n} was not rejected, because ${missing.reason}`);
    if (this.#detaches !== null) this.fail('S3', `${this.#detaches.n} was not detached`);
    if (this.#mustStop && this.#owner?.stoppedBy === null) this.fail('S3', 'the owner was not stopped');
  }

  #give(input: Input): void {
    switch (input.do) {
      case 'submit':
        this.#submit(input.policy);
        return;
      case 'leave':
        this.#leave(this.entries[input.n] as Entry);
        return;
      case 'granted':
        this.#granted();
        return;
      case 'denied':
      case 'superseded':
        this.#denied(input.do);
        return;
      case 'begin':
        this.#begin();
        return;
      case 'attemptEnds':
        (this.#owner as Owner).inBody = false;
        return;
      case 'suspended':
        this.#suspended(input.bodyAlive);
        return;
      case 'ended':
        this.#ended(input);
        return;
      case 'lost':
      case 'revoked':
        this.#loses(input);
        return;
      case 'slotCancel':
        this.#expectAll(this.#line, 'canceled', null);
        this.#mustStop = true;
        this.machine.cancel();
        return;
      case 'pause':
      case 'resume':
        this.#paused = input.do === 'pause';
        this.machine[input.do]();
        return;
      case 'givenUpEnds':
        this.#setAside -= 1;
        return;
      default:
        this.#shutDown(input);
        return;
    }
  }

  #submit(policy: AdmissionPolicy): void {
    const { machine } = this;
    const { queueLimit, onFull } = this.#bounds;
    const entry = new Entry(this.entries.length, policy);
    this.entries.push(entry);
    const wasFree = this.#owner === null && this.#request === null && !this.#paused && this.#line.length === 0;
    const joins = this.#owner !== null && this.#owner.stoppedBy === null ? this.#owner.group : this.#line[0];
    const occupants = this.#owner?.group ?? this.#line[0];
    const verdict = submitTo(machine, entry, { queueLimit, onFull, mayWait: true, mayStart: true });
    if ((verdict === 'start') !== wasFree) this.fail('S5', `a submission to a slot was answered ${verdict}`);
    if (policy === 'dropIfRunning' && (verdict === 'slotBusy') !== (occupants !== undefined))
      this.fail('S5', `dropIfRunning was answered ${verdict}`);
    if (policy === 'join' && (verdict === 'join') !== (joins !== undefined))
      this.fail('S3', `join was answered ${verdict}`);
    switch (verdict) {
      case 'join':
        joins?.left.push(entry);
        return;
      case 'slotBusy':
      case 'queueFull':
        this.#turnedAway.add(entry);
        this.#settle(entry);
        return;
      case 'dropOldest':
        this.#expectAll(this.#oldest, 'queueFull', entry);
    }
    this.#enters({ leader: entry, left: [entry] });
  }

  /**
   * What must leave the queue, so that one more entry keeps `queueLimit`. The head does not count
   * while it waits for the lease.
   */
  get #oldest(): readonly Group[] {
    const isHeadAsking = this.#owner === null && this.#request !== null && this.#replacement === null;
    return this.#queue.slice(isHeadAsking ? 1 : 0, this.#queue.length - this.#bounds.queueLimit + 1);
  }

  /** The reference takes the entry before the effects remove others. */
  #enters(group: Group): void {
    const { policy } = group.leader;
    const latest = this.#queue.findIndex(({ leader }) => leader.policy === 'keepLatest');
    if (policy === 'replace') {
      this.#mustStop = true;
      this.#expectSuperseded(group.leader);
      this.#replacement = group;
    } else if (policy === 'keepLatest' && latest >= 0) {
      this.#expectAll([this.#queue[latest] as Group], 'superseded', group.leader);
      this.#queue.splice(latest, 0, group);
    } else this.#queue.push(group);
  }

  /** What a newer replacement supersedes, here or in another process. */
  #expectSuperseded(by: Entry | null): void {
    if (this.#replacement !== null) this.#expectAll([this.#replacement], 'superseded', by);
    this.#expectAll(
      this.#queue.filter(({ leader }) => leader.policy === 'keepLatest'),
      'superseded',
      by,
    );
  }

  #leave(entry: Entry): void {
    const group = this.#owner?.group;
    if (group?.left.includes(entry)) {
      this.#mustStop = group.left.length === 1;
      // A leader that is alone ends with its body.
      if (entry !== group.leader || !this.#mustStop) this.#detaches = entry;
    } else this.#expect(entry, 'canceled', null);
    this.machine.leave(entry, 'caller');
  }

  #granted(): void {
    const { n, withdrawn } = this.#request as Request;
    this.#request = null;
    if (this.#lease !== null) this.fail('S2', 'a second lease was requested while one is held');
    const isTaken = this.machine.granted(n);
    if (isTaken && withdrawn) this.fail('S8', 'the lease of a withdrawn request was kept');
    if (!isTaken && !withdrawn) this.fail('S10', 'the lease of a pending request was turned away');
    if (isTaken) this.#lease = { request: n, state: 'held', bodyGivenUp: false };
  }

  #denied(what: 'denied' | 'superseded'): void {
    const { n, asker, policy, withdrawn } = this.#request as Request;
    this.#request = null;
    const busy = policy === 'dropIfRunning' ? 'slotBusy' : 'leaseUnavailable';
    const reason = what === 'denied' ? busy : what;
    const refused = what === 'denied' ? this.#line.find(({ leader }) => leader === asker) : this.#replacement;
    if (!withdrawn && this.#owner === null && refused) this.#expectAll([refused], reason, null);
    this.machine.denied(n, reason);
  }

  #begin(): void {
    if (this.#lease?.state !== 'held') this.fail('S11', 'an attempt began without a lease');
    (this.#owner as Owner).inBody = true;
  }

  #suspended(bodyAlive: boolean): void {
    const owner = this.#owner as Owner;
    owner.inBody = false;
    owner.suspended = 'out';
    if (this.#lease !== null) this.#lease.bodyGivenUp = bodyAlive;
    this.machine.suspended(owner.group.leader, bodyAlive);
  }

  #ended({ bodyAlive, contended }: InputOf<'ended'>): void {
    const { leader, left } = (this.#owner as Owner).group;
    this.#owner = null;
    for (const entry of left) this.#settle(entry);
    const lease = this.#lease;
    if (lease !== null) lease.bodyGivenUp = bodyAlive;
    const departure = this.machine.ended(leader, bodyAlive, contended);
    if (departure === null) this.fail('S10', 'the end of the owner was ignored');
    const joined = allOf(departure);
    const others = left.filter((entry) => entry !== leader);
    if (!areEqual(joined, others)) this.fail('S3', `${names(joined)} ended with the owner, not ${names(others)}`);
    const mayKeep = lease?.state === 'held' && !bodyAlive && this.#line.length > 0 && !this.#paused;
    if (this.#bounds.isLocal) this.#lease = null; // and again held for the next owner
    const isKept = this.machine.owner !== null;
    const mustKeep = mayKeep && (!contended || this.#replacement !== null);
    if (isKept !== mustKeep) this.fail('handover', `the lease was ${isKept ? '' : 'not '}kept for the next owner`);
  }

  #loses(input: InputOf<'lost'> | InputOf<'revoked'>): void {
    const lease = this.#lease as Lease;
    lease.state = input.do;
    if (input.do === 'revoked') {
      this.#expectSuperseded(null);
      this.machine.revoked(lease.request);
      return;
    }
    const { will } = (this.#owner as Owner).group.leader;
    will.resumes ??= input.resumes ?? true;
    this.machine.lost(lease.request);
  }

  #shutDown(input: InputOf<'close'> | InputOf<'stop'> | InputOf<'endFinish'>): void {
    switch (input.do) {
      case 'close':
        this.#shutdown = 'closed';
        for (const { leader } of this.#line) leader.will.finishes = input.finish.includes(leader.n);
        this.#expectAll(
          this.#line.filter(({ leader }) => !leader.finishes),
          'shuttingDown',
          null,
        );
        this.machine.close();
        return;
      case 'stop':
        (this.#owner as Owner).group.leader.will.finishes ??= input.finishes ?? true;
        this.machine.stop();
        return;
      case 'endFinish':
        this.#shutdown = 'finishOver';
        this.#expectAll(this.#line, 'shuttingDown', null);
        this.machine.endFinish();
        return;
    }
  }

  // -- Effects --

  #carryOut(effect: SlotEffect<Entry>, input: Input): void {
    switch (effect.do) {
      case 'acquire':
        this.#acquire(effect);
        return;
      case 'urge':
      case 'cancelRequest':
        this.#changeRequest(effect.do);
        return;
      case 'release':
      case 'setAside':
        this.#giveBack(effect.do);
        return;
      case 'start':
        this.#start(effect.entry);
        return;
      case 'reject':
        this.#reject(effect);
        return;
      case 'rejectAll':
        for (const entry of allOf(effect.departure)) this.#reject({ ...effect, entry });
        return;
      case 'detach':
        this.#detach(effect);
        return;
      default:
        this.#direct(effect, input);
        return;
    }
  }

  #acquire({ request, asker, policy }: EffectOf<'acquire'>): void {
    const owner = this.#owner;
    if (this.#bounds.isLocal) this.fail('S2', 'a local slot asked for a lease');
    if (this.#lease !== null) this.fail('S2', 'a lease was requested while one is held');
    if (this.#request !== null) this.fail('S2', 'two lease requests are pending');
    if (request <= this.#lastRequest) this.fail('S8', 'two requests have the same number');
    this.#request = { n: request, asker, policy, urgent: policy === 'replace', withdrawn: false };
    this.#lastRequest = request;
    if (owner !== null) {
      if (owner.suspended !== 'out') this.fail('S11', 'an owner asked for a lease before proof of end');
      if (asker !== owner.group.leader || policy !== 'queue') this.fail('S11', 'the request names another owner');
      return;
    }
    if (this.#paused) this.fail('S5', 'a paused slot asked for a lease');
    if (asker !== this.#line[0]?.leader || policy !== asker.policy)
      this.fail('S4', `${asker.n} asked, and ${this.#line[0]?.leader.n} goes first`);
  }

  #changeRequest(what: 'urge' | 'cancelRequest'): void {
    const request = this.#request;
    if (request === null || request.withdrawn) this.fail('S8', `${what}, but no lease request is pending`);
    if (what === 'cancelRequest') request.withdrawn = true;
    else {
      if (request.urgent || this.#replacement === null) this.fail('S8', 'urged without need');
      request.urgent = true;
    }
  }

  #giveBack(what: 'release' | 'setAside'): void {
    const lease = this.#lease;
    const owner = this.#owner;
    if (lease === null) this.fail('S2', `${what}, but no lease is held`);
    if (owner !== null && owner.suspended !== 'out')
      this.fail(lease.state === 'lost' ? 'S11' : 'S1', 'a lease was given back before proof of end');
    if (lease.bodyGivenUp !== (what === 'setAside'))
      this.fail('S6', `${what}, but the body is ${lease.bodyGivenUp ? 'alive' : 'dead'}`);
    if (lease.bodyGivenUp) this.#setAside += 1;
    this.#lease = null;
  }

  #start(entry: Entry): void {
    if (this.#owner !== null) this.fail('S1', `${entry.n} started before the end of ${this.#owner.group.leader.n}`);
    if (this.#bounds.isLocal) this.#lease = { request: 0, state: 'held', bodyGivenUp: false };
    this.#mustStop = false; // that was for the owner before
    if (this.#lease?.state !== 'held') this.fail('S2', `${entry.n} started without a lease`);
    if (this.#paused) this.fail('S5', `${entry.n} started in a paused slot`);
    if (this.#shutdown === 'finishOver' || (this.#shutdown === 'closed' && !entry.finishes))
      this.fail('S7', `${entry.n} started in a shutdown`);
    const group = this.#line[0];
    if (group?.leader !== entry) this.fail('S4', `${entry.n} started before ${group?.leader.n}`);
    this.#remove(group);
    this.#owner = { group, inBody: false, suspended: 'no', finishing: false, stoppedBy: null };
  }

  /** An effect that tells the owner what to do. */
  #direct(effect: EffectOf<'suspend' | 'resume' | 'finish' | 'stop'>, input: Input): void {
    const owner = this.#owner;
    if (owner === null || effect.owner !== owner.group.leader) this.fail('S8', `${effect.do}, but it is not the owner`);
    if (owner.stoppedBy !== null)
      this.fail('S3', `${effect.do === 'stop' ? 'the owner was stopped twice' : `${effect.do} after a stop`}`);
    switch (effect.do) {
      case 'suspend':
        if (this.#lease?.state !== 'lost' || owner.suspended !== 'no' || owner.finishing || !effect.owner.resumes)
          this.fail('S11', 'the owner was suspended');
        owner.suspended = 'ending';
        return;
      case 'resume':
        if (this.#lease?.state !== 'held' || owner.suspended !== 'out') this.fail('S11', 'resumed without a grant');
        owner.suspended = 'no';
        return;
      case 'finish':
        if (input.do !== 'stop' || !this.#mayFinish || owner.finishing || !effect.owner.finishes)
          this.fail('S7', 'the owner was asked to finish');
        owner.finishing = true;
        return;
      case 'stop':
        if (!STOP_CAUSES_OF[input.do]?.includes(effect.by)) this.fail('S3', `stopped by ${effect.by}`);
        if (input.do === 'leave' && !this.#mustStop) this.fail('S3', 'the body of others was stopped');
        if (input.do === 'endFinish' && !owner.finishing)
          this.fail('S7', 'an owner was stopped that the shutdown has not reached');
        if (input.do === 'stop' && this.#mayFinish && effect.owner.finishes)
          this.fail('S7', 'an owner that finishes was stopped');
        owner.stoppedBy = effect.by;
    }
  }

  #reject({ entry, reason, by }: Rejection): void {
    const expected = this.#expected.shift();
    if (expected?.entry !== entry || expected.reason !== reason || expected.by !== by)
      this.fail('S3', `${written({ entry, reason, by })}, expected ${expected ? written(expected) : 'none'}`);
    this.#settle(entry);
    const group = this.#line.find(({ left }) => left.includes(entry));
    if (group === undefined) return;
    group.left = group.left.filter((one) => one !== entry);
    if (group.left.length === 0) this.#remove(group);
  }

  #detach({ entry, by }: EffectOf<'detach'>): void {
    const owner = this.#owner;
    if (entry !== this.#detaches) this.fail('S3', `${entry.n} was detached`);
    this.#detaches = null;
    if (owner === null || !owner.group.left.includes(entry))
      this.fail('S3', `${entry.n} was detached, but does not share the body`);
    if (by !== (owner.stoppedBy ?? 'caller')) this.fail('S3', `${entry.n} was detached by ${by}`);
    owner.group.left = owner.group.left.filter((one) => one !== entry);
    this.#settle(entry);
  }

  // -- The reference --

  get #line(): readonly Group[] {
    return this.#replacement === null ? this.#queue : [this.#replacement, ...this.#queue];
  }

  #remove(group: Group): void {
    if (group === this.#replacement) this.#replacement = null;
    else this.#queue.splice(this.#queue.indexOf(group), 1);
  }

  #settle(entry: Entry): void {
    if (this.#settled.has(entry)) this.fail('S3', `${entry.n} ended twice`);
    this.#settled.add(entry);
  }

  #expect(entry: Entry, reason: RejectReason, by: Entry | null): void {
    this.#expected.push({ entry, reason, by });
  }

  /** All that are left of a flight end together, the leader first. */
  #expectAll(groups: readonly Group[], reason: RejectReason, by: Entry | null): void {
    for (const { left } of groups) for (const entry of left) this.#expect(entry, reason, by);
  }

  /** Every submission has its outcome, and the slot holds nothing. It may be paused. */
  get atRest(): boolean {
    return this.#owner === null && this.#request === null && this.#settled.size === this.entries.length;
  }

  // -- Invariants --

  /** Compares the machine with the reference, and checks the invariants of a state. */
  check(): void {
    this.#checkLine();
    this.#checkPhase();
    this.#checkRequest();
    if (this.#owner !== null) this.#checkOwner(this.#owner);
    else if (this.#lease !== null) this.fail('S6', 'a lease is held without an owner');
    for (const entry of this.entries)
      if (this.#settled.has(entry)) this.#checkGone(entry);
      else this.#checkLive(entry);
  }

  #checkLine(): void {
    const { machine } = this;
    const line = this.#line;
    const waiting = [...machine.waiting];
    const leaders = line.map(({ leader }) => leader);
    if (!areEqual(waiting, leaders)) this.fail('S4', `${names(waiting)} wait, expected ${names(leaders)}`);
    if (machine.queueLength !== this.#queue.length || machine.hasReplacement !== (this.#replacement !== null))
      this.fail('S4', 'the counts of the queue are wrong');
    if (machine.pending !== line.length) this.fail('S4', 'the count of what waits is wrong');
    const latest = this.#queue.filter(({ leader }) => leader.policy === 'keepLatest').length;
    if (machine.hasLatest !== latest > 0 || latest > 1) this.fail('S4', `${latest} keepLatest wait`);
    for (const group of line) this.#checkFlight(group);
    const occupant = (this.#owner?.group ?? line[0])?.left[0] ?? null;
    if (machine.occupant !== occupant) this.fail('names', `${machine.occupant?.n}, not ${occupant?.n}, has the slot`);
    if (this.#shutdown === 'finishOver' && line.length > 0) this.fail('S7', 'work waits after the time to finish');
    if (this.#shutdown === 'closed' && leaders.some(({ finishes }) => !finishes))
      this.fail('S7', 'an entry that does not finish waits in a closed slot');
  }

  #checkFlight({ leader, left }: Group): void {
    if (participantsOf(leader) !== left.length) this.fail('S3', 'the count of participants is wrong');
    if (firstOf(leader) !== (left[0] ?? null)) this.fail('names', `${leader.n}: the first participant is wrong`);
    const joined: Entry[] = [];
    for (let entry = leader.flight?.first ?? null; entry !== null; entry = entry.behind) joined.push(entry);
    const others = left.filter((entry) => entry !== leader);
    if (!areEqual(joined, others)) this.fail('S3', `${names(joined)} joined ${leader.n}, expected ${names(others)}`);
  }

  #checkPhase(): void {
    const { machine } = this;
    const owner = this.#owner;
    if (machine.owner !== (owner?.group.leader ?? null)) this.fail('S1', `the owner is ${machine.owner?.n}`);
    const ownedPhase = owner?.stoppedBy == null ? 'running' : 'stopping';
    const freePhase = this.#request === null ? 'idle' : 'waiting';
    const phase = owner === null ? freePhase : ownedPhase;
    const hasWork = this.#line.length > 0;
    if (hasWork && machine.phase === 'idle' && !machine.paused) this.fail('S5', 'work waits in an idle slot');
    if (machine.phase !== phase) this.fail('S10', `the phase is ${machine.phase}, expected ${phase}`);
    if (machine.paused !== this.#paused) this.fail('S5', `paused is ${machine.paused}`);
    const isIdle = phase === 'idle' && !hasWork && !this.#paused;
    if (machine.isIdle !== isIdle) this.fail('S6', `isIdle is ${machine.isIdle}`);
  }

  #checkRequest(): void {
    const request = this.#request;
    if (request === null || this.#owner !== null) return;
    const mayStart = this.#line.length > 0 && !this.#paused;
    if (!request.withdrawn && !mayStart) this.fail('S6', 'a lease request is pending although nothing may start');
    if (!request.withdrawn && !request.urgent && this.#replacement !== null)
      this.fail('urge', 'the store does not know that a replacement waits');
  }

  #checkOwner(owner: Owner): void {
    const { group, suspended, stoppedBy, finishing } = owner;
    this.#checkFlight(group);
    const state = this.#lease?.state;
    const request = this.#request;
    const isStopped = stoppedBy !== null;
    if (group.left.length === 0 && !isStopped) this.fail('S3', 'a body without participants was not stopped');
    if (suspended !== 'out' && state === undefined) this.fail('S2', 'an owner has no lease');
    if (suspended === 'out' && !isStopped && (request === null || request.withdrawn))
      this.fail('S11', 'a suspended owner does not wait for a lease');
    if (suspended !== 'out' && request !== null) this.fail('S2', 'an owner asks for a second lease');
    if (state === 'lost' && !isStopped && suspended !== 'ending')
      this.fail('S11', 'the lease is lost, and the owner goes on');
    if (suspended === 'out' && !isStopped && state !== undefined)
      this.fail('S11', 'a suspended owner waits with a lease');
    if (state === 'lost' && stoppedBy === 'leaseLost' && !finishing && group.leader.resumes)
      this.fail('S11', 'an owner that resumes was stopped');
    if (state === 'revoked' && !isStopped) this.fail('S2', 'the lease is revoked, and the owner goes on');
    if (finishing && this.#shutdown === 'finishOver' && !isStopped)
      this.fail('S7', 'the time to finish is over, and the owner goes on');
    if (this.trail.at(-1)?.do === 'stop' && !isStopped && !finishing) this.fail('S7', 'the owner was not asked to end');
  }

  #checkLive(entry: Entry): void {
    const isOwners = this.#owner?.group.left.includes(entry) === true;
    if (!isOwners && !this.#line.some(({ left }) => left.includes(entry)))
      this.fail('S3', `${entry.n} is gone without an outcome`);
    if (entry.place === 'done' || entry.place === 'new') this.fail('S3', `the place of ${entry.n} is ${entry.place}`);
  }

  #checkGone(entry: Entry): void {
    if (this.#turnedAway.has(entry)) return; // it was never in the slot
    const keepsPlace = entry === this.#owner?.group.leader || this.#line.some(({ leader }) => leader === entry);
    if ((entry.place === 'done') === keepsPlace) this.fail('S3', `the place of ${entry.n} is ${entry.place}`);
  }

  /**
   * S8: late, repeated and impossible input changes nothing. After a close, a submission changes
   * nothing either (S7).
   */
  checkStale(): void {
    const { machine } = this;
    const before = this.key();
    const tryIt = (what: string, answer: unknown) => {
      if (answer === true || (what === 'ended' && answer !== null)) this.fail('S8', `${what} was accepted out of turn`);
      const effect = machine.effects.pop();
      if (effect !== undefined) this.fail('S8', `${what} out of turn had an effect: ${effect.do}`);
    };
    for (const n of [this.#lastRequest - 1, this.#lastRequest, this.#lastRequest + 1]) {
      if (n !== this.#request?.n) {
        tryIt('granted', machine.granted(n));
        tryIt('denied', machine.denied(n, 'slotBusy'));
        tryIt('superseded', machine.denied(n, 'superseded'));
      }
      if (n === this.#lease?.request) continue;
      tryIt('lost', machine.lost(n));
      tryIt('revoked', machine.revoked(n));
    }
    if (this.#lease?.state === 'lost') tryIt('lost', machine.lost(this.#lease.request));
    for (const entry of this.entries) {
      const isOwner = entry === this.#owner?.group.leader;
      if (!isOwner) tryIt('ended', machine.ended(entry, false, false));
      if (!isOwner || this.#owner?.suspended !== 'ending' || this.#owner.stoppedBy !== null)
        tryIt('suspended', machine.suspended(entry, false));
      if (this.#settled.has(entry)) tryIt('leave', machine.leave(entry, 'caller'));
    }
    tryIt('pause or resume', this.#paused ? machine.pause() : machine.resume());
    if (this.#shutdown !== 'open') {
      tryIt('close', machine.close());
      if (this.#owner === null || this.#owner.stoppedBy !== null) tryIt('stop', machine.stop());
      this.#tryToSubmit();
    }
    if (this.#shutdown === 'finishOver') tryIt('endFinish', machine.endFinish());
    if (this.key() !== before) this.fail('S8', `late input changed the state ${before} to ${this.key()}`);
  }

  #tryToSubmit(): void {
    const { machine } = this;
    const verdict = submitTo(machine, new Entry(-1, 'join'), { ...this.#bounds, mayWait: true, mayStart: true });
    if (verdict !== 'shuttingDown' || machine.effects.length > 0)
      this.fail('S7', `a closed slot admitted a submission: ${verdict}`);
  }

  /**
   * Everything that the next inputs depend on. Entries are named by their place, not by their
   * number, and those that have ended are alike. What the world decided about an entry is left out
   * once no rule can ask for it again.
   */
  key(): string {
    const { machine } = this;
    const line = this.#line;
    let key = `${this.entries.length}${this.#shutdown[0]}${machine.paused ? 'p' : ''}${this.#setAside}${machine.phase[0]}`;
    for (const group of line) key += ` ${group.leader.policy[0]}${sizeOf(group)}`;
    if (machine.pending !== line.length || machine.queueLength !== this.#queue.length) key += '!';
    const lease = this.#lease;
    if (lease !== null) key += ` L${lease.state[0]}`;
    const request = this.#request;
    if (request !== null) {
      const at = line.findIndex(({ leader }) => leader === request.asker);
      key += ` R${request.withdrawn ? 'w' : at}${request.urgent ? 'u' : ''}${request.policy === 'dropIfRunning' ? 'd' : ''}`;
    }
    const owner = this.#owner;
    if (owner === null) return key;
    key += ` O${sizeOf(owner.group)}${owner.inBody ? 'b' : ''}${owner.suspended[0]}`;
    if (owner.stoppedBy !== null) return `${key}x`;
    const { finishes, resumes } = owner.group.leader.will;
    if (owner.finishing) return `${key}f`;
    return `${key}${finishes && this.#shutdown === 'closed' ? 'F' : ''}${resumes ? 'R' : ''}`;
  }
}

/** The causes that an input may give to a stop request. */
const STOP_CAUSES_OF: Partial<Record<Input['do'], readonly StopCause[]>> = {
  submit: ['replace'],
  leave: ['caller'],
  slotCancel: ['slot'],
  denied: ['leaseLost'],
  superseded: ['leaseLost'],
  lost: ['leaseLost'],
  revoked: ['replace'],
  stop: ['shutdown'],
  endFinish: ['shutdown'],
};

const sizeOf = ({ leader, left }: Group): string =>
  `${left[0] === leader ? '' : '-'}${left.length}${leader.flight === null ? '' : 'j'}`;

function allOf(departure: Departure<Entry>): Entry[] {
  const all: Entry[] = [];
  while (!departure.isEmpty) all.push(departure.take());
  return all;
}

const names = (entries: readonly Entry[]): string => `[${entries.map(({ n }) => n)}]`;

const written = ({ entry, reason, by }: Rejection): string =>
  `${entry.n} (${entry.policy}) rejected ${reason}${by === null ? '' : ` by ${by.n} (${by.policy})`}`;

const areEqual = (one: readonly Entry[], other: readonly Entry[]): boolean =>
  one.length === other.length && one.every((entry, i) => entry === other[i]);

function subsets(of: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const n of of) all = all.flatMap((one) => [one, [...one, n]]);
  return all;
}
