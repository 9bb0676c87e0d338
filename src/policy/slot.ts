// The slot machine: who owns a slot, who waits, and what follows from every input. It decides and never acts: each input
// leaves named effects in `effects`, in order, for the one interpreter (engine/slots) to carry out. No clock, timer, promise, I/O.
//
// The queue lives inside the state, as links in the entries themselves, so that every input is O(1), cancel from the middle included.
// Over 300 lines because all rules of one slot are explored together, as one machine.
// A stale or impossible input changes nothing (S8): answers of the lease store carry the number of their request, ends carry their owner.
//
// S1  at most one owner, and the next is made owner only by `ended`, the proof of end.   (hold)
// S2  an owner exists only with a lease: `own` is reached from `granted`, or from `ended` with the lease kept.
// S3  whoever enters leaves by one of start..ended, reject or leave.
// S4  order: the next, then the line, first in first out.   (front)
// S5  waiting work implies a phase other than idle, or a pause.   S10: `advance` runs after everything that could free the slot.
// S6  `spent` says when nothing is held and nobody waits.   S7 a closed slot starts nothing.

import type { StopCause } from '../model/error.ts';
import type { RejectReason } from '../model/outcome.ts';
import type { AdmissionPolicy } from '../model/settings.ts';
import { admit, counted, type Room, type Standing, type Verdict } from './admission.ts';

/** Where the machine has put an entry. */
export type Place = 'new' | 'next' | 'line' | 'owner' | 'joined' | 'out';

/** One submission, as the machine sees it. The links belong to the machine. */
export interface SlotEntry<Self> {
  readonly policy: AdmissionPolicy;
  place: Place;
  ahead: Self | null;
  behind: Self | null;
}

export type SlotEffect<E> =
  | { readonly do: 'acquire'; readonly request: number; readonly asker: E }
  | { readonly do: 'withdraw' }
  | { readonly do: 'release' }
  | { readonly do: 'forget' } // the lease was lost: it is not ours to release
  | { readonly do: 'start'; readonly entry: E }
  | { readonly do: 'stop'; readonly owner: E; readonly by: StopCause; readonly reason: unknown }
  | {
      readonly do: 'reject';
      readonly entry: E;
      readonly reason: RejectReason;
      readonly by: E | null;
      readonly error: unknown;
    }
  | { readonly do: 'leave'; readonly entry: E; readonly owner: E; readonly by: StopCause; readonly reason: unknown };

/** What the slot holds. Each variant carries only what is true in it. */
type Hold<E> = { readonly phase: 'idle' } | Asked<E> | Owned<E>;

interface Asked<E> {
  readonly phase: 'waiting';
  readonly request: number;
  asker: E | null; // none once the request is called off; until then somebody waits who may start
}

interface Owned<E> {
  phase: 'running' | 'stopping';
  readonly owner: E;
  readonly request: number; // the number of the lease's request: its ticket
  /** Held: may be kept for the next owner. Lost: not ours to release. Revoked: neither, so nothing has to ask for it by name. */
  lease: 'held' | 'revoked' | 'lost';
  participants: number; // the owner and those who joined, less those who left
  stop: Stop | undefined; // the first one; none while running
}

interface Stop {
  readonly by: StopCause;
  readonly reason: unknown;
}

const IDLE = { phase: 'idle' } as const;

/** Whether it stands in the queue. */
export const waits = ({ place }: { readonly place: Place }): boolean => place === 'next' || place === 'line';

export class SlotMachine<E extends SlotEntry<E>> implements Standing {
  readonly effects: SlotEffect<E>[] = [];
  paused = false;
  inLine = 0;
  #hold: Hold<E> = IDLE;
  #closed = false;
  #requests = 0;
  #next: E | null = null;
  #head: E | null = null;
  #tail: E | null = null;
  #latest: E | null = null; // the one `keepLatest` that waits

