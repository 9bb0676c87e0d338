// The engine of a lease store in memory: what the processes of a fleet share. Each operation is one
// synchronous step.

import type {
  AskAnswer,
  FleetLook,
  FleetSlot,
  HeldSlot,
  LeaseAsk,
  LeaseNews,
  LeasePulse,
  LookAsk,
} from 'slotvisor/fleet';

/** How often a session that does not beat gets one more ttl. */
const MOST_SPARED = 4;

interface SessionRow {
  readonly name: string;
  readonly ttlMs: number;
  expiresMs: number;
  /** How often it got one more ttl since its last beat, as the clock jumped. */
  spared: number;
}

/** What the holder has been told, or reads with its next beat. 2: a replacement waits. */
type Wanted = 0 | 1 | 2;

/** A slot that is held. A free slot has no row. */
interface SlotRow {
  session: string;
  fence: bigint;
  wanted: Wanted;
}

interface WaiterRow {
  readonly session: string;
  readonly seq: number;
  isUrgent: boolean;
}

export class MemoryEngine {
  readonly #nowMs: () => number;
  readonly #tell: (session: string, news: LeaseNews) => void;
  readonly #sessions = new Map<string, SessionRow>();
  readonly #slots = new Map<string, SlotRow>();
  readonly #lines = new Map<string, WaiterRow[]>();
  #lastFence = 0n;
  #lastSeq = 0;
  #seenMs: number;

  constructor(nowMs: () => number, tell: (session: string, news: LeaseNews) => void) {
    this.#nowMs = nowMs;
    this.#tell = tell;
    this.#seenMs = nowMs();
  }

  get isEmpty(): boolean {
    return this.#sessions.size + this.#slots.size + this.#lines.size === 0;
  }

  /** The session that holds the slot, as far as the store knows. */
  holderOf(slot: string): string | undefined {
    return this.#slots.get(slot)?.session;
  }

  open(session: string, ttlMs: number, name = ''): void {
    this.#lookAtClock(ttlMs);
    this.#reap();
    this.#sessions.set(session, { name, ttlMs, expiresMs: this.#nowMs() + ttlMs, spared: 0 });
  }

