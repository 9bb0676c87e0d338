// A migrated schema of its own for one test, stores over it, and a look into its tables.

import { randomUUID } from 'node:crypto';
import type { LeaseNews, LeaseStore } from 'slotvisor/fleet';
import { migrate } from 'slotvisor/postgres';
import { onTestFinished } from 'vitest';
import type { PgPool } from '../../../src/ext/postgres/pool.ts';
import { PostgresStore } from '../../../src/ext/postgres/store.ts';
import { type FreshSchema, freshSchema } from '../../support/postgres.ts';

/** Long enough that no session expires within a test. */
export const TTL_MS = 60_000;

export interface StoreOptions {
  readonly pool?: PgPool;
  readonly listen?: boolean;
  readonly ttlMs?: number;
}

export class World {
  readonly pool: FreshSchema['pool'];
  readonly schema: string;
  readonly url: string;

  static async start(): Promise<World> {
    const world = new World(await freshSchema());
    await migrate(world.pool, { schema: world.schema });
    return world;
  }

  constructor({ pool, schema, url }: FreshSchema) {
    this.pool = pool;
    this.schema = schema;
    this.url = url;
  }

  store({ pool = this.pool, listen = true, ttlMs = TTL_MS }: StoreOptions = {}): PostgresStore {
    const store = new PostgresStore(pool, { schema: this.schema, listen, ttlMs, clock: undefined });
    onTestFinished(() => store.close());
    return store;
  }

  /** A session of a store. */
  async session(store: LeaseStore = this.store(), ttlMs = TTL_MS): Promise<Session> {
    const session = new Session(store);
    await store.open(session.id, 'test', ttlMs);
    return session;
  }

  /** Runs SQL in which `%` is the schema. */
  async sql<R extends object>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.pool.query<R>(text.replaceAll('%', `"${this.schema}"`), values)).rows;
  }

  async count(table: 'session' | 'slot' | 'waiter'): Promise<number> {
    const [row] = await this.sql<{ n: number }>(`select count(*)::int n from %.${table}`);
    return row?.n as number;
  }

  /** Nothing can renew it any more. */
  async expire({ id }: Session): Promise<void> {
    await this.sql(`update %.session set expires_at = '2000-01-01' where id = $1`, [id]);
  }

  /** As if the clock of the server had been set forward by so many ms. */
  async stepClock(ms: number): Promise<void> {
    const shift = `- ${ms} * interval '1 ms'`;
    await this.sql(`update %.session set expires_at = expires_at ${shift}`);
    await this.sql(`update %.clock set seen_at = seen_at ${shift}`);
  }
}

/** A session, and what it has heard. */
export class Session {
  readonly id = randomUUID();
  readonly news: LeaseNews[] = [];
  broken = 0;
  readonly store: LeaseStore;

  constructor(store: LeaseStore) {
    this.store = store;
  }

  async listen(): Promise<() => void> {
    return this.store.listen(
      this.id,
      (news) => this.news.push(news),
      () => {
        this.broken += 1;
      },
    );
  }

  ask(slot: string, mode: 'try' | 'wait' | 'urgent' = 'wait') {
    return this.store.acquire(this.id, { slot, mode });
  }

  /** Asks for a free slot. Returns its fence. */
  async take(slot: string): Promise<bigint> {
    const answer = await this.ask(slot);
    if (answer.state !== 'granted') throw new Error(`slot ${slot} is not granted: ${answer.state}`);
    return answer.fence;
  }

  async holds(slot: string): Promise<bigint | undefined> {
    return (await this.store.holdings(this.id, slot)).get(slot);
  }

  release(slot: string, fence: bigint, contended = false) {
    return this.store.release(this.id, { slot, fence, contended });
  }

  beat(...waiting: string[]) {
    return this.store.beat(this.id, waiting);
  }
}
