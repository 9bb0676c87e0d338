// PostgreSQL as a store. What each operation does is in schema.ts.

import { createHash } from 'node:crypto';
import type { Clock } from '../../index.ts';
import { SystemClock } from '../../kit.ts';
import {
  type AskAnswer,
  type FleetLook,
  Gather,
  type HeldSlot,
  type LeaseAsk,
  type LeaseNews,
  type LeasePulse,
  type LeaseStore,
  type LookAsk,
} from '../fleet/index.ts';
import { forPeople, isLasting, isOfOneItem } from './errors.ts';
import { Line } from './line.ts';
import { lookOf, lookStatement } from './look.ts';
import { type PgPool, type PgStatement, type Row, runOn } from './pool.ts';
import { identifier } from './schema.ts';
import { ALONE, type Call, Together } from './together.ts';

export interface StoreSettings {
  readonly schema: string;
  readonly listen: boolean;
  readonly ttlMs: number;
  readonly clock: Clock | undefined;
}

interface AskCall extends Call {
  readonly ask: LeaseAsk;
}

interface ReturnCall extends Call {
  readonly held: HeldSlot;
}

interface WithdrawCall extends Call {
  readonly slot: string;
}

const MODES = { try: 0, wait: 1, urgent: 2 } as const;

const channelOf = (session: string): string => `sv_${session.replaceAll('-', '')}`;

export class PostgresStore implements LeaseStore {
  readonly #pool: PgPool;
  readonly #schema: string;
  readonly #listens: boolean;
  /** What the names of prepared statements begin with: at most 63 bytes tell the schemas apart. */
  readonly #prepared: string;
  readonly #clock: Clock;
  /** The limit of a call, and of a beat. */
  readonly #limitMs: number;
  readonly #beatMs: number;
  /** How long a statement waits for a lock. */
  readonly #lockMs: number;
  readonly #line: Line;
  /** The sessions that have not ended: they listen, or would. */
  readonly #sessions = new Set<string>();
  readonly #asks = new Together<AskCall, AskAnswer>((calls, isAlone) => this.#acquire(calls, isAlone));
  readonly #returns = new Together<ReturnCall, undefined>((calls, isAlone) => this.#release(calls, isAlone));
  /** A shutdown withdraws all that waits: it must not take the whole pool for that. */
  readonly #withdrawals = new Gather<WithdrawCall, undefined>({
    lanes: 2,
    most: 1,
    key: () => '',
    run: ([call]) => this.#withdraw(call as WithdrawCall),
  });

  constructor(pool: PgPool, { schema, listen, ttlMs, clock = new SystemClock() }: StoreSettings) {
    this.#pool = pool;
    this.#schema = schema;
    this.#listens = listen;
    this.#prepared = `slotvisor ${createHash('sha256').update(schema).digest('hex').slice(0, 32)}`;
    this.#clock = clock;
    this.#limitMs = ttlMs;
    this.#beatMs = ttlMs / 6;
    this.#lockMs = Math.round(ttlMs / 15);
    this.#line = new Line(pool, clock);
  }

  async open(session: string, name: string, ttlMs: number): Promise<void> {
    await this.#onLine('open', [session, name, ttlMs, this.#lockMs], this.#limitMs);
  }

  async beat(session: string, waiting: readonly string[]): Promise<LeasePulse | null> {
    const rows = await this.#onLine('beat', [session, waiting, this.#lockMs], this.#beatMs);
    const news: LeaseNews[] = [];
    let held = 0;
    let nextMs = Infinity;
    for (const { o_kind: kind, o_slot: slot, o_fence: figure, o_contended: contended } of rows) {
      if (kind === 'dead') return null;
      if (kind === 'held') held = Number(figure);
      else if (kind === 'until') nextMs = Math.min(nextMs, Math.max(0, Number(figure)));
      else news.push(newsOf(kind, slot, figure, contended));
    }
    return { news, held, nextMs: nextMs === Infinity ? null : nextMs };
  }

  acquire(session: string, ask: LeaseAsk): Promise<AskAnswer> {
    return this.#asks.add({ session, ask });
  }

  release(session: string, held: HeldSlot): Promise<void> {
    return this.#returns.add({ session, held });
  }

  withdraw(session: string, slot: string): Promise<void> {
    return this.#withdrawals.add({ session, slot });
  }

  async holdings(session: string, slot?: string): Promise<ReadonlyMap<string, bigint>> {
    const rows = await this.#call('holdings', [session, slot ?? null, this.#lockMs]);
    return new Map(rows.map(({ o_slot, o_fence }) => [o_slot as string, BigInt(o_fence as string)]));
  }

  async look(session: string | undefined, ask: LookAsk): Promise<FleetLook> {
    const rows = await this.#run(lookStatement(this.#schema, session, ask));
    return lookOf(rows[0] as Row, ask.limit);
  }

  async end(session: string): Promise<void> {
    try {
      await this.#call('finish', [session, true, this.#lockMs]);
    } catch (error) {
      if (!isOfOneItem(error)) throw error;
      await this.#call('finish', [session, false, this.#lockMs]);
    }
  }

  async listen(session: string, hear: (news: LeaseNews) => void, broken: () => void): Promise<() => void> {
    this.#sessions.add(session);
    if (!this.#listens) return () => this.#leave(session);
    const listener = { hear: (payload: string) => hearIfNews(payload, hear), broken };
    try {
      await this.#forPeople(this.#line.listen(channelOf(session), listener, this.#limitMs));
    } catch (error) {
      this.#leave(session);
      throw error;
    }
    return () => this.#leave(session);
  }

  /** With the last session the connection ends, however that one came to its end. */
  #leave(session: string): void {
    this.#line.ignore(channelOf(session));
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#line.hangUp();
  }

  isPermanent(error: unknown): boolean {
    return isLasting(error);
  }

  async close(): Promise<void> {
    this.#line.close();
  }

  async #acquire(calls: readonly AskCall[], isAlone: boolean): Promise<(AskAnswer | typeof ALONE)[]> {
    const names = calls.map(({ ask }) => ask.slot);
    const modes = calls.map(({ ask }) => MODES[ask.mode]);
    const rows = await this.#call('acquire', [calls[0]?.session, names, modes, isAlone, this.#lockMs]);
    const answers = new Map(rows.map((row) => [row.o_slot, row]));
    return names.map((name) => answerOf(answers.get(name)));
  }

  async #release(calls: readonly ReturnCall[], isAlone: boolean): Promise<(undefined | typeof ALONE)[]> {
    const names = calls.map(({ held }) => held.slot);
    const fences = calls.map(({ held }) => String(held.fence));
    const rows = await this.#call('release', [calls[0]?.session, names, fences, isAlone, this.#lockMs]);
    const locked = new Set(rows.map(({ o_slot }) => o_slot));
    return names.map((name) => (locked.has(name) ? ALONE : undefined));
  }

  async #withdraw({ session, slot }: WithdrawCall): Promise<[undefined]> {
    await this.#call('withdraw', [session, slot, this.#lockMs]);
    return [undefined];
  }

  #call(name: string, values: unknown[]): Promise<Row[]> {
    return this.#run(this.#statement(name, values));
  }

  #run(statement: PgStatement): Promise<Row[]> {
    return this.#forPeople(runOn(this.#pool, this.#clock, this.#limitMs, statement));
  }

  #onLine(name: string, values: unknown[], ms: number): Promise<Row[]> {
    return this.#forPeople(this.#line.run(this.#statement(name, values), ms));
  }

  async #forPeople<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw forPeople(error, this.#schema);
    }
  }

  #statement(name: string, values: unknown[]): PgStatement {
    const text = `select * from ${identifier(this.#schema)}.${name}(${values.map((_, i) => `$${i + 1}`).join(', ')})`;
    return this.#listens ? { name: `${this.#prepared} ${name}`, text, values } : { text, values };
  }
}

