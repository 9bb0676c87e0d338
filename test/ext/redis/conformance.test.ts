import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { type LeaseWorld, leaseConformance } from 'slotvisor/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { portOf } from '../../../src/ext/redis/client.ts';
import { RedisStore } from '../../../src/ext/redis/store.ts';
import { redisUrl, withRedis } from '../../support/redis.ts';

const ttlMs = 3_000;
/** What stays for good: the clock, the last fence, and the last place in line. */
const KEPT = ['clock', 'fence', 'seq'];

withRedis('the store in Redis', () => {
  const prefixes: string[] = [];
  let ioredis: Redis;
  let nodeRedis: Awaited<ReturnType<typeof connect>>;
  const connect = () => createClient({ url: redisUrl() }).connect();

  beforeAll(async () => {
    ioredis = new Redis(redisUrl());
    nodeRedis = await connect();
  });
  afterAll(async () => {
    for (const prefix of prefixes) await ioredis.unlink(await ioredis.keys(`{${prefix}}:*`));
    await Promise.all([ioredis.quit(), nodeRedis.close()]); // once what is under way is answered
  });

  const clients = { ioredis: () => ioredis, 'node-redis': () => nodeRedis };
  describe.concurrent.each(Object.entries(clients))('over %s', (_, client) => {
    async function open(): Promise<LeaseWorld> {
      const prefix = `slotvisor-${randomBytes(6).toString('hex')}`;
      prefixes.push(prefix);
      const settings = { prefix, ttlMs, quarantine: false, allowEviction: false };
      return {
        store: () => new RedisStore(portOf(client()), settings),
        isEmpty: async () => {
          const keys = await ioredis.keys(`{${prefix}}:*`);
          return keys.every((key) => KEPT.some((name) => key.endsWith(`:${name}`)));
        },
        close: async () => {},
      };
    }
    for (const { rule, name, run } of leaseConformance({ open, ttlMs })) test(`${rule}: ${name}`, run);
  });
});
