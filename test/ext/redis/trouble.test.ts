// A server that may not be used, that is away, or that does not answer.

import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient } from 'slotvisor/redis';
import { VirtualClock } from 'slotvisor/testing';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { portOf } from '../../../src/ext/redis/client.ts';
import { RedisStore } from '../../../src/ext/redis/store.ts';
import { freshPrefix, ioredisClient, redisUrl, withRedis } from '../../support/redis.ts';
import { RedisServer } from '../../support/redis-server.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import { type ClientKind, clientOf, overBothClients, TTL_MS, World } from './world.ts';

const settings = { ttlMs: TTL_MS, quarantine: false, allowEviction: false };
const storeOf = (client: RedisClient, more: object = {}) =>
  new RedisStore(portOf(client), { ...settings, prefix: freshPrefix(), ...more });

const ignore = (): void => {};

/** The error that `work` rejects with. */
const errorOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => expect.unreachable('it did not fail'),
    (error: Error) => error,
  );

/** A client that may not have connected: node-redis connects only when it is asked to. */
function newClient(kind: ClientKind, url: string): RedisClient {
  if (kind === 'ioredis') return ioredisClient(url);
  const client = createClient({ url });
  client.on('error', () => {});
  onTestFinished(() => {
    if (client.isOpen) client.destroy();
  });
  void client.connect().catch(() => {}); // refused, it tries again
  return client;
}

function as(user: string, password: string): string {
  const url = new URL(redisUrl());
  url.username = user;
  url.password = password;
  return url.href;
}

overBothClients('a Redis that may not be used', (kind) => {
  it.each([
    ['without a password', () => as('', '')],
    ['with a wrong password', () => as('', 'wrong')],
  ])('is an error that lasts: %s', async (_, url) => {
    const store = storeOf(newClient(kind, url()));
    const errors = await Promise.all([
      errorOf(store.open('a', 'host:1', TTL_MS)),
      errorOf(store.listen('a', ignore, ignore)),
    ]);
    for (const error of errors) {
      expect(error.message).toMatch(
        /^Redis refuses the login of the client: check its user and password \((?:NOAUTH|WRONGPASS)/,
      );
      expect(store.isPermanent(error)).toBe(true);
    }
  });

  it.each([
    ['no command', '~* &* +info +@connection'],
    ['no command of the script', '~* &* +evalsha +eval +info +@connection'],
    ['no key', '~other* &* +@all'],
  ])('is an error that lasts: with permission for %s', async (_, rules) => {
    const user = freshPrefix();
    const admin = ioredisClient();
    await admin.call('ACL', ['SETUSER', user, 'on', '>pw', ...rules.split(' ')]);
    onTestFinished(async () => void (await new Redis(redisUrl()).call('ACL', ['DELUSER', user])));
    const store = storeOf(await clientOf(kind, as(user, 'pw')));
    const error = await errorOf(store.open('a', 'host:1', TTL_MS));
    expect(error.message).toMatch(/^the user of the client may not do this: give it the permissions/);
    expect(store.isPermanent(error)).toBe(true);
  });

  it('works with the permissions that the README names', async () => {
    const user = freshPrefix();
    const rules = `~{${user}}* &{${user}}* -@all +@read +@write +@pubsub +@scripting +@connection +time -@dangerous +info`;
    await ioredisClient().call('ACL', ['SETUSER', user, 'on', '>pw', ...rules.split(' ')]);
    onTestFinished(async () => void (await new Redis(redisUrl()).call('ACL', ['DELUSER', user])));
    const store = storeOf(await clientOf(kind, as(user, 'pw')), { prefix: user });
    onTestFinished(await store.listen('a', ignore, ignore));
    for (const id of ['a', 'b', 'c']) await store.open(id, 'host:1', TTL_MS);
    for (const mode of ['wait', 'urgent'] as const)
      for (const id of ['a', 'b', 'c']) await store.acquire(id, { slot: 's', mode });
    for (const id of ['a', 'b', 'c']) {
      await store.beat(id, ['s']);
      await store.holdings(id);
      await store.look(id, { q: '', limit: 50, lineLimit: 20 });
      await store.withdraw(id, 's');
      await store.end(id);
    }
  });
});

overBothClients('a Redis that throws keys away', (kind) => {
  const policies = ['allkeys-lru', 'allkeys-lfu', 'allkeys-random'];
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start();
    return () => server.remove();
  });

  it('is refused, by the name of its policy, as long as it has it', async () => {
    const admin = ioredisClient(server.url());
    const client = await clientOf(kind, server.url());
    const store = storeOf(client, { prefix: 'p' });
    for (const policy of policies) {
      await admin.config('SET', 'maxmemory-policy', policy);
      const error = await errorOf(store.open('a', 'host:1', TTL_MS));
      expect(error.message).toContain(`maxmemory-policy ${policy} `);
      expect(store.isPermanent(error)).toBe(true);
      await storeOf(client, { prefix: 'p', allowEviction: true }).open('a', 'host:1', TTL_MS);
    }
    for (const policy of ['noeviction', 'volatile-lru', 'volatile-ttl']) {
      await admin.config('SET', 'maxmemory-policy', policy);
      await store.open('a', 'host:1', TTL_MS);
    }
  });

  it('keeps every key under a volatile policy, since none has a time to live', async () => {
    const world = await World.open(kind);
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    await a.take('s');
    await b.acquire('s');
    await b.acquire('s', 'urgent');
    await c.acquire('s', 'urgent');
    const keys = await world.keys();
    expect(keys.length).toBeGreaterThan(8);
    for (const key of keys) expect(await world.admin.ttl(world.key(key)), key).toBe(-1);
  });
});

