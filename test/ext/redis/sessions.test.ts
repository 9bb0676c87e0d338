// When a session is gone, and what becomes of what it held.

import { expect, it } from 'vitest';
import { BEAT_MS, type Member, overBothClients, TTL_MS, World } from './world.ts';

overBothClients('a session in Redis', (kind) => {
  const open = () => World.open(kind);

  it('lives while it beats', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    await a.take('s');
    await world.passWithBeats(5 * TTL_MS, a, b);
    expect(await a.beat()).toEqual({ news: [], held: 1, nextMs: null });
  });

  it('is removed by the beat of any other, once its ttl has passed, and its slots go to who waits', async () => {
    const world = await open();
    const [a, b, other] = [await world.join(), await world.join(), await world.join()];
    await world.calmDown(a, b, other);
    await a.take('s');
    await b.acquire('s');
    await b.listen();
    await world.passWithBeats(TTL_MS - BEAT_MS, other, b);
    expect(await a.holdings()).not.toEqual(new Map());
    await world.passWithBeats(2 * BEAT_MS, other, b);
    expect(await b.heard(1)).toMatchObject([{ kind: 'granted', slot: 's' }]);
    expect(await a.isDead()).toBe(true);
    expect(await a.acquire('s')).toEqual({ state: 'dead' });
    expect(await a.holdings()).toEqual(new Map());
    await a.release('s', 1n);
    await a.withdraw('s');
    expect((await b.beat()).held).toBe(1);
  });

  it('is not removed while nobody has: it may beat after its ttl', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    await a.take('s');
    await world.pass(3 * TTL_MS);
    expect(await b.acquire('s')).toMatchObject({ state: 'waiting' });
    expect((await a.beat()).held).toBe(1);
  });

  it('survives steps of the clock of the server, and times without any beat', async () => {
    for (const step of [3_600_000, -3_600_000, TTL_MS / 2, -TTL_MS / 2, 1.1 * TTL_MS]) {
      const world = await open();
      const [a, b] = [await world.join(), await world.join()];
      await world.calmDown(a, b);
      await a.take('s');
      await b.acquire('s');
      await world.pass(step);
      await world.passWithBeats(TTL_MS - 1, b);
      expect((await b.beat('s')).news, `a step of ${step} ms`).toEqual([]);
      expect((await a.beat()).held).toBe(1);
    }
  });

  it('keeps no slots after its death because others live for less than a ttl', async () => {
    const world = await open();
    const a = await world.join();
    await a.take('s');
    const states: string[] = [];
    for (let round = 0; round < 6; round += 1) {
      await world.pass(2 * TTL_MS);
      const other = await world.join();
      states.push((await other.acquire('s', 'try')).state);
      await other.end();
    }
    expect(states).toEqual(['busy', 'busy', 'busy', 'busy', 'granted', 'granted']);
  });

  it('is removed one ttl after a step of the clock, if it does not beat', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    await a.take('s');
    await b.acquire('s');
    await world.pass(3_600_000);
    await b.beat('s');
    const { nextMs } = await b.beat('s');
    expect(nextMs).toBeGreaterThan(TTL_MS - BEAT_MS);
    expect(nextMs).toBeLessThanOrEqual(TTL_MS);
    await world.passWithBeats(TTL_MS, b);
    expect((await b.beat('s')).news).toMatchObject([{ kind: 'granted', slot: 's' }]);
  });

  it('passes its slots on at most a hundred a beat, when it is gone', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    await world.calmDown(a, b);
    const names = Array.from({ length: 250 }, (_, i) => `s${i}`);
    await Promise.all(names.map((name) => a.take(name)));
    await Promise.all(names.map((name) => b.acquire(name)));
    await world.passWithBeats(TTL_MS - BEAT_MS, b);
    await world.pass(BEAT_MS);
    const held: number[] = [];
    for (let i = 0; i < 4; i += 1) held.push((await b.beat()).held);
    expect(held).toEqual([100, 200, 250, 250]);
    expect((await world.keys()).filter((key) => key.includes(a.id))).toEqual([]);
  });

  it('leaves every line when it is gone', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    await world.calmDown(a, b);
    const fence = await a.take('s');
    await b.acquire('s', 'urgent');
    await world.passWithBeats(TTL_MS, a);
    expect((await a.beat()).news).toEqual([]);
    await a.release('s', fence);
    await a.end();
    expect(await world.keys()).toEqual(['clock', 'fence']);
  });

  it('gets a slot whose holder is gone, though its slots are not passed on yet', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    await a.take('s');
    await a.take('t');
    await b.acquire('s');
    await world.admin.zrem(world.key('sessions'), a.id);
    expect((await b.beat('s')).news).toEqual([{ kind: 'orphan', slot: 's' }]);
    expect(await c.acquire('s', 'try'), 'b goes before').toEqual({ state: 'busy' });
    expect((await b.holdings()).has('s')).toBe(true);
    expect(await c.acquire('t', 'try')).toMatchObject({ state: 'granted', contended: false });
  });

  it('is asked to wait behind the first in line, where the holder is gone', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    await a.take('s');
    await b.acquire('s');
    await world.admin.zrem(world.key('sessions'), a.id);
    const answer = await c.acquire('s');
    expect(answer).toEqual({ state: 'waiting', fence: (await b.holdings('s')).get('s') });
    expect((await b.beat()).news).toMatchObject([{ kind: 'contended', slot: 's' }]);
  });
});

