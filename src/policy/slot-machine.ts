// The slot machine: who owns a slot, who waits, and what follows from every input. It decides and
// never acts: each input appends named effects to `effects`, and engine/live-slot.ts carries them
// out in order. It uses no clock, timer, promise or I/O.
//
// waiting-line.ts keeps the order of what waits, flight.ts those that joined an entry, and
// departure.ts those that leave together. An input costs the same, however many entries wait, but
// for `close` where some of them finish. Over 300 lines because all rules of one slot are explored
// together, as one machine.
//
// Stale or impossible input changes nothing (S8): answers of the lease store carry the number of
// their request, and ends carry their owner.
//
// S1   At most one owner. Only `ended`, the proof of end, makes room for the next one (#ownership).
// S2   An attempt has a lease: `start` follows `granted`, or `ended` with the lease kept.
// S3   Every entry that enters leaves by exactly one of: start and ended, reject, detach, the end
//      of the owner that it joined.
// S4   The replacement goes first, then the queue, first in first out (WaitingLine).
// S5   If an entry waits, the phase is not idle, or the slot is paused.
// S6   `isIdle` is true when no lease is held, nothing waits, and the slot is not paused.
// S7   After `close`, an entry starts only if it finishes. After `endFinish`, none starts.
// S10  `#advance` follows every input that may free the slot.
// S11  A lost lease is released by the proof of end (`ended`, `suspended`), and the owner that lost
//      it gets no attempt before the next grant (`resume`).

import type { StopCause } from '../model/error.ts';
import type { RejectReason } from '../model/outcome.ts';
import type { AdmissionPolicy } from '../model/settings.ts';
import { type Admitted, admit, type Limits, queuedBehindCandidate, type SlotState, type Verdict } from './admission.ts';
import { Departure } from './departure.ts';
import { Flight, firstOf, hasLeft, leaderOf, type Participant } from './flight.ts';
import { WaitingLine } from './waiting-line.ts';

/** Where an entry is: in the line, or elsewhere. */
export type Place = 'new' | 'owner' | 'joined' | 'done' | Line;

type Line = Pick<WaitingLine<never>, 'isCut'>;

/** One submission, as the machine sees it. Only policy/ sets the fields that are not `readonly`. */
export interface SlotEntry<Self extends SlotEntry<Self>> extends Participant<Self> {
  readonly policy: AdmissionPolicy;
  /** It may end its attempt after a shutdown began. */
  readonly finishes: boolean;
  /** It goes on after a lost lease, once the slot has another one. */
  readonly resumes: boolean;
  /** Its signal is aborted. Where many share the signal, its `leave` comes on a later turn. */
  readonly isCalledOff: boolean;
  place: Place;
}

export type SlotEffect<E extends SlotEntry<E>> =
  | { readonly do: 'acquire'; readonly request: number; readonly asker: E; readonly policy: AdmissionPolicy }
  | { readonly do: 'urge' } // a replacement waits for the request's answer
  | { readonly do: 'cancelRequest' }
  | { readonly do: 'release' }
  | { readonly do: 'setAside' } // the lease is released when the bodies that were given up have ended
  | { readonly do: 'start'; readonly entry: E }
  | { readonly do: 'suspend'; readonly owner: E } // no attempt until `resume`
  | { readonly do: 'resume'; readonly owner: E }
  | { readonly do: 'finish'; readonly owner: E } // nothing follows its attempt
  | { readonly do: 'stop'; readonly owner: E; readonly by: StopCause; readonly reason: unknown }
  | {
      readonly do: 'reject';
      readonly entry: E;
      readonly reason: RejectReason;
      readonly by: E | null;
      readonly error: unknown;
    }
  | {
      readonly do: 'rejectAll'; // as one step, however many there are
      readonly departure: Departure<E>;
      readonly reason: RejectReason;
      readonly by: E | null;
      readonly error: unknown;
    }
  | { readonly do: 'detach'; readonly entry: E; readonly by: StopCause; readonly reason: unknown };

/** Who owns the slot. Each variant carries only what is true in it. */
type Ownership<E> = { readonly phase: 'idle' } | Requested<E> | Owned<E>;

