// Each date of a schedule is claimed once.

import { redisClaims } from 'slotvisor/redis';
import { expect, it, onTestFinished } from 'vitest';
import { freshPrefix, ioredisClient, redisUrl, withRedis } from '../../support/redis.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { clientOf, overBothClients } from './world.ts';

const date = (ms: number): Date => new Date(ms);

overBothClients('claims in Redis', (kind) => {
  it('give each of a hundred dates to one of several processes', async () => {
    const prefix = freshPrefix();
    const processes = await Promise.all([1, 2, 3].map(async () => redisClaims(await clientOf(kind), { prefix })));
    const winners = new Map<number, number>();
    for (let ms = 0; ms < 100; ms += 1) {
      const won = await Promise.all(processes.map((claims) => claims.claim('report', date(ms))));
      expect(won.filter(Boolean)).toHaveLength(1);
      winners.set(won.indexOf(true), 1 + (winners.get(won.indexOf(true)) ?? 0));
    }
    expect([...winners.values()].reduce((sum, count) => sum + count, 0)).toBe(100);
  });

  it('give a date to one of two who run through the dates at their own pace', async () => {
    const prefix = freshPrefix();
    const owners = new Map<number, number>();
    const run = async (who: number): Promise<void> => {
      const claims = redisClaims(await clientOf(kind), { prefix });
      for (let ms = 0; ms < 100; ms += 1)
        if (await claims.claim('report', date(ms))) {
          expect(owners.has(ms)).toBe(false);
          owners.set(ms, who);
        }
    };
    await Promise.all([run(1), run(2)]);
    expect(owners.size).toBe(100);
  });

  it('give a date once, also one that is earlier than the last', async () => {
    const claims = redisClaims(await clientOf(kind), { prefix: freshPrefix() });
    expect(await claims.claim('report', date(2_000))).toBe(true);
    expect(await claims.claim('report', date(2_000))).toBe(false);
    expect(await claims.claim('report', date(1_000))).toBe(true);
    expect(await claims.claim('report', date(1_000))).toBe(false);
    expect(await claims.last('report')).toEqual(date(2_000));
  });

  it('keep the latest 1,000 dates, and count older ones as claimed', async () => {
    const prefix = freshPrefix();
    const claims = redisClaims(await clientOf(kind), { prefix });
    for (let ms = 1; ms <= 1_001; ms += 1) await claims.claim('report', date(ms));
    expect(await ioredisClient().zcard(`{${prefix}}:claim:report`)).toBe(1_000);
    for (const ms of [1, 0, -1]) expect(await claims.claim('report', date(ms))).toBe(false);
    expect(await claims.claim('report', date(1_002))).toBe(true);
  });

  it('know the last date of each schedule, also one before 1970 and the last of all', async () => {
    const claims = redisClaims(await clientOf(kind), { prefix: freshPrefix() });
    expect(await claims.last('report')).toBeUndefined();
    for (const ms of [-8.64e15, -1_000, 0, 8.64e15]) {
      expect(await claims.claim('report', date(ms))).toBe(true);
      expect(await claims.last('report')).toEqual(date(ms));
    }
    expect(await claims.last('other')).toBeUndefined();
  });

  it('keep one key a schedule, without a time to live', async () => {
    const prefix = freshPrefix();
    const claims = redisClaims(await clientOf(kind), { prefix });
    for (const name of ['a', 'b c', '{a}']) for (const ms of [1, 2, 3]) await claims.claim(name, date(ms));
    const admin = ioredisClient();
    const keys = await admin.keys(`{${prefix}}*`);
    expect(keys.sort()).toEqual(['a', 'b c', '{a}'].map((name) => `{${prefix}}:claim:${name}`).sort());
    for (const key of keys) expect(await admin.ttl(key)).toBe(-1);
  });

  it('refuse names and dates that cannot be kept, and keep nothing of them', async () => {
    const prefix = freshPrefix();
    const claims = redisClaims(await clientOf(kind), { prefix });
    for (const name of ['', 'a\0b', 'a\ud800'])
      await expect(claims.claim(name, date(1))).rejects.toThrow(/^schedule must/);
    await expect(claims.last('a\ud800')).rejects.toThrow(/^schedule must/);
    await expect(claims.claim('report', date(NaN))).rejects.toThrow(/^due must be a valid Date/);
    expect(await ioredisClient().keys(`*${prefix}*`)).toEqual([]);
  });
});

withRedis('a claim whose answer was lost', () => {
  it('has the same answer when it is repeated, and no other caller has it', async () => {
    const proxy = await TcpProxy.start(redisUrl());
    onTestFinished(() => proxy.close());
    const client = ioredisClient(proxy.url);
    client.options.autoResendUnfulfilledCommands = false;
    const prefix = freshPrefix();
    const key = `{${prefix}}:claim:report`;
    const claims = redisClaims(client, { prefix });
    await claims.claim('report', date(1));

    // Redis does it, and the connection breaks before the answer.
    const send = client.call.bind(client) as (...args: unknown[]) => Promise<unknown>;
    client.call = (async (...args: unknown[]) => {
      await send(...args);
      throw new Error('the connection is lost');
    }) as never;
    await expect(claims.claim('report', date(2))).rejects.toThrow('the connection is lost');
    client.call = send as never;
    expect((await ioredisClient().zrange(key, '-1', '-1'))[0]).toMatch(/^2 /);

    expect(await redisClaims(ioredisClient(), { prefix }).claim('report', date(2))).toBe(false);
    expect(await claims.claim('report', date(2))).toBe(true);
    expect(await claims.claim('report', date(2))).toBe(false);
  });

  it('is no claim of another date', async () => {
    const client = ioredisClient();
    const claims = redisClaims(client, { prefix: freshPrefix() });
    const send = client.call.bind(client) as (...args: unknown[]) => Promise<unknown>;
    client.call = (async (command: string, ...rest: unknown[]) => {
      if (command !== 'INFO') throw new Error('away');
      return send(command, ...rest);
    }) as never;
    await expect(claims.claim('report', date(1))).rejects.toThrow('away');
    client.call = send as never;
    expect(await claims.claim('report', date(2))).toBe(true);
    expect(await claims.claim('report', date(2))).toBe(false);
  });
});
