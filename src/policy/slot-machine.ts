// The slot machine: who owns a slot, who waits, and what follows from every input. It decides and
// never acts: each input appends named effects to `effects`, and engine/live-slot.ts carries them
// out in order. It uses no clock, timer, promise or I/O.
//
// The queue is part of the state. Its links are stored in the entries, so every input is O(1), also
// a cancel in the middle of the queue. Over 300 lines because all rules of one slot are explored
// together, as one machine.
//
// Stale or impossible input changes nothing (S8): answers of the lease store carry the number of
// their request, and ends carry their owner.
//
// S1   At most one owner. Only `ended`, the proof of end, makes room for the next one (#ownership).
// S2   An owner has a lease: `#own` follows `granted`, or `ended` with the lease kept.
// S3   Every entry that enters leaves by exactly one of: start and ended, reject, detach.
// S4   The replacement goes first, then the queue, first in first out (#candidate).
// S5   If an entry waits, the phase is not idle, or the slot is paused.
// S6   `isIdle` is true when nothing is held, nothing waits, and the slot is not paused.
// S7   A closed slot starts nothing.
// S10  `#advance` follows every input that may free the slot.

import type { StopCause } from '../model/error.ts';
import type { RejectReason } from '../model/outcome.ts';
import type { AdmissionPolicy } from '../model/settings.ts';
import { admit, type Limits, queuedBehindCandidate, type SlotState, type Verdict } from './admission.ts';

/** Where an entry is. */
export type Place = 'new' | 'replacement' | 'queue' | 'owner' | 'joined' | 'done';

/** One submission, as the machine sees it. Only the machine sets `place` and the links. */
export interface SlotEntry<Self> {
  readonly policy: AdmissionPolicy;
  place: Place;
  ahead: Self | null;
  behind: Self | null;
}

export type SlotEffect<E> =
  | { readonly do: 'acquire'; readonly request: number; readonly asker: E }
  | { readonly do: 'cancelRequest' }
  | { readonly do: 'release' }
  | { readonly do: 'dropLease' } // a lost lease must not be released
  | { readonly do: 'start'; readonly entry: E }
  | { readonly do: 'stop'; readonly owner: E; readonly by: StopCause; readonly reason: unknown }
  | {
      readonly do: 'reject';
      readonly entry: E;
      readonly reason: RejectReason;
      readonly by: E | null;
      readonly error: unknown;
    }
  | { readonly do: 'detach'; readonly entry: E; readonly owner: E; readonly by: StopCause; readonly reason: unknown };

/** Who owns the slot. Each variant carries only what is true in it. */
type Ownership<E> = { readonly phase: 'idle' } | Requested<E> | Owned<E>;

interface Requested<E> {
  readonly phase: 'waiting';
  readonly request: number;
  asker: E | null; // null once the request is withdrawn; until then an entry waits that may start
}

interface Owned<E> {
  phase: 'running' | 'stopping';
  readonly owner: E;
  readonly request: number; // the number of the lease's request
  /**
   * `held`: may be kept for the next owner. `revoked`: must be released. `lost`: must not be
   * released.
   */
  lease: 'held' | 'revoked' | 'lost';
  participants: number; // the owner and those that joined, less those that were detached
  stop: Stop | undefined; // the first stop request; undefined while running
}

interface Stop {
  readonly by: StopCause;
  readonly reason: unknown;
}

const IDLE = { phase: 'idle' } as const;

/** True while the entry waits for the slot. */
export const isQueued = ({ place }: { readonly place: Place }): boolean => place === 'replacement' || place === 'queue';

export class SlotMachine<E extends SlotEntry<E>> implements SlotState {
  readonly effects: SlotEffect<E>[] = [];
  #paused = false;
  #queueLength = 0;
  #ownership: Ownership<E> = IDLE;
  #closed = false;
  #requests = 0;
  #replacement: E | null = null;
  #head: E | null = null;
  #tail: E | null = null;
  #latest: E | null = null; // the waiting `keepLatest`; there is at most one