interface Requested<E> {
  readonly phase: 'waiting';
  readonly request: number;
  asker: E | null; // null once the request is withdrawn; until then an entry waits that may start
  urged: boolean;
}

interface Owned<E> {
  phase: 'running' | 'stopping';
  readonly owner: E;
  request: number; // the number of the lease's request
  /**
   * `held`: may be kept for the next owner. `revoked`: must be released. `lost`: gone, and released
   * at proof of end. `requested`: it was lost and released, and the owner asked for another one.
   * `none`: the store refused the other one.
   */
  lease: 'held' | 'revoked' | 'lost' | 'requested' | 'none';
  finishing: boolean; // it was asked to finish
  stop: Stop | undefined; // the first stop request; undefined while running
}

interface Stop {
  readonly by: StopCause;
  readonly reason: unknown;
}

const IDLE = { phase: 'idle' } as const;
const NONE = new Departure<never>();
/**
 * The line of each slot in which nothing waits. It is never written to. A line of its own would
 * cost each live slot 80 bytes (measured).
 */
const EMPTY = new WaitingLine<never>();

/**
 * An empty list of effects, for the machine that needs the next one. A list of its own would cost
 * each live slot 184 bytes (measured).
 */
let spare: unknown[] | undefined;

export class SlotMachine<E extends SlotEntry<E>> implements SlotState {
  #effects: SlotEffect<E>[] | undefined;
  readonly #isLocal: boolean;
  #line: WaitingLine<E> = EMPTY;
  #ownership: Ownership<E> = IDLE;
  #paused = false;
  #closed = false;
  #finishOver = false;
  #requests = 0;

  /** `isLocal`: leases are local. The slot always has its lease, and no effect names it. */
  constructor(isLocal = false) {
    this.#isLocal = isLocal;
  }

  /** What follows from the inputs, and was not carried out. */
  get effects(): SlotEffect<E>[] {
    if (this.#effects === undefined) {
      this.#effects = (spare as SlotEffect<E>[] | undefined) ?? [];
      spare = undefined;
    }
    return this.#effects;
  }
  /** All effects were carried out. */
  effectsDone(): void {
    const effects = this.#effects;
    if (effects === undefined) return;
    this.#effects = undefined;
    // `length = 0` would free the array's memory: 50 ns and 150 bytes an effect (measured).
    while (effects.length > 0) effects.pop();
    spare = effects;
  }

  get phase(): SlotState['phase'] {
    return this.#ownership.phase;
  }
  get paused(): boolean {
    return this.#paused;
  }
  /** A shutdown began. */
  get isClosed(): boolean {
    return this.#closed;
  }
  /** The time to finish is over. */
  get isFinishOver(): boolean {
    return this.#finishOver;
  }
  get queueLength(): number {
    return this.#line.queueLength;
  }
  get hasReplacement(): boolean {
    return this.#line.replacement !== null;
  }
  get hasLatest(): boolean {
    return this.#line.latest !== null;
  }
  /**
   * The entry that started the body. It stays the owner until the body has ended, also after it was
   * detached.
   */
  get owner(): E | null {
    return 'owner' in this.#ownership ? this.#ownership.owner : null;
  }
  /** The participant that has the slot, or that would have it if the lease were granted now. */
  get occupant(): E | null {
    const entry = this.owner ?? this.#line.first;
    return entry && firstOf(entry);
  }
  /** The replacement that waits. It stopped the owner when it came. */
  get successor(): E | null {
    return this.#line.replacement;
  }
  /**
   * No lease is held or requested, and the slot is not paused. Nothing waits either (S5), so the
   * slot may leave the table.
   */
  get isIdle(): boolean {
    return this.#ownership.phase === 'idle' && !this.#paused;
  }
  /** How many entries wait, the replacement included. */
  get pending(): number {
    return this.#line.length;
  }
  /** In the order in which they will start. */
  get waiting(): Iterable<E> {
    return this.#line;
  }

