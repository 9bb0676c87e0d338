// What each operation of the store does, by a real PostgreSQL.

import { beforeEach, describe, expect, test } from 'vitest';
import { until } from './until.ts';
import { type Session, TTL_MS, World } from './world.ts';

let world: World;
let a: Session;
let b: Session;
let c: Session;

beforeEach(async () => {
  world = await World.start();
  const store = world.store();
  [a, b, c] = [await world.session(store), await world.session(store), await world.session(store)];
  for (const session of [a, b, c]) await session.listen();
});

const tables = async () => [await world.count('session'), await world.count('slot'), await world.count('waiter')];

describe('acquire', () => {
  test('grants a free slot, whatever the mode', async () => {
    for (const mode of ['try', 'wait', 'urgent'] as const)
      expect(await a.ask(mode, mode)).toEqual({ state: 'granted', fence: expect.any(BigInt), contended: false });
    expect(await tables()).toEqual([3, 3, 0]);
  });

  test('answers `busy` to a try where another session has the slot, and enters no line', async () => {
    await a.take('s');
    expect(await b.ask('s', 'try')).toEqual({ state: 'busy' });
    expect([await tables(), a.news]).toEqual([[3, 1, 0], []]);
  });

  test('answers `waiting` with the fence of the holder, and tells the holder once', async () => {
    const fence = await a.take('s');
    expect(await b.ask('s')).toEqual({ state: 'waiting', fence });
    await b.ask('s');
    await c.ask('s');
    await until(() => a.news.length > 0);
    expect([a.news, await tables()]).toEqual([[{ kind: 'contended', slot: 's', fence }], [3, 1, 2]]);
  });

  test('grants to the session that has the slot again, with a greater fence, in every mode', async () => {
    let last = await a.take('s');
    await b.ask('s');
    for (const mode of ['try', 'wait', 'urgent'] as const) {
      const answer = await a.ask('s', mode);
      expect(answer).toMatchObject({ state: 'granted', contended: true });
      if (answer.state !== 'granted') return;
      expect(answer.fence).toBeGreaterThan(last);
      last = answer.fence;
    }
    expect([await a.holds('s'), await tables()]).toEqual([last, [3, 1, 1]]);
  });

  test('answers `dead` to a session that is not known', async () => {
    await b.store.end(b.id);
    expect(await b.ask('s')).toEqual({ state: 'dead' });
    expect(await tables()).toEqual([2, 0, 0]);
  });

  test('asks for many slots at once, free ones, held ones and waited-for ones', async () => {
    for (let i = 0; i < 600; i += 3) await a.take(`s${i}`);
    const answers = await Promise.all(Array.from({ length: 600 }, (_, i) => b.ask(`s${i}`, i % 2 ? 'wait' : 'try')));
    const expected = Array.from({ length: 600 }, (_, i) => (i % 3 ? 'granted' : i % 2 ? 'waiting' : 'busy'));
    expect(answers.map(({ state }) => state)).toEqual(expected);
    const fences = answers.flatMap((answer) => (answer.state === 'granted' ? [answer.fence] : []));
    expect(new Set(fences).size).toBe(400);
  });

  test.each([
    ['empty-looking', '   '],
    ['with quotes', `a'b"c\\d`],
    ['with braces and commas', '{a,"b",NULL}'],
    ['NULL', 'NULL'],
    ['__proto__', '__proto__'],
    ['with line ends', 'a\nb\r\tc'],
    ['emoji', '👩‍🚀 naïve ☃'],
    ['of 2,000 bytes', Array.from({ length: 2_000 }, (_, i) => String.fromCharCode(33 + ((i * 7919) % 90))).join('')],
  ])('keeps a name that is %s as it is', async (_, name) => {
    const fence = await a.take(name);
    expect([...(await a.store.holdings(a.id))]).toEqual([[name, fence]]);
    await b.ask(name);
    expect((await a.beat())?.news).toEqual([{ kind: 'contended', slot: name, fence }]);
    await a.release(name, fence, true);
    await until(() => b.news.length > 0);
    expect(b.news).toMatchObject([{ kind: 'granted', slot: name, contended: false }]);
    expect((await b.beat(name))?.news).toEqual(b.news);
  });
});

