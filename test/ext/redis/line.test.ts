// In which order a slot goes round.

import type { LeaseNews } from 'slotvisor/fleet';
import { expect, it } from 'vitest';
import { BEAT_MS, type Member, overBothClients, TTL_MS, World } from './world.ts';

overBothClients('the line of a slot in Redis', (kind) => {
  const open = (count: number) => World.open(kind).then((world) => joinMany(world, count));

  async function joinMany(world: World, count: number): Promise<{ world: World; members: Member[] }> {
    const members: Member[] = [];
    for (let i = 0; i < count; i += 1) members.push(await world.join());
    return { world, members };
  }

  /** The members in the order in which they get the slot, each giving it back at once. */
  async function round(members: readonly Member[]): Promise<number[]> {
    const order: number[] = [];
    for (;;) {
      const held = await Promise.all(members.map(async (member) => (await member.holdings('s')).get('s')));
      const holder = held.findIndex((fence) => fence !== undefined);
      if (holder < 0) return order;
      order.push(holder);
      await members[holder]?.release('s', held[holder] as bigint);
    }
  }

  it('is the order of arrival', async () => {
    const { members } = await open(5);
    await members[0]?.take('s');
    for (const i of [3, 1, 4, 2]) await members[i]?.acquire('s');
    expect(await round(members)).toEqual([0, 3, 1, 4, 2]);
  });

  it('keeps the place of a session that asks again', async () => {
    const { members } = await open(3);
    await members[0]?.take('s');
    for (const i of [1, 2, 1]) await members[i]?.acquire('s');
    expect(await round(members)).toEqual([0, 1, 2]);
  });

  it('is passed by a replacement, and keeps its order', async () => {
    const { members } = await open(4);
    await members[0]?.take('s');
    for (const i of [1, 2]) await members[i]?.acquire('s');
    await members[3]?.acquire('s', 'urgent');
    expect(await round(members)).toEqual([0, 3, 1, 2]);
  });

  it('has one place for a session that waits and becomes a replacement', async () => {
    const { members } = await open(3);
    await members[0]?.take('s');
    await members[1]?.acquire('s');
    await members[2]?.acquire('s');
    await members[2]?.acquire('s', 'urgent');
    await members[2]?.acquire('s', 'wait'); // stays a replacement
    expect(await round(members)).toEqual([0, 2, 1]);
  });

  it('has one replacement: a later one of another session takes its place', async () => {
    const { members } = await open(3);
    const [a, b, c] = members as [Member, Member, Member];
    const superseded: LeaseNews = { kind: 'superseded', slot: 's' };
    await b.listen();
    await a.take('s');
    await b.acquire('s', 'urgent');
    await b.acquire('s', 'urgent'); // takes its own place
    await c.acquire('s', 'urgent');
    expect(await b.heard(1)).toEqual([superseded]);
    expect((await b.beat('s')).news).toEqual([superseded]);
    expect((await c.beat('s')).news).toEqual([]);
    expect(await round(members)).toEqual([0, 2]);
    expect((await b.beat('s')).news, 'also when the later one has had the slot').toEqual([superseded]);
  });

  it('lets a superseded session ask again', async () => {
    const { members } = await open(3);
    const [a, b, c] = members as [Member, Member, Member];
    await a.take('s');
    await b.acquire('s', 'urgent');
    await c.acquire('s', 'urgent');
    await b.acquire('s');
    expect((await b.beat('s')).news).toEqual([]);
    expect(await round(members)).toEqual([0, 2, 1]);
  });

  it('forgets that a session was superseded once it does not wait any more', async () => {
    const { world, members } = await open(3);
    const [a, b, c] = members as [Member, Member, Member];
    await a.take('s');
    await b.acquire('s', 'urgent');
    await c.acquire('s', 'urgent');
    await b.beat('s');
    expect(await world.keys()).toContain(`waits:${b.id}`);
    await b.beat();
    expect(await world.keys()).not.toContain(`waits:${b.id}`);
  });

  it('asks a session that has no place, though it waits, to ask again', async () => {
    const { members } = await open(2);
    const [a, b] = members as [Member, Member];
    await a.take('s');
    expect((await b.beat('s')).news).toEqual([{ kind: 'orphan', slot: 's' }]);
  });

  it('tells by a beat of a grant whose news were lost', async () => {
    const { members } = await open(2);
    const [a, b] = members as [Member, Member];
    const fence = await a.take('s');
    await b.acquire('s');
    await a.release('s', fence);
    const granted = (await b.holdings()).get('s') as bigint;
    expect(await b.beat('s')).toEqual({
      news: [{ kind: 'granted', slot: 's', fence: granted, contended: false }],
      held: 1,
      nextMs: null,
    });
  });

  it('has no place for a session that is gone', async () => {
    const { members } = await open(4);
    await members[0]?.take('s');
    await members[1]?.acquire('s', 'urgent');
    await members[2]?.acquire('s');
    await members[3]?.acquire('s');
    await members[1]?.end();
    await members[2]?.end();
    expect(await round([members[0], members[3]] as Member[])).toEqual([0, 1]);
  });

  it('puts sessions last that have missed beats', async () => {
    const { world, members } = await open(4);
    const [a, urgent, late, fresh] = members as [Member, Member, Member, Member];
    await a.take('s');
    await urgent.acquire('s', 'urgent');
    await late.acquire('s');
    await fresh.acquire('s');
    await world.passWithBeats(TTL_MS / 2, a, fresh, late);
    await world.pass(TTL_MS / 2); // a gap, so no session is removed
    await a.beat();
    await fresh.beat();
    expect(await round(members)).toEqual([0, 3, 1, 2]);
  });

  it('says when the first holder expires for whom a session waits', async () => {
    const { world, members } = await open(3);
    const [a, b, c] = members as [Member, Member, Member];
    await a.take('x');
    await c.take('y');
    for (const slot of ['x', 'y']) await b.acquire(slot);
    await world.passWithBeats(TTL_MS, a, b, c);
    await world.passWithBeats(2 * BEAT_MS, a, b);
    const { nextMs } = await b.beat('x', 'y');
    expect(nextMs).toBeGreaterThan(TTL_MS - 2.5 * BEAT_MS);
    expect(nextMs).toBeLessThanOrEqual(TTL_MS - 2 * BEAT_MS);
    expect((await b.beat('x')).nextMs).toBeGreaterThan(TTL_MS - 1.5 * BEAT_MS);
    expect((await b.beat()).nextMs).toBeNull();
  });
});