  /**
   * A copy for a dry run, in the same state. No dry run follows `close`, so that is not copied. See
   * {@link WaitingLine.copy}.
   */
  copy<C extends SlotEntry<C>>(copyOf: (entry: E) => C): SlotMachine<C> {
    const copy = new SlotMachine<C>(this.#isLocal);
    if (this.#line !== EMPTY) copy.#line = this.#line.copy(copyOf);
    const ownership = this.#ownership;
    if (ownership.phase === 'waiting')
      copy.#ownership = { ...ownership, asker: null }; // no answer comes to a copy
    else if ('owner' in ownership) copy.#ownership = { ...ownership, owner: copyOf(ownership.owner) };
    copy.#paused = this.#paused;
    return copy;
  }

  /** What becomes of one more submission. Changes nothing: see {@link enter}. */
  decide(policy: AdmissionPolicy, limits: Limits): Verdict {
    return this.#closed ? 'shuttingDown' : admit(this, policy, limits);
  }

  /** Carries out what was just decided for the entry's policy and these limits. */
  enter(entry: E, verdict: Admitted, limits: Limits): void {
    switch (verdict) {
      case 'start':
        if (this.#isLocal) {
          this.#own(entry, 0); // as below, without a stay in the line
          return;
        }
        this.#wait(entry);
        this.#advance();
        return;
      case 'replaceOwner':
        this.#supersedeFor(entry);
        this.#wait(entry);
        this.#urge();
        this.#stopOwner('replace', undefined);
        return;
      case 'dropOldest':
        this.#dropOldest(limits.queueLimit, entry);
        this.#wait(entry);
        return;
      case 'append':
        this.#wait(entry);
        return;
      case 'takeLatest':
        this.#takeLatest(entry);
        return;
      case 'join':
        this.#join(entry);
    }
  }

  /**
   * One participant leaves its flight. Nothing happens if it has left already. What it leaves
   * behind goes on while a participant is left: the body, or the place in the slot.
   */
  leave(entry: E, by: StopCause, reason?: unknown): void {
    if (hasLeft(entry)) return;
    const leader = leaderOf(entry);
    if (isQueued(leader)) this.#leaveLine(entry, leader, rejectionFor(by));
    else if (leader.place === 'owner') this.#leaveOwner(entry, by, reason);
  }

  /** Stops the owner and rejects every waiting entry. */
  cancel(reason?: unknown): void {
    this.#rejectAll('canceled');
    this.#stopOwner('slot', reason);
  }

  /**
   * The owner's body has ended (proof of end), or was given up. `bodyAlive`: a body that was given
   * up may be alive, so the lease is set aside, and the next owner gets another one with a greater
   * fence. `contended`: another process waits, so the lease is released, unless a replacement waits
   * here. Returns the joined entries, which end with it; null for an entry that is not the owner.
   */
  ended(owner: E, bodyAlive: boolean, contended: boolean): Departure<E> | null {
    const ownership = this.#ownership;
    if (!('owner' in ownership) || ownership.owner !== owner) return null;
    const joined = this.#end(owner);
    const { lease, request } = ownership;
    this.#ownership = IDLE;
    this.#rejectCalledOff();
    const next = this.#line.first;
    if (lease === 'requested') {
      // The asker has ended, so a refusal rejects nothing.
      this.#ownership = { phase: 'waiting', request, asker: owner, urged: false };
      this.#urge();
      this.#withdrawUnwanted();
      return joined;
    }
    const isKept = lease === 'held' && !bodyAlive && (!contended || this.hasReplacement);
    if (isKept && next !== null && !this.#paused) {
      this.#own(next, request);
      return joined;
    }
    if (lease !== 'none' && !this.#isLocal) this.effects.push({ do: bodyAlive ? 'setAside' : 'release' });
    this.#advance();
    return joined;
  }

  /**
   * The store granted the lease. Returns false if the slot has no use for it. The caller must then
   * release it.
   */
  granted(request: number): boolean {
    const ownership = this.#ownership;
    if (ownership.phase === 'idle' || ownership.request !== request) return false;
    if ('owner' in ownership) {
      if (ownership.lease !== 'requested') return false;
      ownership.lease = 'held';
      if (ownership.phase === 'running') this.effects.push({ do: 'resume', owner: ownership.owner });
      return true;
    }
    this.#ownership = IDLE;
    this.#rejectCalledOff();
    const next = this.#line.first;
    if (ownership.asker !== null && next !== null) {
      this.#own(next, request);
      return true;
    }
    this.#advance();
    return false;
  }

  /**
   * The store refused the lease. The entry that asked is rejected, and the next waiting entry asks.
   * `superseded`: a later replacement in another process took the place of the replacement that
   * waits here, and that one is rejected. The answer to a withdrawn request rejects nothing. An
   * owner that asked after a loss is stopped.
   */
  denied(request: number, reason: 'slotBusy' | 'leaseUnavailable' | 'superseded', error?: unknown): void {
    const ownership = this.#ownership;
    if (ownership.phase === 'idle' || ownership.request !== request) return;
    if ('owner' in ownership) {
      if (ownership.lease !== 'requested') return;
      ownership.lease = 'none';
      this.#stopOwner('leaseLost', error);
      return;
    }
    this.#ownership = IDLE;
    const { asker } = ownership;
    const refused = asker !== null && reason === 'superseded' ? this.#line.replacement : asker;
    if (refused !== null && isQueued(refused)) this.#reject(refused, reason, null, error);
    this.#advance();
  }

  /** The lease is lost: another process may own the slot. The owner is suspended, or stopped. */
  lost(request: number): void {
    const ownership = this.#ownership;
    if (!('owner' in ownership) || ownership.request !== request || ownership.lease !== 'held') return;
    const { owner } = ownership;
    ownership.lease = 'lost';
    if (ownership.phase === 'running' && owner.resumes && !ownership.finishing)
      this.effects.push({ do: 'suspend', owner });
    else this.#stopOwner('leaseLost', undefined);
  }

  /**
   * Proof that the suspended owner has no body. `bodyAlive`: as in `ended`. Its lost lease is
   * released, and it asks for another one.
   */
  suspended(owner: E, bodyAlive: boolean): void {
    const ownership = this.#ownership;
    if (!('owner' in ownership) || ownership.owner !== owner) return;
    if (ownership.lease !== 'lost' || ownership.phase !== 'running') return;
    this.effects.push({ do: bodyAlive ? 'setAside' : 'release' });
    ownership.lease = 'requested';
    ownership.request = this.#request(owner, 'queue');
  }

  /**
   * A replacement in another process asks for the slot. It supersedes what a later replacement here
   * would supersede. The owner is stopped, and the lease is released at its end.
   */
  revoked(request: number): void {
    const ownership = this.#ownership;
    if (!('owner' in ownership) || ownership.request !== request || ownership.lease !== 'held') return;
    ownership.lease = 'revoked';
    this.#supersedeFor(null);
    this.#stopOwner('replace', undefined);
  }

  /** Every participant of the owner has called it off, and no attempt may begin. */
  calledOff(reason: unknown): void {
    this.#stopOwner('signal', reason);
  }

  /** Nothing starts until `resume`. The owner goes on. */
  pause(): void {
    this.#paused = true;
    this.#withdrawUnwanted();
  }

  resume(): void {
    this.#paused = false;
    this.#advance();
  }

  /**
   * A shutdown began. From here on the slot admits nothing, and only entries that finish wait. The
   * owner goes on. With `noneFinishes` no entry is asked whether it finishes.
   */
  close(noneFinishes = false): void {
    this.#closed = true;
    this.#rejectBut(noneFinishes ? [] : [...this.#line].filter(({ finishes }) => finishes), 'shuttingDown', null);
    this.#withdrawUnwanted();
  }

  /**
   * The shutdown has reached the owner: it is asked to finish if it may, and to stop otherwise. The
   * next owner goes on until a call of its own.
   */
  stop(): void {
    const ownership = this.#ownership;
    if (ownership.phase !== 'running') return;
    const { owner, lease, finishing } = ownership;
    if (!owner.finishes || this.#finishOver || lease !== 'held') this.#stopOwner('shutdown', undefined);
    else if (!finishing) {
      ownership.finishing = true;
      this.effects.push({ do: 'finish', owner });
    }
  }

  /** The time to finish is over. No entry starts from here on. */
  endFinish(): void {
    this.#finishOver = true;
    this.#rejectAll('shuttingDown');
    if ('owner' in this.#ownership && this.#ownership.finishing) this.#stopOwner('shutdown', undefined);
  }

  /**
   * Rejects the entries that have waited longest among those that count to `queueLimit`, so that
   * there is room for one more: one of them, unless the limit was lowered.
   */
  #dropOldest(queueLimit: number, by: E): void {
    const counted = queuedBehindCandidate(this);
    const oldest = this.#line.oldest(counted < this.queueLength);
    if (counted === queueLimit) {
      this.#reject(oldest, 'queueFull', by);
      return;
    }
    const { first } = this.#line;
    const kept = this.#line.newest(queueLimit - 1);
    if (oldest !== first) kept.unshift(first as E); // it does not count
    this.#rejectBut(kept, 'queueFull', by);
  }

  #advance(): void {
    if (this.#ownership.phase !== 'idle' || this.#paused) return;
    this.#rejectCalledOff();
    const asker = this.#line.first;
    if (asker === null) return;
    if (this.#isLocal) {
      this.#own(asker, 0);
      return;
    }
    const { policy } = asker;
    const request = this.#request(asker, policy);
    this.#ownership = { phase: 'waiting', request, asker, urged: policy === 'replace' };
  }

  #request(asker: E, policy: AdmissionPolicy): number {
    this.#requests += 1;
    this.effects.push({ do: 'acquire', request: this.#requests, asker, policy });
    return this.#requests;
  }

  /** Tells the store that a replacement waits for the pending request. */
  #urge(): void {
    const ownership = this.#ownership;
    if (ownership.phase !== 'waiting' || ownership.asker === null || ownership.urged || !this.hasReplacement) return;
    ownership.urged = true;
    this.effects.push({ do: 'urge' });
  }

  #own(entry: E, request: number): void {
    if (isQueued(entry)) this.#line.remove(entry);
    entry.place = 'owner';
    this.#ownership = { phase: 'running', owner: entry, request, lease: 'held', finishing: false, stop: undefined };
    this.effects.push({ do: 'start', entry });
  }

  #stopOwner(by: StopCause, reason: unknown): void {
    const ownership = this.#ownership;
    if (ownership.phase !== 'running') return;
    ownership.phase = 'stopping';
    ownership.stop = { by, reason };
    this.effects.push({ do: 'stop', owner: ownership.owner, by, reason });
  }

  #join(entry: E): void {
    const leader = (this.phase === 'running' ? this.owner : this.#line.first) as E;
    leader.flight ??= new Flight(leader);
    leader.flight.join(entry);
    entry.place = 'joined';
  }

  #wait(entry: E): void {
    if (this.#line === EMPTY) this.#line = new WaitingLine();
    entry.place = this.#line;
    if (entry.policy === 'replace') this.#line.replacement = entry;
    else this.#line.append(entry);
  }

  #takeLatest(entry: E): void {
    const old = this.#line.latest as E; // admission.ts answers `takeLatest` only while one waits
    this.#line.takePlace(old, entry);
    entry.place = this.#line;
    this.#rejectFlight(old, 'superseded', entry);
  }

  /** Rejects what a new replacement supersedes. `by`: null for a replacement in another process. */
  #supersedeFor(by: E | null): void {
    const { replacement, latest } = this.#line;
    if (replacement !== null) this.#reject(replacement, 'superseded', by);
    if (latest !== null) this.#reject(latest, 'superseded', by);
  }

