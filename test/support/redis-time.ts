// The time that a store in Redis keeps.

import type { Redis } from 'ioredis';

/** Lets time pass for the store, without a call. A negative time sets its clock back. */
export async function passInRedis(client: Redis, prefix: string, ms: number): Promise<void> {
  const script = `
    for _, id in ipairs(redis.call('ZRANGE', KEYS[1] .. 'sessions', 0, -1)) do
      redis.call('ZINCRBY', KEYS[1] .. 'sessions', -ARGV[1], id)
    end
    for _, field in ipairs({'seen', 'born'}) do
      if redis.call('HEXISTS', KEYS[1] .. 'clock', field) == 1 then
        redis.call('HINCRBY', KEYS[1] .. 'clock', field, -ARGV[1])
      end
    end`;
  await client.eval(script, 1, `{${prefix}}:`, Math.round(ms));
}