describe('the line', () => {
  test('is served in the order of arrival', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await c.ask('s');
    await b.ask('s'); // keeps its place
    await a.release('s', fence, true);
    await until(() => b.news.length > 0);
    expect(b.news).toMatchObject([{ kind: 'granted', contended: true }]);
    await b.release('s', (await b.holds('s')) as bigint, true);
    await until(() => c.news.length > 0);
    expect(c.news).toMatchObject([{ kind: 'granted', contended: false }]);
  });

  test('lets a replacement go first, and tells the holder to stop', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    expect(await c.ask('s', 'urgent')).toEqual({ state: 'waiting', fence });
    await until(() => a.news.length > 1);
    expect(a.news).toEqual([
      { kind: 'contended', slot: 's', fence },
      { kind: 'revoked', slot: 's', fence },
    ]);
    await a.release('s', fence, true);
    expect([await c.holds('s'), await b.holds('s')]).toEqual([expect.any(BigInt), undefined]);
    expect((await c.beat())?.news).toMatchObject([{ kind: 'contended' }]);
  });

  test('has one replacement: a later one takes the place of an earlier one, which hears of it', async () => {
    await a.take('s');
    await b.ask('s', 'urgent');
    await c.ask('s', 'urgent');
    await until(() => b.news.length > 0);
    expect(b.news).toEqual([{ kind: 'superseded', slot: 's' }]);
    expect((await b.beat('s'))?.news).toEqual([{ kind: 'superseded', slot: 's' }]);
    expect((await c.beat('s'))?.news).toEqual([]);
  });

  test('lets a session that waits become a replacement, in place of another one', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await c.ask('s', 'urgent');
    await b.ask('s', 'urgent');
    await until(() => c.news.length > 0);
    expect(c.news).toEqual([{ kind: 'superseded', slot: 's' }]);
    await a.release('s', fence, true);
    expect(await b.holds('s')).toBeDefined();
  });

  test('tells a new holder at once that a replacement waits behind it', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await c.ask('s', 'urgent');
    await world.sql(`update %.session set expires_at = clock_timestamp() + '20 s' where id = $1`, [c.id]);
    await a.release('s', fence, true);
    await until(() => b.news.length > 1);
    expect(b.news).toMatchObject([{ kind: 'granted', contended: true }, { kind: 'revoked' }]);
  });

  test('puts a session that has missed beats behind the others', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await c.ask('s');
    await world.sql(`update %.session set expires_at = clock_timestamp() + '20 s' where id = $1`, [b.id]);
    await a.release('s', fence, true);
    expect(await c.holds('s')).toBeDefined();
  });

  test('keeps its order where all sessions seem to have expired, as after a step of the clock', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await c.ask('s');
    await world.stepClock(3_600_000);
    await a.release('s', fence, true);
    expect(await b.holds('s')).toBeDefined();
    expect((await c.beat('s'))?.news).toEqual([]);
  });
});

describe('release', () => {
  test('leaves nothing behind where nothing waits', async () => {
    await a.release('s', await a.take('s'));
    expect(await tables()).toEqual([3, 0, 0]);
  });

  test('changes nothing with another fence, of another session, or twice', async () => {
    const fence = await a.take('s');
    await a.release('s', fence + 1n);
    await b.release('s', fence);
    expect(await a.holds('s')).toBe(fence);
    await a.release('s', fence);
    const next = await b.take('s');
    await a.release('s', fence);
    expect(await b.holds('s')).toBe(next);
  });

  test('passes the slot on where a session waits that the holder has not heard of', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await a.release('s', fence, false);
    expect(await b.holds('s')).toBeGreaterThan(fence);
  });

  test('gives back many at once, wanted ones and others', async () => {
    const names = Array.from({ length: 600 }, (_, i) => `s${i}`);
    const fences = await Promise.all(names.map((name) => a.take(name)));
    for (let i = 0; i < 600; i += 50) await b.ask(`s${i}`);
    await Promise.all(names.map((name, i) => a.release(name, fences[i] as bigint)));
    expect([...(await b.store.holdings(b.id)).keys()].sort()).toEqual(names.filter((_, i) => i % 50 === 0).sort());
    expect(await tables()).toEqual([3, 12, 0]);
  });
});