  #leaveLine(entry: E, leader: E, reason: RejectReason): void {
    const { flight } = leader;
    if (flight === null || flight.participants === 1) {
      this.#reject(leader, reason, null);
      this.#withdrawUnwanted();
      return;
    }
    flight.leave(entry);
    if (entry !== leader) entry.place = 'done';
    this.effects.push({ do: 'reject', entry, reason, by: null, error: undefined });
  }

  #leaveOwner(entry: E, by: StopCause, reason: unknown): void {
    const { owner, stop } = this.#ownership as Owned<E>;
    const { flight } = owner;
    if (flight === null || (entry === owner && flight.participants === 1)) {
      this.#stopOwner(by, reason); // it has the body to itself, and ends with it
      return;
    }
    flight.leave(entry);
    if (entry !== owner) entry.place = 'done';
    this.effects.push({ do: 'detach', entry, ...(stop ?? { by, reason }) });
    if (flight.participants === 0) this.#stopOwner(by, reason);
  }

  /** The owner ends. Returns the joined entries that were left. */
  #end(owner: E): Departure<E> {
    owner.place = 'done';
    const { flight } = owner;
    if (flight === null) return NONE;
    if (!flight.leaderLeft) flight.leave(owner);
    if (flight.participants > 0) return new Departure(owner);
    owner.flight = null;
    return NONE;
  }

  /** Rejects one entry that does not wait. */
  #refuse(entry: E, reason: RejectReason, by: E | null, error?: unknown): void {
    entry.place = 'done';
    this.effects.push({ do: 'reject', entry, reason, by, error });
  }

  /** Rejects a waiting entry, with all that joined it. */
  #reject(entry: E, reason: RejectReason, by: E | null, error?: unknown): void {
    this.#line.remove(entry);
    this.#rejectFlight(entry, reason, by, error);
  }

  #rejectFlight(leader: E, reason: RejectReason, by: E | null, error?: unknown): void {
    if (leader.flight === null) {
      this.#refuse(leader, reason, by, error);
      return;
    }
    leader.place = 'done';
    this.effects.push({ do: 'rejectAll', departure: new Departure(leader), reason, by, error });
  }

  /** Rejects what goes first and was called off, so that it does not start. */
  #rejectCalledOff(): void {
    let { first } = this.#line;
    if (first === null || !isCalledOff(first)) return;
    const departure = new Departure<E>();
    do {
      this.#line.remove(first);
      first.place = 'done';
      departure.add(first);
      first = this.#line.first;
    } while (first !== null && isCalledOff(first));
    this.effects.push({ do: 'rejectAll', departure, reason: 'canceled', by: null, error: undefined });
  }

  #rejectAll(reason: RejectReason): void {
    this.#rejectBut([], reason, null);
    this.#withdrawUnwanted();
  }

  /** Rejects all that waits, in its order, but for `kept`. */
  #rejectBut(kept: readonly E[], reason: RejectReason, by: E | null): void {
    const old = this.#line;
    if (kept.length === old.length) return;
    this.#line = EMPTY;
    for (const entry of kept) {
      old.remove(entry);
      this.#wait(entry);
    }
    const flights = old.length;
    const departure = new Departure(old.cut(), flights);
    this.effects.push({ do: 'rejectAll', departure, reason, by, error: undefined });
  }

  /** Withdraws a pending lease request when no entry may start. A late grant is then released. */
  #withdrawUnwanted(): void {
    const ownership = this.#ownership;
    if (ownership.phase !== 'waiting' || ownership.asker === null) return;
    if (this.#line.first !== null && !this.#paused) return;
    ownership.asker = null;
    this.effects.push({ do: 'cancelRequest' });
  }
}

/** True while the entry waits for the slot. A joined entry does not wait itself. */
export const isQueued = ({ place }: { readonly place: Place }): boolean => typeof place === 'object' && !place.isCut;

/** Each participant that is left has called it off. */
export function isCalledOff<E extends SlotEntry<E>>(leader: E): boolean {
  const { flight } = leader;
  if (flight === null) return leader.isCalledOff;
  if (!flight.leaderLeft && !leader.isCalledOff) return false;
  for (let one = flight.first; one !== null; one = one.behind) if (!one.isCalledOff) return false;
  return true;
}

function rejectionFor(by: StopCause): RejectReason {
  return by === 'deadline' || by === 'queueTimeout' ? by : 'canceled';
}