  get phase(): Standing['phase'] {
    return this.#hold.phase;
  }
  get hasNext(): boolean {
    return this.#next !== null;
  }
  get hasLatest(): boolean {
    return this.#latest !== null;
  }
  /** The ticket of the present ownership. After its leader left, the work still goes by the leader's name. */
  get owner(): E | null {
    return 'owner' in this.#hold ? this.#hold.owner : null;
  }
  /** The owner, or who has the owner's part while the lease is asked for. */
  get occupant(): E | null {
    return this.owner ?? this.#front();
  }
  get participants(): number {
    return 'owner' in this.#hold ? this.#hold.participants : 0;
  }
  /** Nothing held and not paused, so nobody waits either (S5): the slot may leave the table. */
  get spent(): boolean {
    return this.#hold.phase === 'idle' && !this.paused;
  }
  /** How many wait, the next included. */
  get pending(): number {
    return this.inLine + (this.hasNext ? 1 : 0);
  }
  *waiting(): IterableIterator<E> {
    if (this.#next !== null) yield this.#next;
    for (let entry = this.#head; entry !== null; entry = entry.behind) yield entry;
  }

  /** The same slot in the same state, with entries of its own: for trying out what would follow. */
  copy<C extends SlotEntry<C>>(copyEntry: (entry: E) => C): SlotMachine<C> {
    const copy = new SlotMachine<C>();
    for (const entry of this.waiting()) copy.#wait(copyEntry(entry));
    const hold = this.#hold;
    if (hold.phase === 'waiting') copy.#hold = { ...hold, asker: hold.asker && copy.#front() };
    else if ('owner' in hold) copy.#hold = { ...hold, owner: copyEntry(hold.owner) };
    copy.paused = this.paused;
    copy.#closed = this.#closed;
    copy.#requests = this.#requests;
    return copy;
  }

  submit(entry: E, room: Room): Verdict | 'shuttingDown' {
    if (this.#closed) return this.#turnAway(entry, 'shuttingDown', null);
    const verdict = admit(this, entry.policy, room);
    switch (verdict) {
      case 'start':
        this.#wait(entry);
        this.#advance();
        return verdict;
      case 'next':
        this.#wait(entry);
        this.#stopOwner('replace', undefined);
        return verdict;
      case 'dropOldest':
        while (counted(this) >= room.queueLimit) this.#reject(this.#oldest(), 'queueFull', entry);
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
        return this.#turnAway(entry, verdict, this.occupant);
      case 'queueFull':
      case 'resourceLimit':
        return this.#turnAway(entry, verdict, null);
    }
  }

  /** A waiting submission gives up, or its time is over. False when it does not wait. */
  withdraw(entry: E, reason: RejectReason): boolean {
    if (!waits(entry)) return false;
    this.#reject(entry, reason, null);
    this.#withdrawUnwanted();
    return true;
  }

  /** An owner or a joined submission, whose body has not ended, wants out. The body is told to stop when nobody is left who wants it. */
  leave(entry: E, by: StopCause, reason?: unknown): void {
    const hold = this.#hold;
    if (!('owner' in hold) || (entry.place !== 'owner' && entry.place !== 'joined')) return;
    if (entry.place === 'owner' && hold.participants === 1) {
      this.#stopOwner(by, reason); // alone: it ends with its body
      return;
    }
    hold.participants -= 1;
    entry.place = 'out';
    this.effects.push({ do: 'leave', entry, owner: hold.owner, ...(hold.stop ?? { by, reason }) });
    if (hold.participants === 0) this.#stopOwner(by, reason);
  }

  /** The owner is told to stop and every waiting submission is rejected, in one step. */
  cancel(reason?: unknown): void {
    this.#rejectAll('canceled');
    this.#stopOwner('slot', reason);
  }

  /** Proof that the owner's body has ended, or has been given up: then the lease is handed back, which raises the fence. */
  ended(owner: E, abandoned: boolean, contended: boolean): boolean {
    const hold = this.#hold;
    if (!('owner' in hold) || hold.owner !== owner) return false;
    owner.place = 'out';
    this.#hold = IDLE;
    const front = this.#front();
    if (hold.lease === 'held' && !abandoned && !contended && front !== null && !this.paused && !this.#closed) {
      this.#own(front, hold.request);
      return true;
    }
    this.effects.push({ do: hold.lease === 'lost' ? 'forget' : 'release' });
    this.#advance();
    return true;
  }

  /** The lease came. False: it is not wanted, or not ours any more, and has to be given back. */
  granted(request: number): boolean {
    const hold = this.#hold;
    if (hold.phase !== 'waiting' || hold.request !== request) return false;
    this.#hold = IDLE;
    if (hold.asker !== null) {
      this.#own(this.#front() as E, request);
      return true;
    }
    this.#advance();
    return false;
  }

  /** The store said no. Whoever asked is rejected; whoever else waits asks anew. */
  denied(request: number, reason: 'slotBusy' | 'leaseUnavailable', error?: unknown): void {
    const hold = this.#hold;
    if (hold.phase !== 'waiting' || hold.request !== request) return;
    this.#hold = IDLE;
    if (hold.asker !== null && waits(hold.asker)) this.#reject(hold.asker, reason, null, error);
    this.#advance();
  }

  lost(request: number): void {
    const hold = this.#hold;
    if (!('owner' in hold) || hold.request !== request) return;
    hold.lease = 'lost';
    this.#stopOwner('leaseLost', undefined);
  }

  revoked(request: number): void {
    const hold = this.#hold;
    if (!('owner' in hold) || hold.request !== request || hold.lease !== 'held') return;
    hold.lease = 'revoked';
    this.#stopOwner('replace', undefined);
  }

  pause(): void {
    this.paused = true;
    this.#withdrawUnwanted();
  }

  resume(): void {
    this.paused = false;
    this.#advance();
  }

  /** For good: nothing more is accepted or started here. */
  close(): void {
    this.#closed = true;
    this.#rejectAll('shuttingDown');
    this.#stopOwner('shutdown', undefined);
  }

  #front(): E | null {
    return this.#next ?? this.#head;
  }

  /** The one that has waited longest of those who count to the limit, while there are any. */
  #oldest(): E {
    const head = this.#head as E;
    return counted(this) < this.inLine ? (head.behind as E) : head;
  }

  #advance(): void {
    const front = this.#front();
    if (this.#hold.phase !== 'idle' || front === null || this.paused || this.#closed) return;
    this.#requests += 1;
    this.#hold = { phase: 'waiting', request: this.#requests, asker: front };
    this.effects.push({ do: 'acquire', request: this.#requests, asker: front });
  }

  #own(entry: E, request: number): void {
    this.#unlink(entry);
    entry.place = 'owner';
    this.#hold = { phase: 'running', owner: entry, request, lease: 'held', participants: 1, stop: undefined };
    this.effects.push({ do: 'start', entry });
  }

  #stopOwner(by: StopCause, reason: unknown): void {
    const hold = this.#hold;
    if (hold.phase !== 'running') return;
    hold.phase = 'stopping';
    hold.stop = { by, reason };
    this.effects.push({ do: 'stop', owner: hold.owner, by, reason });
  }

  #join(entry: E): void {
    (this.#hold as Owned<E>).participants += 1; // the table lets nobody join but beside a running owner
    entry.place = 'joined';
  }

  #wait(entry: E): void {
    if (entry.policy === 'replace') {
      if (this.#next !== null) this.#reject(this.#next, 'superseded', entry);
      this.#next = entry;
      entry.place = 'next';
      return;
    }
    entry.place = 'line';
    entry.ahead = this.#tail;
    if (this.#tail === null) this.#head = entry;
    else this.#tail.behind = entry;
    this.#tail = entry;
    this.inLine += 1;
    if (entry.policy === 'keepLatest') this.#latest = entry;
  }

  #takeLatest(entry: E): void {
    const old = this.#latest as E; // the table asks for one that waits
    const { ahead, behind } = old;
    this.#reject(old, 'superseded', entry);
    entry.place = 'line';
    entry.ahead = ahead;
    entry.behind = behind;
    if (ahead === null) this.#head = entry;
    else ahead.behind = entry;
    if (behind === null) this.#tail = entry;
    else behind.ahead = entry;
    this.inLine += 1;
    this.#latest = entry;
  }

  #unlink(entry: E): void {
    if (entry === this.#next) {
      this.#next = null;
      return;
    }
    if (entry.ahead === null) this.#head = entry.behind;
    else entry.ahead.behind = entry.behind;
    if (entry.behind === null) this.#tail = entry.ahead;
    else entry.behind.ahead = entry.ahead;
    entry.ahead = null;
    entry.behind = null;
    this.inLine -= 1;
    if (entry === this.#latest) this.#latest = null;
  }

  #reject(entry: E, reason: RejectReason, by: E | null, error?: unknown): void {
    this.#unlink(entry);
    entry.place = 'out';
    this.effects.push({ do: 'reject', entry, reason, by, error });
  }

  #turnAway<R extends RejectReason>(entry: E, reason: R, by: E | null): R {
    entry.place = 'out';
    this.effects.push({ do: 'reject', entry, reason, by, error: undefined });
    return reason;
  }

  #rejectAll(reason: RejectReason): void {
    for (let front = this.#front(); front !== null; front = this.#front()) this.#reject(front, reason, null);
    this.#withdrawUnwanted();
  }

  /** A request that nobody waits for is called off; its answer, when it comes, is given back. */
  #withdrawUnwanted(): void {
    const hold = this.#hold;
    if (hold.phase !== 'waiting' || hold.asker === null || (this.#front() !== null && !this.paused)) return;
    hold.asker = null;
    this.effects.push({ do: 'withdraw' });
  }
}