overBothClients('a Redis in cluster mode', (kind) => {
  it('is refused', async () => {
    const server = await RedisServer.start({ flags: ['--cluster-enabled', 'yes'] });
    try {
      const store = storeOf(await clientOf(kind, server.url()), { prefix: 'p' });
      const error = await errorOf(store.open('a', 'host:1', TTL_MS));
      expect(error.message).toMatch(/^Redis runs as a cluster: give a client/);
      expect(store.isPermanent(error)).toBe(true);
    } finally {
      await server.remove();
    }
  });
});

overBothClients('the script', (kind) => {
  it('is sent again after Redis has forgotten it', async () => {
    const world = await World.open(kind);
    const a = await world.join();
    await world.admin.script('FLUSH');
    const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
    await Promise.all(names.map((name) => a.take(name)));
    expect((await a.beat()).held).toBe(20);
  });
});

/** The connections of other tests are not to be killed. */
async function ownServer(): Promise<{ readonly url: string }> {
  const server = await RedisServer.start();
  onTestFinished(() => server.remove());
  return { url: server.url() };
}

overBothClients('a connection that is lost', (kind) => {
  it('is reported once the news come again', async () => {
    const { url } = await ownServer();
    const world = await World.open(kind, { url });
    const [a, b] = [await world.join(), await world.join()];
    let onBroken: () => void = () => {};
    const broken = new Promise<void>((resolve) => {
      onBroken = resolve;
    });
    await a.listen(() => onBroken());
    await a.take('s');
    await world.admin.call('CLIENT', ['KILL', 'TYPE', 'pubsub']);
    await broken;
    await b.acquire('s');
    expect(await a.heard(1)).toMatchObject([{ kind: 'contended', slot: 's' }]);
  });

  it('does not hear what makes no sense', async () => {
    const world = await World.open(kind);
    const [a, b] = [await world.join(), await world.join()];
    await a.listen();
    for (const text of ['', 'g', 'g x 0 s', 'x y s']) await world.admin.publish(`${world.key('to')}:${a.id}`, text);
    await a.take('s');
    await b.acquire('s');
    expect(await a.heard(1)).toMatchObject([{ kind: 'contended', slot: 's' }]);
  });

  it('is closed when no session listens any more, and nothing is heard then', async () => {
    const world = await World.open(kind);
    const a = await world.join();
    const stop = await a.listen();
    const channel = `${world.key('to')}:${a.id}`;
    const listeners = async () => ((await world.admin.pubsub('NUMSUB', channel)) as unknown[])[1];
    expect(await listeners()).toBe(1);
    stop();
    stop();
    await expect.poll(listeners).toBe(0);
  });
});

overBothClients('a Redis that does not answer', (kind) => {
  it('is an error within the time of each call, which may pass', async () => {
    const proxy = await TcpProxy.start(redisUrl());
    onTestFinished(() => proxy.close());
    const ttlMs = 600;
    const store = storeOf(await clientOf(kind, proxy.url), { ttlMs });
    await store.open('a', 'host:1', ttlMs);
    proxy.stall(true);
    const started = performance.now();
    const limits = [
      [ttlMs / 6, store.beat('a', [])],
      [ttlMs / 2, store.acquire('a', { slot: 's', mode: 'wait' })],
      [ttlMs / 2, store.release('a', { slot: 's', fence: 1n, contended: false })],
      [ttlMs / 2, store.withdraw('a', 's')],
      [ttlMs, store.holdings('a')],
      [ttlMs, store.look('a', { q: '', limit: 50, lineLimit: 20 })],
      [ttlMs, store.end('a')],
      [ttlMs, store.open('a', 'host:1', ttlMs)],
      [ttlMs, store.listen('a', ignore, ignore)],
    ] as const;
    await Promise.all(
      limits.map(async ([ms, call]) => {
        const error = await errorOf(call);
        expect(error.message).toMatch(/^Redis has not answered within \d+ ms/);
        expect(performance.now() - started).toBeGreaterThanOrEqual(ms - 5); // a timer may be early
        expect(store.isPermanent(error)).toBe(false);
      }),
    );
    proxy.stall(false);
    await store.open('a', 'host:1', ttlMs); // the late answers have done no harm
  });

  it('is an error that may pass where it is away', async () => {
    const proxy = await TcpProxy.start(redisUrl());
    onTestFinished(() => proxy.close());
    const store = storeOf(await clientOf(kind, proxy.url), { ttlMs: 600 });
    proxy.cut(true);
    expect(store.isPermanent(await errorOf(store.beat('a', [])))).toBe(false);
    expect(store.isPermanent(await errorOf(store.listen('a', ignore, ignore)))).toBe(false);
    proxy.cut(false);
    await expect.poll(() => store.beat('a', []).catch(() => 'away')).toBeNull();
  });
});