  beat(session: string, waiting: readonly string[]): LeasePulse | null {
    const row = this.#sessions.get(session);
    if (row === undefined) return null;
    this.#lookAtClock(row.ttlMs);
    row.expiresMs = this.#nowMs() + row.ttlMs;
    row.spared = 0;
    this.#reap();
    const held = this.#heldBy(session);
    const untilMs = waiting.flatMap((slot) => this.#msUntilHolderExpires(session, slot));
    return {
      news: [...waiting.flatMap((slot) => this.#newsOfWaiter(session, slot)), ...held.flatMap(newsOfHolder)],
      held: held.length,
      nextMs: untilMs.length === 0 ? null : Math.min(...untilMs),
    };
  }

  acquire(session: string, { slot, mode }: LeaseAsk): AskAnswer {
    if (!this.#sessions.has(session)) return { state: 'dead' };
    const row = this.#slots.get(slot);
    if (row === undefined || row.session === session) return this.#grantAtOnce(session, slot);
    if (mode !== 'try') this.#enter(session, slot, mode === 'urgent');
    if (this.#sessions.has(row.session)) {
      if (mode === 'try') return { state: 'busy' };
      this.#want(slot, row);
      return { state: 'waiting', fence: row.fence };
    }
    const next = this.#passOn(slot, session);
    if (next === undefined) return this.#grantAtOnce(session, slot);
    if (next.session === session) return { state: 'granted', fence: next.fence, contended: next.wanted > 0 };
    return mode === 'try' ? { state: 'busy' } : { state: 'waiting', fence: next.fence };
  }

  release(session: string, { slot, fence }: HeldSlot): void {
    const row = this.#slots.get(slot);
    if (row?.session === session && row.fence === fence) this.#passOn(slot);
  }

  withdraw(session: string, slot: string): void {
    this.#leave(session, slot);
    if (this.holderOf(slot) === session) this.#passOn(slot);
  }

  holdings(session: string, slot?: string): Map<string, bigint> {
    const held = this.#heldBy(session).filter(([name]) => slot === undefined || name === slot);
    return new Map(held.map(([name, { fence }]) => [name, fence]));
  }

  look(session: string | undefined, { q, limit, lineLimit }: LookAsk): FleetLook {
    const names = [...this.#slots.keys()].filter((slot) => slot.includes(q)).sort();
    const processes = [...this.#sessions].map(([id, { name, expiresMs }]) => ({
      name,
      isSelf: id === session,
      held: this.#heldBy(id).length,
      waiting: [...this.#lines.values()].flat().filter((waiter) => waiter.session === id).length,
      expiresInMs: Math.max(0, expiresMs - this.#nowMs()),
    }));
    return {
      processes: processes.sort((a, b) => (a.name < b.name ? -1 : 1)),
      slots: names.slice(0, limit).map((slot) => this.#slotSeenBy(session, slot, lineLimit)),
      more: names.length > limit,
    };
  }

  end(session: string): void {
    for (const slot of [...this.#lines.keys()]) this.#leave(session, slot);
    for (const [slot] of this.#heldBy(session)) this.#passOn(slot);
    this.#sessions.delete(session);
  }

  /**
   * Throws unless the tables agree: the holder of a slot does not wait for it, and knows or will
   * read that a session does.
   */
  check(): void {
    for (const [slot, line] of this.#lines) {
      const row = this.#slots.get(slot);
      const known = line.filter((waiter) => this.#sessions.has(waiter.session));
      if (new Set(line.map((waiter) => waiter.session)).size !== line.length)
        throw new Error(`a session waits twice for slot ${JSON.stringify(slot)}`);
      if (line.filter((waiter) => waiter.isUrgent).length > 1)
        throw new Error(`two replacements wait for slot ${JSON.stringify(slot)}`);
      if (line.some((waiter) => waiter.session === row?.session))
        throw new Error(`the holder of slot ${JSON.stringify(slot)} waits for it`);
      if ((row?.wanted ?? 0) < wantedBy(known))
        throw new Error(`slot ${JSON.stringify(slot)} is wanted ${row?.wanted}, its line wants ${wantedBy(known)}`);
    }
  }

  /**
   * A clock that was set, or a time in which no session beat: then each session gets a ttl, so that
   * the living ones beat first. It gets that a few times a beat.
   */
  #lookAtClock(ttlMs: number): void {
    const nowMs = this.#nowMs();
    const passedMs = nowMs - this.#seenMs;
    this.#seenMs = nowMs;
    const rows = [...this.#sessions.values()];
    const shortestMs = Math.min(ttlMs, ...rows.map((row) => row.ttlMs));
    if (passedMs <= shortestMs / 3 && passedMs >= -shortestMs / 10) return;
    for (const row of rows) {
      if (row.spared >= MOST_SPARED && row.expiresMs <= nowMs + row.ttlMs) continue;
      row.expiresMs = nowMs + row.ttlMs;
      if (passedMs > 0) row.spared += 1;
    }
  }

  #reap(): void {
    for (const [session, { expiresMs }] of this.#sessions)
      if (expiresMs <= this.#nowMs()) this.#sessions.delete(session);
  }

  /** A session that missed beats may be dead: it would cost the line one ttl. */
  #beatsMissed(session: string): 0 | 1 | 2 {
    const { ttlMs, expiresMs, spared } = this.#sessions.get(session) as SessionRow;
    const leftMs = expiresMs - this.#nowMs();
    if (leftMs > 0.6 * ttlMs && spared === 0) return 0;
    return leftMs > 0 ? 1 : 2;
  }

  #heldBy(session: string): [string, SlotRow][] {
    return [...this.#slots].filter(([, row]) => row.session === session);
  }

  #lineOf(slot: string): readonly WaiterRow[] {
    return this.#lines.get(slot) ?? [];
  }

  #setLine(slot: string, line: WaiterRow[]): void {
    if (line.length === 0) this.#lines.delete(slot);
    else this.#lines.set(slot, line);
  }

  #enter(session: string, slot: string, isUrgent: boolean): void {
    const isSuperseded = (waiter: WaiterRow): boolean => isUrgent && waiter.isUrgent && waiter.session !== session;
    const line = this.#lineOf(slot);
    const left = line.filter((waiter) => !isSuperseded(waiter));
    const mine = left.find((waiter) => waiter.session === session);
    if (mine === undefined) left.push({ session, seq: this.#draw(), isUrgent });
    else mine.isUrgent ||= isUrgent;
    this.#setLine(slot, left);
    for (const waiter of line) if (isSuperseded(waiter)) this.#tell(waiter.session, { kind: 'superseded', slot });
  }

  #draw(): number {
    this.#lastSeq += 1;
    return this.#lastSeq;
  }

  #leave(session: string, slot: string): void {
    const row = this.#slots.get(slot);
    this.#setLine(
      slot,
      this.#lineOf(slot).filter((waiter) => waiter.session !== session),
    );
    if (row !== undefined) row.wanted = wantedBy(this.#lineOf(slot));
  }

  /** Tells the holder once that a session waits, and once that a replacement does. */
  #want(slot: string, row: SlotRow): void {
    const wanted = wantedBy(this.#lineOf(slot));
    if (wanted <= row.wanted) return;
    row.wanted = wanted;
    this.#tell(row.session, { kind: wanted === 2 ? 'revoked' : 'contended', slot, fence: row.fence });
  }

  #grantAtOnce(session: string, slot: string): AskAnswer {
    const { fence, wanted } = this.#grant(session, slot);
    return { state: 'granted', fence, contended: wanted > 0 };
  }

  #grant(session: string, slot: string): SlotRow {
    this.#leave(session, slot);
    this.#lastFence += 1n;
    const row = { session, fence: this.#lastFence, wanted: wantedBy(this.#lineOf(slot)) };
    this.#slots.set(slot, row);
    return row;
  }

  /**
   * Grants the slot to the first in line, or frees it. Only a session that was removed is dead.
   *
   * @param asking the session that gets the answer of its call, and needs no news.
   */
  #passOn(slot: string, asking?: string): SlotRow | undefined {
    const rank = ({ session, isUrgent }: WaiterRow): number => 2 * this.#beatsMissed(session) + (isUrgent ? 0 : 1);
    const [next] = this.#lineOf(slot)
      .filter((waiter) => this.#sessions.has(waiter.session))
      .sort((a, b) => rank(a) - rank(b) || a.seq - b.seq);
    if (next === undefined) {
      this.#slots.delete(slot);
      this.#lines.delete(slot);
      return undefined;
    }
    const row = this.#grant(next.session, slot);
    if (next.session !== asking) {
      this.#tell(next.session, { kind: 'granted', slot, fence: row.fence, contended: row.wanted > 0 });
      if (row.wanted === 2) this.#tell(next.session, { kind: 'revoked', slot, fence: row.fence });
    }
    return row;
  }

  #newsOfWaiter(session: string, slot: string): LeaseNews[] {
    const row = this.#slots.get(slot);
    if (row?.session === session) return [{ kind: 'granted', slot, fence: row.fence, contended: row.wanted > 0 }];
    if (!this.#lineOf(slot).some((waiter) => waiter.session === session)) return [{ kind: 'superseded', slot }];
    return row === undefined || !this.#sessions.has(row.session) ? [{ kind: 'orphan', slot }] : [];
  }

  #slotSeenBy(session: string | undefined, slot: string, lineLimit: number): FleetSlot {
    const { session: holder, fence } = this.#slots.get(slot) as SlotRow;
    const known = this.#sessions.get(holder);
    const line = this.#lineOf(slot)
      .filter((waiter) => this.#sessions.has(waiter.session))
      .sort((a, b) => placeOf(a) - placeOf(b))
      .map((waiter) => (this.#sessions.get(waiter.session) as SessionRow).name);
    return {
      slot,
      ...(known && { holder: known.name }),
      isOurs: known !== undefined && holder === session,
      fence,
      line: line.slice(0, lineLimit),
      waiting: line.length,
    };
  }

  #msUntilHolderExpires(session: string, slot: string): number[] {
    const row = this.#slots.get(slot);
    const holder = row && row.session !== session ? this.#sessions.get(row.session) : undefined;
    return holder === undefined ? [] : [Math.max(0, holder.expiresMs - this.#nowMs())];
  }
}

/** A line has one replacement at most. */
const placeOf = ({ seq, isUrgent }: WaiterRow): number => (isUrgent ? 0 : seq);

function wantedBy(line: readonly WaiterRow[]): Wanted {
  if (line.length === 0) return 0;
  return line.some((waiter) => waiter.isUrgent) ? 2 : 1;
}

function newsOfHolder([slot, { fence, wanted }]: [string, SlotRow]): LeaseNews[] {
  return wanted === 0 ? [] : [{ kind: wanted === 2 ? 'revoked' : 'contended', slot, fence }];
}