function answerOf(row: Row | undefined): AskAnswer | typeof ALONE {
  switch (row?.o_state) {
    case 'granted':
      return { state: 'granted', fence: BigInt(row.o_fence as string), contended: row.o_contended === true };
    case 'waiting':
      return { state: 'waiting', fence: BigInt(row.o_fence as string) };
    case 'busy':
    case 'dead':
      return { state: row.o_state };
    default:
      return ALONE;
  }
}

/** Another program may write to the channel. A throw here would end the process. */
function hearIfNews(payload: string, hear: (news: LeaseNews) => void): void {
  let news: LeaseNews | undefined;
  try {
    news = parseNews(payload);
  } catch {
    // it is no news: the fence is no number
  }
  if (news !== undefined) hear(news);
}

function parseNews(payload: string): LeaseNews {
  const [kind = '', fence, wanted] = payload.split(' ', 3);
  const slot = payload.split(' ').slice(3).join(' ');
  return newsOf(kind, slot, fence, wanted !== '0');
}

function newsOf(kind: unknown, slot: unknown, fence: unknown, contended: unknown): LeaseNews {
  const named = { slot: slot as string };
  switch (kind as LeaseNews['kind']) {
    case 'granted':
      return { kind: 'granted', ...named, fence: BigInt(fence as string), contended: contended === true };
    case 'contended':
    case 'revoked':
      return { kind: kind as 'contended' | 'revoked', ...named, fence: BigInt(fence as string) };
    case 'superseded':
    case 'orphan':
      return { kind: kind as 'superseded' | 'orphan', ...named };
  }
}