describe('withdraw', () => {
  test('leaves the line', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await b.store.withdraw(b.id, 's');
    expect(await tables()).toEqual([3, 1, 0]);
    await a.release('s', fence, true);
    expect(await tables()).toEqual([3, 0, 0]);
  });

  test('passes the slot on if it was granted meanwhile', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await c.ask('s');
    await a.release('s', fence, true);
    await b.store.withdraw(b.id, 's');
    expect(await c.holds('s')).toBeDefined();
  });

  test('takes back that the holder is to stop', async () => {
    const fence = await a.take('s');
    await c.ask('s');
    await b.ask('s', 'urgent');
    expect((await a.beat())?.news).toEqual([{ kind: 'revoked', slot: 's', fence }]);
    await b.store.withdraw(b.id, 's');
    expect((await a.beat())?.news).toEqual([{ kind: 'contended', slot: 's', fence }]);
    await c.store.withdraw(c.id, 's');
    expect((await a.beat())?.news).toEqual([]);
  });

  test('of many places at once takes two connections of the pool', async () => {
    const fences = await Promise.all(Array.from({ length: 20 }, (_, i) => a.take(`s${i}`)));
    await Promise.all(fences.map((_, i) => b.ask(`s${i}`)));
    await Promise.all([world.sql('select 1'), world.sql('select 1')]); // the pool has two
    let [used, most] = [0, 0];
    const count = (by: number) => () => {
      used += by;
      most = Math.max(most, used);
    };
    world.pool.on('acquire', count(1)).on('release', count(-1));
    await Promise.all(fences.map((_, i) => b.store.withdraw(b.id, `s${i}`)));
    expect([most, await world.count('waiter')]).toEqual([2, 0]);
  });

  test('does nothing where nothing waits', async () => {
    await b.store.withdraw(b.id, 's');
    expect(await tables()).toEqual([3, 0, 0]);
  });
});

describe('beat', () => {
  test('tells how many slots the session holds, and when a holder that it waits for expires', async () => {
    await a.take('s');
    await a.take('t');
    await b.take('u');
    await b.ask('s');
    expect(await a.beat()).toMatchObject({ held: 2, nextMs: null });
    const pulse = await b.beat('s');
    expect(pulse).toMatchObject({ news: [], held: 1 });
    expect(pulse?.nextMs).toBeGreaterThan(TTL_MS - 20_000);
    expect(pulse?.nextMs).toBeLessThanOrEqual(TTL_MS);
  });

  test('renews the session', async () => {
    await world.sql(`update %.session set expires_at = clock_timestamp() + '1 s'`);
    await a.beat();
    const [row] = await world.sql<{ left: number }>(
      `select extract(epoch from expires_at - clock_timestamp())::float8 "left" from %.session where id = $1`,
      [a.id],
    );
    expect(row?.left).toBeGreaterThan(TTL_MS / 1_000 - 20);
  });

  test('renews a session that has expired and that no other one has removed', async () => {
    await a.take('s');
    await world.expire(a);
    expect(await a.beat()).toMatchObject({ held: 1 });
  });

  test('is `null` once another session has removed this one', async () => {
    await a.take('s');
    await world.expire(a);
    await b.beat();
    expect([await a.beat(), await a.ask('t')]).toEqual([null, { state: 'dead' }]);
  });

  test('removes with an expired session its places in line, and its slots that nothing waits for', async () => {
    await a.take('s');
    await b.take('t');
    await a.ask('t');
    await world.expire(a);
    await b.beat();
    expect(await tables()).toEqual([2, 1, 0]);
  });

  test('tells a session that waits that the holder is gone, and the first in line then gets the slot', async () => {
    const fence = await a.take('s');
    await b.ask('s');
    await c.ask('s');
    await world.expire(a);
    expect((await b.beat('s'))?.news).toEqual([{ kind: 'orphan', slot: 's' }]);
    expect(await c.ask('s')).toMatchObject({ state: 'waiting' });
    await until(() => b.news.length > 0);
    expect(b.news).toMatchObject([{ kind: 'granted', contended: true }]);
    expect(await b.holds('s')).toBeGreaterThan(fence);
  });

  test('a try gets the slot of a session that is gone, if nothing waits for it', async () => {
    await a.take('s');
    await b.ask('s');
    await world.expire(a);
    await c.beat();
    await b.store.withdraw(b.id, 's');
    expect(await c.ask('s', 'try')).toMatchObject({ state: 'granted', contended: false });
    expect(await tables()).toEqual([2, 1, 0]);
  });

  test('a try on the slot of a session that is gone lets the line go first', async () => {
    await a.take('s');
    await b.ask('s');
    await world.expire(a);
    await c.beat();
    expect(await c.ask('s', 'try')).toEqual({ state: 'busy' });
    expect([await b.holds('s'), await tables()]).toEqual([expect.any(BigInt), [2, 1, 0]]);
  });

  test('repeats what news may have been lost: granted, superseded, contended, revoked', async () => {
    const fence = await a.take('s');
    await b.ask('s', 'urgent');
    expect((await a.beat())?.news).toEqual([{ kind: 'revoked', slot: 's', fence }]);
    await c.ask('s', 'urgent');
    expect((await b.beat('s'))?.news).toEqual([{ kind: 'superseded', slot: 's' }]);
    await a.release('s', fence, true);
    expect((await c.beat('s'))?.news).toEqual([
      { kind: 'granted', slot: 's', fence: await c.holds('s'), contended: false },
    ]);
  });
});

