// What each operation of the store does.

import { expect, it } from 'vitest';
import { overBothClients, TTL_MS, World } from './world.ts';

overBothClients('the store in Redis', (kind) => {
  const open = () => World.open(kind);

  it('grants a free slot', async () => {
    const world = await open();
    const a = await world.join();
    for (const mode of ['try', 'wait', 'urgent'] as const)
      expect(await a.acquire(mode, mode)).toEqual({ state: 'granted', fence: expect.any(BigInt), contended: false });
    expect([...(await a.holdings()).keys()].sort()).toEqual(['try', 'urgent', 'wait']);
  });

  it('answers with the fence of the holder where the asker waits in line', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    const fence = await a.take('s');
    expect(await b.acquire('s', 'try')).toEqual({ state: 'busy' });
    expect(await b.acquire('s', 'wait')).toEqual({ state: 'waiting', fence });
    expect(await b.acquire('s', 'urgent')).toEqual({ state: 'waiting', fence });
  });

  it('enters nobody in line for `try`', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    const fence = await a.take('s');
    await b.acquire('s', 'try');
    await a.release('s', fence);
    expect(await world.keys()).not.toContain('slot:s');
  });

  it('grants a slot again to its holder, with a greater fence, in every mode and before the line', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    let fence = await a.take('s');
    await b.acquire('s', 'urgent');
    for (const mode of ['try', 'wait', 'urgent'] as const) {
      const answer = await a.acquire('s', mode);
      expect(answer).toEqual({ state: 'granted', fence: expect.any(BigInt), contended: true });
      const next = (await a.holdings('s')).get('s') as bigint;
      expect(answer).toMatchObject({ fence: next });
      expect(next > fence).toBe(true);
      fence = next;
    }
    expect((await a.beat()).held).toBe(1);
  });

  it('gives a released slot to the first in line, who hears of it', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    await b.listen();
    const fence = await a.take('s');
    await b.acquire('s');
    await c.acquire('s');
    await a.release('s', fence);
    const granted = (await b.holdings('s')).get('s') as bigint;
    expect(await b.heard(1)).toEqual([{ kind: 'granted', slot: 's', fence: granted, contended: true }]);
    expect(await a.holdings()).toEqual(new Map());
  });

  it('changes nothing by a release with another fence or of another session', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    const fence = await a.take('s');
    await a.release('s', fence + 1n);
    await b.release('s', fence);
    expect(await a.holdings()).toEqual(new Map([['s', fence]]));
    await a.release('s', fence);
    await a.release('s', fence);
    expect(await a.holdings()).toEqual(new Map());
  });

  it('asks the holder once to make way, and once more when a replacement waits', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    await a.listen();
    const fence = await a.take('s');
    await b.acquire('s');
    await b.acquire('s');
    expect((await a.beat()).news).toEqual([{ kind: 'contended', slot: 's', fence }]);
    await c.acquire('s');
    await c.acquire('s', 'urgent');
    expect(await a.heard(2)).toEqual([
      { kind: 'contended', slot: 's', fence },
      { kind: 'revoked', slot: 's', fence },
    ]);
    expect((await a.beat()).news).toEqual([{ kind: 'revoked', slot: 's', fence }]);
  });

  it('tells a session that got a slot for which a replacement waits', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    await a.take('s');
    await b.acquire('s');
    await c.acquire('s', 'urgent');
    await world.pass(TTL_MS / 2); // the replacement has missed beats
    await a.beat();
    await b.beat('s');
    await b.listen();
    await a.end();
    const [granted, revoked] = await b.heard(2);
    expect(granted).toMatchObject({ kind: 'granted', contended: true });
    expect(revoked).toMatchObject({ kind: 'revoked', slot: 's' });
  });

  it('passes a slot on that was granted to a session before it withdrew', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    const fence = await a.take('s');
    await b.acquire('s');
    await c.acquire('s');
    await a.release('s', fence);
    await b.withdraw('s');
    expect((await c.holdings()).has('s')).toBe(true);
  });

  it('leaves the line by a withdrawal, and then wants the slot of its holder no more', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    const fence = await a.take('s');
    await b.acquire('s');
    await c.acquire('s', 'urgent');
    await c.withdraw('s');
    expect((await a.beat()).news).toEqual([{ kind: 'contended', slot: 's', fence }]);
    await b.withdraw('s');
    await b.withdraw('s');
    expect((await a.beat()).news).toEqual([]);
    expect(await a.acquire('s')).toMatchObject({ contended: false });
  });

  it('shows all holdings, or one', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    const held = new Map([
      ['x', await a.take('x')],
      ['y', await a.take('y')],
    ]);
    await b.take('z');
    expect(await a.holdings()).toEqual(held);
    expect(await a.holdings('y')).toEqual(new Map([['y', held.get('y')]]));
    expect(await a.holdings('z')).toEqual(new Map());
    expect(await a.holdings('free')).toEqual(new Map());
  });

  it('looks at the fleet without the sessions that are gone, as holders and in line', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    const fence = await a.take('s');
    for (const member of [b, c]) await member.acquire('s');
    for (const id of [a.id, b.id]) {
      // as a beat of another session does, before it passes on what they had
      await world.admin.zrem(world.key('sessions'), id);
      await world.admin.hdel(world.key('names'), id);
      await world.admin.sadd(world.key('dead'), id);
    }
    const { processes, slots } = await world.look(a);
    expect(processes).toHaveLength(1);
    expect(slots).toEqual([{ slot: 's', isOurs: false, fence, line: ['host:1'], waiting: 1 }]);
    await c.beat('s');
    expect((await world.look(c)).slots).toMatchObject([{ slot: 's', isOurs: true, holder: 'host:1', waiting: 0 }]);
  });

  it('looks at a line behind sessions that are gone', async () => {
    const world = await open();
    const all = await Promise.all(Array.from({ length: 6 }, () => world.join()));
    await all[0]?.take('s');
    for (const member of all.slice(1)) await member.acquire('s');
    for (const { id } of all.slice(1, 4)) {
      await world.admin.zrem(world.key('sessions'), id);
      await world.admin.sadd(world.key('dead'), id);
    }
    const [slot] = (await world.look(all[0], { lineLimit: 2 })).slots;
    expect([slot?.line, slot?.waiting]).toEqual([['host:1', 'host:1'], 2]);
  });

  it('looks at the fleet by reads alone, and leaves out what is given back meanwhile', async () => {
    const world = await open();
    const a = await world.join();
    for (const slot of ['x', 'y', 'z']) await a.take(slot);
    await world.admin.del(world.key('slot:y')); // given back between two calls
    const before = await world.contents();
    const { slots, more } = await world.look(a, { limit: 3 });
    expect([slots.map(({ slot }) => slot), more]).toEqual([['x', 'z'], false]);
    expect(await world.contents()).toEqual(before);
  });

  it('shows the place of a replacement until its session knows that another one took it', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    await a.take('s');
    await b.acquire('s', 'urgent');
    await c.acquire('s', 'urgent');
    const waitingOfB = async () => (await world.look(b)).processes.find(({ isSelf }) => isSelf)?.waiting;
    expect((await world.look(b)).slots[0]?.waiting).toBe(1);
    expect(await waitingOfB()).toBe(1);
    await b.beat('s');
    await b.beat();
    expect(await waitingOfB()).toBe(0);
  });

  it('ends a session: gives back what it holds, leaves every line, and forgets it', async () => {
    const world = await open();
    const [a, b, c] = [await world.join(), await world.join(), await world.join()];
    await a.take('x');
    await b.acquire('x');
    const fence = await c.take('y');
    await a.acquire('y', 'urgent');
    await a.end();
    expect((await b.holdings()).has('x')).toBe(true);
    expect((await c.beat()).news).toEqual([]);
    await c.release('y', fence);
    expect(await a.isDead()).toBe(true);
    expect(await a.acquire('x')).toEqual({ state: 'dead' });
    expect(await a.holdings()).toEqual(new Map());
    await a.end();
  });

  it('ends a session with more slots and places in line than one script gives back', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    const names = Array.from({ length: 250 }, (_, i) => `s${i}`);
    await Promise.all(names.map((name) => a.take(name)));
    await Promise.all(names.map((name) => b.acquire(name)));
    await Promise.all(names.map((name) => b.take(`other ${name}`)));
    await Promise.all(names.map((name) => a.acquire(`other ${name}`)));
    await a.end();
    const { held, news } = await b.beat();
    expect(held).toBe(500);
    expect(news).toEqual([]);
    await b.end();
    expect(await world.keys()).toEqual(['clock', 'fence', 'seq']);
  });

  it('keeps nothing while nothing is held: only its clock and two counters', async () => {
    const world = await open();
    const members = await Promise.all(Array.from({ length: 5 }, () => world.join()));
    for (const mode of ['wait', 'urgent', 'try', 'urgent', 'wait'] as const)
      await Promise.all(members.map((member) => member.acquire('s', mode)));
    for (const member of members) await member.end();
    expect(await world.keys()).toEqual(['clock', 'fence', 'seq']);
  });

  it('keeps slots of every name apart', async () => {
    const world = await open();
    const a = await world.join();
    await a.listen();
    const names = [
      'a',
      'a ',
      ' a',
      'a:b',
      '__proto__',
      '"',
      '\n',
      '*',
      '{x}',
      '🎩',
      '\u00e9',
      'e\u0301',
      '0',
      ' ',
      'x'.repeat(1_024),
    ];
    for (const name of names) await a.take(name);
    expect(new Set((await a.holdings()).keys())).toEqual(new Set(names));
    const b = await world.join();
    for (const name of names) await b.acquire(name);
    const news = await a.heard(names.length);
    expect(news.map(({ slot }) => slot)).toEqual(names);
    expect(new Set((await a.beat()).news.map(({ slot }) => slot))).toEqual(new Set(names));
  });

  it('keeps prefixes apart', async () => {
    const [one, other] = [await open(), await open()];
    const [a, b] = [await one.join(), await other.join()];
    await a.take('s');
    await b.take('s');
    expect(await other.store.beat(a.id, [])).toBeNull();
  });

  it('answers many calls at once, each with its own answer', async () => {
    const world = await open();
    const [a, b] = [await world.join(), await world.join()];
    const names = Array.from({ length: 500 }, (_, i) => `s${i}`);
    const fences = await Promise.all(names.map((name) => a.take(name)));
    expect(await a.holdings()).toEqual(new Map(names.map((name, i) => [name, fences[i]])));
    const answers = await Promise.all(names.map((name) => b.acquire(name, 'try')));
    expect(new Set(answers.map(({ state }) => state))).toEqual(new Set(['busy']));
    await Promise.all(names.map((name, i) => a.release(name, fences[i] as bigint)));
    expect((await a.beat()).held).toBe(0);
  });
});
