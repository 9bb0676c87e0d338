// Every grant of a slot has a greater fence than the one before it.

import { expect, it } from 'vitest';
import { RedisServer } from '../../support/redis-server.ts';
import { overBothClients, World } from './world.ts';

overBothClients('the fences of Redis', (kind) => {
  it('grow over releases, repeated asks, hand-overs and ends', async () => {
    const world = await World.open(kind);
    const [a, b] = [await world.join(), await world.join()];
    const fences: bigint[] = [];
    for (let i = 0; i < 20; i += 1) {
      const fence = await a.take('s');
      await b.acquire('s');
      await a.release('s', fence);
      const next = (await b.holdings()).get('s') as bigint;
      await b.release('s', next);
      fences.push(fence, next, await a.take('s', 'try'), await a.take('s', 'try'));
      await a.release('s', fences.at(-1) as bigint);
    }
    expect(fences).toEqual([...fences].sort((x, y) => (x < y ? -1 : 1)));
    expect(new Set(fences).size).toBe(fences.length);
  });

  it('differ where one script grants many slots', async () => {
    const world = await World.open(kind);
    const a = await world.join();
    const fences = await Promise.all(Array.from({ length: 300 }, (_, i) => a.take(`s${i}`)));
    expect(new Set(fences).size).toBe(300);
  });

  it('grow when Redis has forgotten everything', async () => {
    const world = await World.open(kind);
    const before = await (await world.join()).take('s');
    await world.admin.del(...(await world.keys()).map((key) => world.key(key)));
    expect((await (await world.join()).take('s')) > before).toBe(true);
  });

  it('grow when a server without persistence was started again', async () => {
    const server = await RedisServer.start({ flags: ['--appendonly', 'no'] });
    try {
      const before = await (await (await World.open(kind, { url: server.url() })).join()).take('s');
      await server.stop('immediate');
      await server.start();
      const world = await World.open(kind, { url: server.url() });
      expect(await world.keys()).toEqual([]);
      expect((await (await world.join()).take('s')) > before).toBe(true);
    } finally {
      await server.remove();
    }
  });

  it('grow by one while the clock of the server is behind them, also above 2^53', async () => {
    const world = await World.open(kind);
    const a = await world.join();
    const last = 2n ** 53n + 1n;
    await world.admin.set(world.key('fence'), `${last}`);
    const first = await a.take('s');
    expect(first).toBe(last + 1n);
    expect(await a.take('s')).toBe(last + 2n);
    await a.release('s', last + 1n);
    expect((await a.holdings()).get('s')).toBe(last + 2n);
    await a.release('s', last + 2n);
    expect(await a.holdings()).toEqual(new Map());
  });
});