withRedis('a client that is not connected', () => {
  it('is an error that says so, with node-redis', async () => {
    const client = createClient({ url: redisUrl() });
    const store = storeOf(client);
    const error = await errorOf(store.open('a', 'host:1', TTL_MS));
    expect(error.message).toContain('await client.connect()');
    expect(store.isPermanent(error)).toBe(true);
    await client.connect();
    await store.open('a', 'host:1', TTL_MS);
    client.destroy();
    expect(store.isPermanent(await errorOf(store.beat('a', [])))).toBe(true);
  });

  it('connects by itself, or is an error once it was closed, with ioredis', async () => {
    const client = new Redis(redisUrl(), { lazyConnect: true });
    const store = storeOf(client);
    await store.open('a', 'host:1', TTL_MS);
    const ended = new Promise((resolve) => client.once('end', resolve));
    await client.quit();
    await ended;
    const error = await errorOf(store.beat('a', []));
    expect(error.message).toContain('has been closed');
    expect(store.isPermanent(error)).toBe(true);
  });

  it('listens with a client of ioredis that takes no command while it connects, or subscribes once', async () => {
    const { url } = await ownServer();
    const client = new Redis(url, { enableOfflineQueue: false, autoResubscribe: false });
    onTestFinished(() => client.disconnect());
    await new Promise((resolve) => client.once('ready', resolve));
    const store = storeOf(client);
    let onBroken: () => void = () => {};
    const broken = new Promise<void>((resolve) => {
      onBroken = resolve;
    });
    const heard = new Promise<unknown>((resolve) => {
      void store.listen('a', resolve, () => onBroken()).then(onTestFinished);
    });
    await store.open('a', 'host:1', TTL_MS);
    await store.open('b', 'host:1', TTL_MS);
    await expect.poll(async () => ((await client.pubsub('CHANNELS', '*:a')) as unknown[]).length).toBe(1);
    await client.call('CLIENT', ['KILL', 'TYPE', 'pubsub']);
    await broken;
    await store.acquire('a', { slot: 's', mode: 'wait' });
    await store.acquire('b', { slot: 's', mode: 'wait' });
    expect(await heard).toMatchObject({ kind: 'contended', slot: 's' });
  });

  it('may have a prefix of its own before keys, with ioredis', async () => {
    const client = new Redis(redisUrl(), { keyPrefix: 'app:' });
    onTestFinished(() => client.disconnect());
    const prefix = freshPrefix();
    const store = storeOf(client, { prefix });
    const heard = new Promise<unknown>((resolve) => void store.listen('a', resolve, () => {}).then(onTestFinished));
    await store.open('a', 'host:1', TTL_MS);
    await store.open('b', 'host:1', TTL_MS);
    await store.acquire('a', { slot: 's', mode: 'wait' });
    await expect.poll(async () => ((await client.pubsub('CHANNELS', `{${prefix}}*`)) as unknown[]).length).toBe(1);
    await store.acquire('b', { slot: 's', mode: 'wait' });
    expect(await heard).toMatchObject({ kind: 'contended', slot: 's' });
    expect(await ioredisClient().exists(`app:{${prefix}}:slot:s`)).toBe(1);
  });
});

it('a connection for news that cannot be used is closed', async () => {
  let closed = 0;
  const port = {
    send: () => Promise.reject(new Error('unused')),
    dial: () => ({
      subscribe: () => Promise.reject(new Error('refused')),
      close: () => {
        closed += 1;
      },
    }),
  };
  const store = new RedisStore(port, { ...settings, prefix: 'p' });
  await expect(store.listen('a', ignore, ignore)).rejects.toThrow('refused');
  expect(closed).toBe(1);
});

it('a connection for news that was closed passes on nothing that comes late', async () => {
  let late = ignore;
  const port = {
    send: () => Promise.reject(new Error('unused')),
    dial: () => ({
      subscribe: async (_: string, hear: (message: string) => void, broken: () => void) => {
        late = () => {
          hear('o s');
          broken();
        };
      },
      close: ignore,
    }),
  };
  const store = new RedisStore(port, { ...settings, prefix: 'p' });
  const heard: unknown[] = [];
  const stop = await store.listen(
    'a',
    (news) => heard.push(news),
    () => heard.push('broken'),
  );
  late();
  stop();
  late();
  expect(heard).toEqual([{ kind: 'orphan', slot: 's' }, 'broken']);
});

it('a call that is not answered takes its limit from the clock that is given', async () => {
  const clock = new VirtualClock();
  const port = { send: () => new Promise(ignore), dial: () => expect.unreachable() };
  const store = new RedisStore(port, { ...settings, prefix: 'p', clock });
  const failed = expect(store.beat('a', [])).rejects.toThrow(`Redis has not answered within ${TTL_MS / 6} ms (beat)`);
  await clock.advance(TTL_MS / 6);
  await failed;
  expect(clock.timers).toBe(0);
});
