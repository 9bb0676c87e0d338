// A store over Redis, its sessions, and its time. Time passes for the store when the test says so:
// every time that it keeps is moved back.

import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { AskAnswer, AskMode, FleetLook, LeaseNews, LeasePulse, LeaseStore } from 'slotvisor/fleet';
import type { RedisClient } from 'slotvisor/redis';
import { describe, onTestFinished } from 'vitest';
import { portOf } from '../../../src/ext/redis/client.ts';
import { RedisStore, type RedisStoreSettings } from '../../../src/ext/redis/store.ts';
import { freshPrefix, ioredisClient, nodeRedisClient, withRedis } from '../../support/redis.ts';
import { passInRedis } from '../../support/redis-time.ts';

export type ClientKind = 'ioredis' | 'node-redis';

/** The tests of `tests`, once over each client. */
export function overBothClients(name: string, tests: (kind: ClientKind) => void): void {
  withRedis(name, () => {
    for (const kind of ['ioredis', 'node-redis'] as const) describe(`over ${kind}`, () => tests(kind));
  });
}

export async function clientOf(kind: ClientKind, url?: string): Promise<RedisClient> {
  return kind === 'ioredis' ? ioredisClient(url) : nodeRedisClient(url);
}

/** Long enough that no call runs into its limit on a slow machine. */
export const TTL_MS = 60_000;
export const BEAT_MS = TTL_MS / 6;

export class World {
  readonly prefix: string;
  readonly store: RedisStore;
  /** For looks at what is stored. */
  readonly admin: Redis;

  static async open(
    kind: ClientKind,
    { url, ...settings }: Partial<RedisStoreSettings> & { readonly url?: string } = {},
  ): Promise<World> {
    const client = await clientOf(kind, url);
    return new World(client, ioredisClient(url), { prefix: url ? 'own' : freshPrefix(), ...settings });
  }

  constructor(client: RedisClient, admin: Redis, settings: Partial<RedisStoreSettings> & { readonly prefix: string }) {
    this.prefix = settings.prefix;
    this.admin = admin;
    this.store = new RedisStore(portOf(client), {
      ttlMs: TTL_MS,
      quarantine: false,
      allowEviction: false,
      ...settings,
    });
  }

  /** Opens a session. */
  async join(): Promise<Member> {
    const member = new Member(this.store);
    await this.store.open(member.id, 'host:1', TTL_MS);
    return member;
  }

  look(member: Member | undefined, { q = '', limit = 200, lineLimit = 20 } = {}): Promise<FleetLook> {
    return this.store.look(member?.id, { q, limit, lineLimit });
  }

  /** What all keys hold. */
  async contents(): Promise<unknown> {
    return Promise.all((await this.keys()).map(async (key) => [key, await this.admin.dumpBuffer(this.key(key))]));
  }

  key(name: string): string {
    return `{${this.prefix}}:${name}`;
  }

  /** The names of all keys, without the prefix. */
  async keys(): Promise<string[]> {
    const found = await this.admin.keys(`{${this.prefix}}:*`);
    return found.map((key) => key.slice(this.key('').length)).sort();
  }

  /** Lets time pass for the store, without a call. A negative time sets its clock back. */
  pass(ms: number): Promise<void> {
    return passInRedis(this.admin, this.prefix, ms);
  }

  /** Lets time pass, in which these sessions beat and no other does. */
  async passWithBeats(ms: number, ...members: readonly Member[]): Promise<void> {
    for (let left = ms; left > 0; left -= BEAT_MS) {
      await this.pass(Math.min(left, BEAT_MS));
      for (const member of members) await member.beat();
    }
  }

  /** A session is removed only after a ttl in which the store was in use. */
  async calmDown(...members: readonly Member[]): Promise<void> {
    await this.passWithBeats(TTL_MS, ...members);
  }
}

/** A session, and what it hears. */
export class Member {
  readonly id: string = randomUUID();
  readonly news: LeaseNews[] = [];
  readonly #store: LeaseStore;
  #onNews: () => void = () => {};

  constructor(store: LeaseStore) {
    this.#store = store;
  }

  acquire(slot: string, mode: AskMode = 'wait'): Promise<AskAnswer> {
    return this.#store.acquire(this.id, { slot, mode });
  }

  /** Asks for a slot that must be granted. Returns its fence. */
  async take(slot: string, mode?: AskMode): Promise<bigint> {
    const answer = await this.acquire(slot, mode);
    if (answer.state !== 'granted') throw new Error(`not granted: ${answer.state}`);
    return answer.fence;
  }

  release(slot: string, fence: bigint): Promise<void> {
    return this.#store.release(this.id, { slot, fence, contended: false });
  }

  withdraw(slot: string): Promise<void> {
    return this.#store.withdraw(this.id, slot);
  }

  async beat(...waiting: readonly string[]): Promise<LeasePulse> {
    const pulse = await this.#store.beat(this.id, waiting);
    if (pulse === null) throw new Error('the session is dead');
    return pulse;
  }

  async isDead(): Promise<boolean> {
    return (await this.#store.beat(this.id, [])) === null;
  }

  holdings(slot?: string): Promise<ReadonlyMap<string, bigint>> {
    return this.#store.holdings(this.id, slot);
  }

  end(): Promise<void> {
    return this.#store.end(this.id);
  }

  async listen(broken: () => void = () => {}): Promise<() => void> {
    const hear = (news: LeaseNews): void => {
      this.news.push(news);
      this.#onNews();
    };
    const stop = await this.#store.listen(this.id, hear, broken);
    onTestFinished(stop);
    return stop;
  }

  /** Resolves to all news once there are so many. */
  async heard(count: number): Promise<readonly LeaseNews[]> {
    while (this.news.length < count) {
      await new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
    }
    return this.news;
  }
}