overBothClients('a Redis that has forgotten everything', (kind) => {
  const grant = (member: Member) => member.acquire('s', 'try');

  it('knows no session any more', async () => {
    const world = await World.open(kind);
    const a = await world.join();
    await a.take('s');
    await world.admin.del(...(await world.keys()).map((key) => world.key(key)));
    expect(await a.isDead()).toBe(true);
    expect(await a.acquire('s')).toEqual({ state: 'dead' });
    expect(await a.holdings()).toEqual(new Map());
  });

  it('grants nothing for one ttl, as on its first start', async () => {
    const world = await World.open(kind, { quarantine: true });
    const a = await world.join();
    await expect(grant(a)).rejects.toThrow(/^Redis was found empty .* it grants slots in \d+ ms \(quarantine: false/);
    await world.passWithBeats(TTL_MS - BEAT_MS, a);
    await expect(grant(a)).rejects.toThrow('was found empty');
    await world.passWithBeats(BEAT_MS, a);
    expect(await grant(a)).toMatchObject({ state: 'granted' });
  });

  it('grants on where its clock is set back later, however far', async () => {
    const world = await World.open(kind, { quarantine: true });
    const a = await world.join();
    await world.passWithBeats(TTL_MS, a);
    await world.pass(-3_600_000);
    await a.beat();
    expect(await grant(a)).toMatchObject({ state: 'granted' });
  });

  it('grants nothing for the rest of the ttl where its clock is set back meanwhile', async () => {
    const world = await World.open(kind, { quarantine: true });
    const a = await world.join();
    await world.passWithBeats(TTL_MS / 2, a);
    await world.pass(-3_600_000);
    await world.passWithBeats(TTL_MS / 2 - BEAT_MS, a);
    await expect(grant(a)).rejects.toThrow('was found empty');
    await world.passWithBeats(2 * BEAT_MS, a);
    expect(await grant(a)).toMatchObject({ state: 'granted' });
  });

  it('answers calls that came together with one error', async () => {
    const world = await World.open(kind, { quarantine: true });
    const a = await world.join();
    const calls = [a.acquire('x'), a.acquire('y'), a.release('z', 1n)];
    const [x, y, z] = await Promise.allSettled(calls);
    expect(x).toMatchObject({ status: 'rejected', reason: expect.any(Error) });
    expect((x as PromiseRejectedResult).reason).toBe((y as PromiseRejectedResult).reason);
    expect(z?.status).toBe('fulfilled');
    expect(world.store.isPermanent((x as PromiseRejectedResult).reason)).toBe(false);
  });

  it('grants at once without the quarantine', async () => {
    const world = await World.open(kind, { quarantine: false });
    expect(await grant(await world.join())).toMatchObject({ state: 'granted' });
  });
});