  get phase(): SlotState['phase'] {
    return this.#ownership.phase;
  }
  get paused(): boolean {
    return this.#paused;
  }
  get queueLength(): number {
    return this.#queueLength;
  }
  get hasReplacement(): boolean {
    return this.#replacement !== null;
  }
  get hasLatest(): boolean {
    return this.#latest !== null;
  }
  /**
   * The entry that started the body. It stays the owner until the body has ended, also after it was
   * detached.
   */
  get owner(): E | null {
    return 'owner' in this.#ownership ? this.#ownership.owner : null;
  }
  /**
   * The owner. While the lease is requested: the entry that would own the slot if the lease were
   * granted now.
   */
  get occupant(): E | null {
    return this.owner ?? this.#candidate();
  }
  get participants(): number {
    return 'owner' in this.#ownership ? this.#ownership.participants : 0;
  }
  /**
   * Nothing is held and the slot is not paused. Nothing waits either (S5), so the slot may leave
   * the table.
   */
  get isIdle(): boolean {
    return this.#ownership.phase === 'idle' && !this.#paused;
  }
  /** How many entries wait, the replacement included. */
  get pending(): number {
    return this.#queueLength + (this.hasReplacement ? 1 : 0);
  }
  /** In the order in which they will start. */
  *waiting(): IterableIterator<E> {
    if (this.#replacement !== null) yield this.#replacement;
    for (let entry = this.#head; entry !== null; entry = entry.behind) yield entry;
  }

  /** A copy of the machine in the same state, with entries of its own, for a dry run. */
  copy<C extends SlotEntry<C>>(copyEntry: (entry: E) => C): SlotMachine<C> {
    const copy = new SlotMachine<C>();
    for (const entry of this.waiting()) copy.#wait(copyEntry(entry));
    const ownership = this.#ownership;
    if (ownership.phase === 'waiting') copy.#ownership = { ...ownership, asker: ownership.asker && copy.#candidate() };
    else if ('owner' in ownership) copy.#ownership = { ...ownership, owner: copyEntry(ownership.owner) };
    copy.#paused = this.#paused;
    return copy;
  }

  submit(entry: E, limits: Limits): Verdict | 'shuttingDown' {
    if (this.#closed) return this.#reject(entry, 'shuttingDown', null);
    const verdict = admit(this, entry.policy, limits);
    switch (verdict) {
      case 'start':
        this.#wait(entry);
        this.#advance();
        return verdict;
      case 'replaceOwner':
        this.#wait(entry);
        this.#stopOwner('replace', undefined);
        return verdict;
      case 'dropOldest':
        while (queuedBehindCandidate(this) >= limits.queueLimit) this.#rejectQueued(this.#oldest(), 'queueFull', entry);
        this.#wait(entry);
        return verdict;
      case 'append':
        this.#wait(entry);
        return verdict;
      case 'takeLatest':
        this.#takeLatest(entry);
        return verdict;
      case 'join':
        this.#join(entry);
        return verdict;
      case 'slotBusy':
        return this.#reject(entry, verdict, this.occupant);
      case 'queueFull':
      case 'resourceLimit':
        return this.#reject(entry, verdict, null);
    }
  }

  /** Rejects a waiting entry. Returns false, and changes nothing, if the entry does not wait. */
  withdraw(entry: E, reason: RejectReason): boolean {
    if (!isQueued(entry)) return false;
    this.#rejectQueued(entry, reason, null);
    this.#withdrawUnwanted();
    return true;
  }

  /** Cancels an owner or a joined entry. The body is stopped when no participant remains. */
  detach(entry: E, by: StopCause, reason?: unknown): void {
    const ownership = this.#ownership;
    if (!('owner' in ownership) || (entry.place !== 'owner' && entry.place !== 'joined')) return;
    if (entry.place === 'owner' && ownership.participants === 1) {
      this.#stopOwner(by, reason); // it has the body to itself, and ends with it
      return;
    }
    ownership.participants -= 1;
    entry.place = 'done';
    this.effects.push({ do: 'detach', entry, owner: ownership.owner, ...(ownership.stop ?? { by, reason }) });
    if (ownership.participants === 0) this.#stopOwner(by, reason);
  }

  /** Stops the owner and rejects every waiting entry. */
  cancel(reason?: unknown): void {
    this.#rejectAll('canceled');
    this.#stopOwner('slot', reason);
  }

  /**
   * The owner's body has ended (proof of end), or was given up. `abandoned`: it was given up and
   * may be alive, so the lease is released, and the next owner gets a greater fence. `contended`:
   * another process waits, so the lease is released. Returns false for an entry that is not the
   * owner.
   */
  ended(owner: E, abandoned: boolean, contended: boolean): boolean {
    const ownership = this.#ownership;
    if (!('owner' in ownership) || ownership.owner !== owner) return false;
    owner.place = 'done';
    this.#ownership = IDLE;
    const next = this.#candidate();
    if (ownership.lease === 'held' && !abandoned && !contended && next !== null && !this.#paused && !this.#closed) {
      this.#own(next, ownership.request);
      return true;
    }
    this.effects.push({ do: ownership.lease === 'lost' ? 'dropLease' : 'release' });
    this.#advance();
    return true;
  }

  /**
   * The store granted the lease. Returns false if the slot has no use for it. The caller must then
   * release it.
   */
  granted(request: number): boolean {
    const ownership = this.#ownership;
    if (ownership.phase !== 'waiting' || ownership.request !== request) return false;
    this.#ownership = IDLE;
    if (ownership.asker !== null) {
      this.#own(this.#candidate() as E, request);
      return true;
    }
    this.#advance();
    return false;
  }

  /**
   * The store refused the lease. The entry that asked is rejected, and the next waiting entry asks
   * again.
   */
  denied(request: number, reason: 'slotBusy' | 'leaseUnavailable', error?: unknown): void {
    const ownership = this.#ownership;
    if (ownership.phase !== 'waiting' || ownership.request !== request) return;
    this.#ownership = IDLE;
    if (ownership.asker !== null && isQueued(ownership.asker)) this.#rejectQueued(ownership.asker, reason, null, error);
    this.#advance();
  }

  /** The lease is lost: another process may own the slot. The owner is stopped. */
  lost(request: number): void {
    const ownership = this.#ownership;
    if (!('owner' in ownership) || ownership.request !== request) return;
    ownership.lease = 'lost';
    this.#stopOwner('leaseLost', undefined);
  }

  /**
   * A replacement in another process asks for the slot. The owner is stopped, and the lease is
   * released at its end.
   */
  revoked(request: number): void {
    const ownership = this.#ownership;
    if (!('owner' in ownership) || ownership.request !== request || ownership.lease !== 'held') return;
    ownership.lease = 'revoked';
    this.#stopOwner('replace', undefined);
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

  /** From here on the slot accepts and starts nothing. */
  close(): void {
    this.#closed = true;
    this.#rejectAll('shuttingDown');
    this.#stopOwner('shutdown', undefined);
  }

  /** The entry that starts next. */
  #candidate(): E | null {
    return this.#replacement ?? this.#head;
  }

  /**
   * The entry that has waited longest among those that count to `queueLimit`. There must be one.
   */
  #oldest(): E {
    const head = this.#head as E;
    return queuedBehindCandidate(this) < this.#queueLength ? (head.behind as E) : head;
  }

  #advance(): void {
    const asker = this.#candidate();
    if (this.#ownership.phase !== 'idle' || asker === null || this.#paused || this.#closed) return;
    this.#requests += 1;
    this.#ownership = { phase: 'waiting', request: this.#requests, asker };
    this.effects.push({ do: 'acquire', request: this.#requests, asker });
  }

  #own(entry: E, request: number): void {
    this.#unlink(entry);
    entry.place = 'owner';
    this.#ownership = { phase: 'running', owner: entry, request, lease: 'held', participants: 1, stop: undefined };
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
    (this.#ownership as Owned<E>).participants += 1; // admission.ts answers `join` only beside a running owner
    entry.place = 'joined';
  }

  #wait(entry: E): void {
    if (entry.policy === 'replace') {
      if (this.#replacement !== null) this.#rejectQueued(this.#replacement, 'superseded', entry);
      this.#replacement = entry;
      entry.place = 'replacement';
      return;
    }
    entry.place = 'queue';
    entry.ahead = this.#tail;
    if (this.#tail === null) this.#head = entry;
    else this.#tail.behind = entry;
    this.#tail = entry;
    this.#queueLength += 1;
    if (entry.policy === 'keepLatest') this.#latest = entry;
  }

  #takeLatest(entry: E): void {
    const old = this.#latest as E; // admission.ts answers `takeLatest` only while one waits
    const { ahead, behind } = old;
    this.#rejectQueued(old, 'superseded', entry);
    entry.place = 'queue';
    entry.ahead = ahead;
    entry.behind = behind;
    if (ahead === null) this.#head = entry;
    else ahead.behind = entry;
    if (behind === null) this.#tail = entry;
    else behind.ahead = entry;
    this.#queueLength += 1;
    this.#latest = entry;
  }

  #unlink(entry: E): void {
    if (entry === this.#replacement) {
      this.#replacement = null;
      return;
    }
    if (entry.ahead === null) this.#head = entry.behind;
    else entry.ahead.behind = entry.behind;
    if (entry.behind === null) this.#tail = entry.ahead;
    else entry.behind.ahead = entry.ahead;
    entry.ahead = null;
    entry.behind = null;
    this.#queueLength -= 1;
    if (entry === this.#latest) this.#latest = null;
  }

  #reject<R extends RejectReason>(entry: E, reason: R, by: E | null, error?: unknown): R {
    entry.place = 'done';
    this.effects.push({ do: 'reject', entry, reason, by, error });
    return reason;
  }

  #rejectQueued(entry: E, reason: RejectReason, by: E | null, error?: unknown): void {
    this.#unlink(entry);
    this.#reject(entry, reason, by, error);
  }

  #rejectAll(reason: RejectReason): void {
    for (let next = this.#candidate(); next !== null; next = this.#candidate()) this.#rejectQueued(next, reason, null);
    this.#withdrawUnwanted();
  }

  /** Withdraws a pending lease request when no entry may start. A late grant is then released. */
  #withdrawUnwanted(): void {
    const ownership = this.#ownership;
    if (ownership.phase !== 'waiting' || ownership.asker === null || (this.#candidate() !== null && !this.#paused))
      return;
    ownership.asker = null;
    this.effects.push({ do: 'cancelRequest' });
  }
}