describe('end', () => {
  test('gives back every slot, leaves every line, and forgets the session', async () => {
    await a.take('s');
    await a.take('t');
    await b.ask('s');
    await c.take('u');
    await a.ask('u');
    await a.store.end(a.id);
    await until(() => b.news.length > 0);
    expect([b.news, await tables()]).toMatchObject([[{ kind: 'granted' }], [2, 2, 0]]);
    expect(await a.beat()).toBeNull();
  });

  test('of the news of the last session ends the connection of the beats, also where the session is lost', async () => {
    const store = world.store();
    const own = await world.session(store);
    const stop = await own.listen();
    const connections = async () => {
      const text = 'select count(*)::int n from pg_stat_activity where application_name = $1';
      return (await world.sql<{ n: number }>(text, [world.schema]))[0]?.n as number;
    };
    const before = await connections();
    stop();
    await until(async () => (await connections()) < before);
  });

  test('may be called twice', async () => {
    await a.store.end(a.id);
    await a.store.end(a.id);
  });
});

describe('open', () => {
  test('may be called twice, and keeps what the session holds', async () => {
    const fence = await a.take('s');
    await a.store.open(a.id, 'test', TTL_MS);
    expect(await a.holds('s')).toBe(fence);
  });

  test('keeps the name for operators, and the ttl', async () => {
    const rows = await world.sql(
      `select name, extract(epoch from ttl)::float8 * 1000 as ms from %.session where id = $1`,
      [a.id],
    );
    expect(rows).toEqual([{ name: 'test', ms: TTL_MS }]);
  });
});

describe('holdings', () => {
  test('are the slots of this session, or one of them', async () => {
    const [s, t] = [await a.take('s'), await a.take('t')];
    await b.take('u');
    expect([...(await a.store.holdings(a.id))].sort()).toEqual([
      ['s', s],
      ['t', t],
    ]);
    expect([await a.holds('t'), await a.holds('u'), await a.holds('x')]).toEqual([t, undefined, undefined]);
  });
});

describe('news', () => {
  test('end with the function that `listen` returns', async () => {
    const d = await world.session(a.store);
    const stop = await d.listen();
    const fence = await d.take('s');
    stop();
    await b.ask('s');
    await c.ask('s', 'urgent');
    await d.release('s', fence, true);
    await until(() => c.news.length > 0);
    expect(d.news).toEqual([]);
  });

  test('that make no sense are not heard', async () => {
    const channel = `sv_${b.id.replaceAll('-', '')}`;
    for (const payload of ['', 'granted', 'granted x 0 s', 'other 1 0 s'])
      await world.sql('select pg_notify($1, $2)', [channel, payload]);
    const fence = await a.take('s');
    await b.ask('s');
    await a.release('s', fence, true);
    await until(() => b.news.length > 0);
    expect(b.news).toMatchObject([{ kind: 'granted', slot: 's' }]);
  });

  test('do not come with `listen: false`, and the beats bring what counts', async () => {
    const store = world.store({ listen: false });
    const d = await world.session(store);
    await d.listen();
    const fence = await a.take('s');
    await d.ask('s');
    await a.release('s', fence, true);
    expect((await d.beat('s'))?.news).toMatchObject([{ kind: 'granted', slot: 's' }]);
    expect(d.news).toEqual([]);
  });
});
