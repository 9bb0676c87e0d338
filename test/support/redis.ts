// The Redis of the test run, for one test: clients of both kinds, and a prefix of its own.

import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, inject, it, onTestFinished } from 'vitest';

const LEFT_OUT = 'is left out: this run has no Redis (install redis-server, or set REDIS_URL)';

/** `describe` for tests that need Redis. Where there is none, one test says so. */
export function withRedis(name: string, tests: () => void): void {
  describe(name, inject('redisUrl') === undefined ? () => it(LEFT_OUT, () => {}) : tests);
}

export function redisUrl(): string {
  const url = inject('redisUrl');
  if (url === undefined)
    throw new Error('this run has no Redis: use withRedis, in a test file named in test/servers.ts');
  return url;
}

/** A client by `ioredis`, closed after the test. */
export function ioredisClient(url = redisUrl()): Redis {
  const client = new Redis(url);
  client.on('error', () => {}); // it connects again; without a listener it prints
  onTestFinished(() => client.disconnect());
  return client;
}

/** A connected client by `redis`, closed after the test. */
export async function nodeRedisClient(url = redisUrl()) {
  const client = createClient({ url });
  client.on('error', () => {}); // it connects again; without a listener it ends the process
  onTestFinished(() => {
    if (client.isOpen) client.destroy();
  });
  return client.connect();
}

/** A prefix that no other test has. Keys whose name contains it are deleted after the test. */
export function freshPrefix(): string {
  const prefix = `slotvisor-${randomBytes(6).toString('hex')}`;
  onTestFinished(async () => {
    const client = new Redis(redisUrl());
    for await (const keys of client.scanStream({ match: `*${prefix}*` }))
      if (keys.length > 0) await client.unlink(keys);
    client.disconnect();
  });
  return prefix;
}
