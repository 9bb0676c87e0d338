// The cases on the eleven operations of a store. Over 300 lines because it is one list: the
// promises of a `LeaseStore`, in words and in calls.

import type { AskMode, LeaseNews } from '../ext/fleet/index.ts';
import { type Case, type CaseSession, type CaseWorld, claim, expectSame } from './case-world.ts';
import { FaultyStore, type StoreOperation } from './faulty-store.ts';

const MODES: readonly AskMode[] = ['try', 'wait', 'urgent'];
const OPERATIONS: readonly StoreOperation[] = ['open', 'beat', 'acquire', 'release', 'withdraw', 'end'];
/** Enough for two transactions to meet in the same row many times. */
const RACES = 10_000;
const RACERS = 8;
/** More slots than an engine should walk in one step. */
const MANY = 1_500;

/** A holder, and sessions that wait in this order. */
async function lineOf(world: CaseWorld, count: number): Promise<[holder: CaseSession, fence: bigint, CaseSession[]]> {
  const holder = await world.session();
  const fence = await holder.take('s');
  const line = await world.sessions(count);
  for (const waiter of line) await waiter.wait('s', fence);
  return [holder, fence, line];
}

/** Each session in turn must get the slot, and gives it back. */
async function expectOrder(order: readonly CaseSession[]): Promise<void> {
  for (const [i, session] of order.entries()) {
    const fence = await session.mustHold('s', `session ${i + 1} of ${order.length} in the order`);
    await session.release('s', fence);
  }
}

const kinds = (news: readonly LeaseNews[]): string[] => news.map(({ kind }) => kind);

/** What a beat reports of one slot. */
async function expectPulse(session: CaseSession, waiting: readonly string[], expected: readonly LeaseNews[]) {
  const { news } = await session.pulse(...waiting);
  expectSame('the news of a beat', news, expected);
}

/**
 * A session that was removed, and a session that waits for its slot. The store has passed the slot
 * on to that one, or reports an orphan.
 */
async function deadHolder(world: CaseWorld): Promise<[dead: CaseSession, fence: bigint, CaseSession]> {
  const { ttlMs } = world;
  const dead = await world.session({ ttlMs });
  const fence = await dead.take('s');
  const waiter = await world.session({ ttlMs });
  await waiter.wait('s', fence);
  await world.until(
    'the holder has expired, and the beat of a waiting session reports an orphan or a grant',
    async () => kinds((await waiter.pulse('s')).news).some((kind) => kind === 'orphan' || kind === 'granted'),
    ttlMs / 10,
  );
  return [dead, fence, waiter];
}

const grants: readonly Case[] = [
  {
    name: 'a free slot is granted, in every mode',
    rule: 'grant',
    async run(world) {
      const session = await world.session();
      const fences = new Map<string, bigint>();
      for (const mode of MODES) fences.set(mode, await session.take(mode, mode));
      expectSame('the holdings of the session', new Map(Object.entries(await session.holdings())), fences);
    },
  },
  {
    name: "a slot of another session is busy for 'try', which enters no line",
    rule: 'grant',
    async run(world) {
      const [holder, other] = (await world.sessions(2)) as [CaseSession, CaseSession];
      const fence = await holder.take('s', 'try');
      expectSame("the answer to acquire with 'try'", await other.acquire('s', 'try'), { state: 'busy' });
      await expectPulse(holder, [], []);
      await holder.release('s', fence);
      await other.mustNotHold('s', "a session that asked with 'try'");
      await other.take('s', 'try');
    },
  },
  {
    name: 'a session that holds a slot is granted it again, in every mode, with a greater fence',
    rule: 'grant',
    async run(world) {
      const holder = await world.session();
      const waiter = await world.session();
      let last = await holder.take('s');
      await waiter.wait('s', last);
      for (const mode of MODES) {
        const fence = await holder.take('s', mode, true);
        claim(fence > last, `a fence must be greater than the one before: got ${fence} after ${last}`);
        expectSame('the fence in the holdings', await holder.fenceOf('s'), fence);
        await holder.release('s', last);
        await holder.mustHold('s', 'a session that released an earlier grant of its slot');
        last = fence;
      }
      await holder.release('s', last);
      await waiter.mustHold('s', 'the session that waited');
    },
  },
  {
    name: 'one of many sessions that ask at once is granted the slot, and all others wait for it',
    rule: 'grant',
    async run(world) {
      const sessions = await world.sessions(RACERS);
      const answers = await Promise.all(sessions.map((session) => session.acquire('s')));
      const granted = answers.filter(({ state }) => state === 'granted');
      expectSame('how many of the sessions are granted the slot', granted.length, 1);
      const fences = answers.map((answer) => ('fence' in answer ? answer.fence : answer.state));
      expectSame('the fences of all answers', new Set(fences).size, 1);
      const left = new Set(sessions);
      while (left.size > 0) {
        const held = await Promise.all([...left].map((session) => session.fenceOf('s')));
        expectSame('how many sessions hold the slot', held.filter((fence) => fence !== undefined).length, 1);
        const at = held.findIndex((fence) => fence !== undefined);
        const holder = [...left][at] as CaseSession;
        await holder.release('s', held[at] as bigint);
        left.delete(holder);
      }
    },
  },
  {
    name: '500 slots asked for at once are all granted, and all given back at once',
    rule: 'grant',
    async run(world) {
      const session = await world.session();
      const slots = Array.from({ length: 500 }, (_, i) => `slot ${i}`);
      const fences = await Promise.all(slots.map((slot) => session.take(slot)));
      const holdings = new Map(slots.map((slot, i) => [slot, fences[i]]));
      const sorted = [...(await session.store.holdings(session.id))].sort(([a], [b]) => (a < b ? -1 : 1));
      expectSame(
        'the holdings',
        sorted,
        [...holdings].sort(([a], [b]) => (a < b ? -1 : 1)),
      );
      expectSame('the count of a beat', (await session.pulse()).held, 500);
      await Promise.all(slots.map((slot, i) => session.release(slot, fences[i] as bigint, false)));
      expectSame('the count of a beat', (await session.pulse()).held, 0);
    },
  },
];

const lines: readonly Case[] = [
  {
    name: 'a slot that is released goes to the sessions that wait, in the order of their arrival',
    rule: 'line',
    async run(world) {
      const [holder, fence, line] = await lineOf(world, 4);
      await holder.release('s', fence);
      await expectOrder(line);
      await holder.take('s', 'try');
    },
  },
  {
    name: 'a session that asks again keeps its place in line',
    rule: 'line',
    async run(world) {
      const [holder, fence, [first, second]] = await lineOf(world, 2);
      await (first as CaseSession).wait('s', fence);
      await holder.release('s', fence);
      await expectOrder([first, second] as CaseSession[]);
      await (first as CaseSession).mustNotHold('s', 'a session that asked twice and had the slot once');
    },
  },
  {
    name: 'a session that gave its slot back enters the line at the end',
    rule: 'line',
    async run(world) {
      const [holder, fence, line] = await lineOf(world, 2);
      await holder.release('s', fence);
      await holder.wait('s', await (line[0] as CaseSession).mustHold('s', 'the first in line'));
      await expectOrder([...line, holder]);
    },
  },
  {
    name: "the answer 'waiting' has the fence of the present holder",
    rule: 'line',
    async run(world) {
      const [holder, fence, [next]] = await lineOf(world, 1);
      await holder.release('s', fence);
      const later = await (next as CaseSession).mustHold('s', 'the next in line');
      claim(later > fence, `the fence of a later grant must be greater: got ${later} after ${fence}`);
      await holder.take('a slot with a greater fence');
      await holder.wait('s', later);
    },
  },
];

const replacements: readonly Case[] = [
  {
    name: 'a replacement goes before the line, and the line keeps its order',
    rule: 'replace',
    async run(world) {
      const [holder, fence, line] = await lineOf(world, 2);
      const urgent = await world.session();
      await urgent.wait('s', fence, 'urgent');
      await holder.mustHold('s', 'the holder, until it releases the slot,');
      await holder.release('s', fence);
      await expectOrder([urgent, ...line]);
    },
  },
  {
    name: 'a beat of the holder reports that a session waits, and that a replacement waits',
    rule: 'replace',
    async run(world) {
      const [holder, waiter, urgent] = (await world.sessions(3)) as [CaseSession, CaseSession, CaseSession];
      const fence = await holder.take('s');
      await expectPulse(holder, [], []);
      await waiter.wait('s', fence);
      await expectPulse(holder, [], [{ kind: 'contended', slot: 's', fence }]);
      await urgent.wait('s', fence, 'urgent');
      await expectPulse(holder, [], [{ kind: 'revoked', slot: 's', fence }]);
      await expectPulse(holder, [], [{ kind: 'revoked', slot: 's', fence }]);
    },
  },
  {
    name: 'a replacement takes the place of an earlier one, which waits no more',
    rule: 'replace',
    async run(world) {
      const [holder, fence, line] = await lineOf(world, 1);
      const [early, late] = (await world.sessions(2)) as [CaseSession, CaseSession];
      await early.wait('s', fence, 'urgent');
      await expectPulse(early, ['s'], []);
      await late.wait('s', fence, 'urgent');
      await expectPulse(early, ['s'], [{ kind: 'superseded', slot: 's' }]);
      await expectPulse(late, ['s'], []);
      await holder.release('s', fence);
      await expectOrder([late, ...line]);
      await early.mustNotHold('s', 'a replacement whose place another one took');
    },
  },
  {
    name: 'a replacement that asks again keeps its place',
    rule: 'replace',
    async run(world) {
      const [holder, fence, line] = await lineOf(world, 1);
      const urgent = await world.session();
      await urgent.wait('s', fence, 'urgent');
      await urgent.wait('s', fence, 'urgent');
      await expectPulse(urgent, ['s'], []);
      await holder.release('s', fence);
      await expectOrder([urgent, ...line]);
    },
  },
  {
    name: 'a session that waits becomes a replacement when it asks again with urgent',
    rule: 'replace',
    async run(world) {
      const [holder, fence, [first, second, third]] = await lineOf(world, 3);
      await (third as CaseSession).wait('s', fence, 'urgent');
      await expectPulse(holder, [], [{ kind: 'revoked', slot: 's', fence }]);
      await holder.release('s', fence);
      await expectOrder([third, first, second] as CaseSession[]);
    },
  },
  {
    name: 'a replacement that withdraws leaves the line as it was',
    rule: 'replace',
    async run(world) {
      const [holder, fence, line] = await lineOf(world, 2);
      const urgent = await world.session();
      await urgent.wait('s', fence, 'urgent');
      await urgent.withdraw('s');
      await expectPulse(holder, [], [{ kind: 'contended', slot: 's', fence }]);
      await holder.release('s', fence);
      await expectOrder(line);
      await urgent.mustNotHold('s', 'a replacement that withdrew');
    },
  },
  {
    name: 'the line that a replacement went before is known to it with the grant',
    rule: 'replace',
    async run(world) {
      const [holder, fence] = await lineOf(world, 1);
      const urgent = await world.session();
      await urgent.wait('s', fence, 'urgent');
      await holder.release('s', fence);
      const granted = await urgent.mustHold('s', 'the replacement');
      const { news } = await urgent.pulse('s');
      const told = news.filter(({ kind }) => kind === 'granted');
      expectSame('the grant in a beat', told, [{ kind: 'granted', slot: 's', fence: granted, contended: true }]);
      await expectPulse(urgent, [], [{ kind: 'contended', slot: 's', fence: granted }]);
    },
  },
];

const releases: readonly Case[] = [
  {
    name: 'a release with another fence, or by another session, changes nothing',
    rule: 'release',
    async run(world) {
      const [holder, fence, [waiter]] = await lineOf(world, 1);
      for (const contended of [true, false]) {
        await holder.release('s', fence - 1n, contended);
        await holder.release('s', fence + 1n, contended);
        await (waiter as CaseSession).release('s', fence, contended);
        expectSame('the fence in the holdings', await holder.fenceOf('s'), fence);
      }
      await (waiter as CaseSession).mustNotHold('s', 'a session that waits');
    },
  },
  {
    name: 'a second release changes nothing for the next holder',
    rule: 'release',
    async run(world) {
      const [holder, fence, [next, last]] = await lineOf(world, 2);
      await holder.release('s', fence);
      await holder.release('s', fence);
      await holder.release('s', fence, false);
      await expectOrder([next, last] as CaseSession[]);
    },
  },
  {
    name: 'a release by a process that knows of no waiting session still passes the slot on',
    rule: 'release',
    async run(world) {
      const [holder, fence, [next]] = await lineOf(world, 1);
      await holder.release('s', fence, false);
      await expectOrder([next as CaseSession]);
    },
  },
  {
    name: 'a slot that is released while no session waits is free, and nothing of it is stored',
    rule: 'release',
    async run(world) {
      const holder = await world.session();
      claim(!(await world.world.isEmpty()), 'a session is known, and the store is empty');
      for (const contended of [true, false]) {
        await holder.release('s', await holder.take('s'), contended);
        expectSame('the holdings', await holder.holdings(), {});
      }
      await holder.end();
      claim(await world.world.isEmpty(), 'no session is left, and the store is not empty');
    },
  },
  {
    name: 'a slot is passed on to the first in line that is alive',
    rule: 'release',
    async run(world) {
      const { ttlMs } = world;
      const holder = await world.session();
      const fence = await holder.take('s');
      const dead = await world.session({ ttlMs });
      await dead.wait('s', fence);
      const alive = await world.session();
      await alive.wait('s', fence);
      await world.pass(1.2 * ttlMs);
      await holder.release('s', fence);
      await alive.mustHold('s', 'the first in line that is alive');
    },
  },
  {
    name: 'a slot that a session never had can be released, withdrawn and looked for',
    rule: 'release',
    async run(world) {
      const session = await world.session();
      await session.release('s', 1n);
      await session.withdraw('s');
      await session.mustNotHold('s', 'a session that never asked');
    },
  },
];

const withdrawals: readonly Case[] = [
  {
    name: 'a session that withdraws leaves the line, and its holder learns of it',
    rule: 'withdraw',
    async run(world) {
      const [holder, fence, [first, second]] = await lineOf(world, 2);
      await (first as CaseSession).withdraw('s');
      await (first as CaseSession).withdraw('s');
      await expectPulse(holder, [], [{ kind: 'contended', slot: 's', fence }]);
      await (second as CaseSession).withdraw('s');
      await expectPulse(holder, [], []);
      await holder.release('s', fence);
      for (const session of [first, second] as CaseSession[]) await session.mustNotHold('s', 'a session that withdrew');
      await holder.take('s', 'try');
    },
  },
  {
    name: 'a slot that was granted to a session that withdraws goes to the next in line',
    rule: 'withdraw',
    async run(world) {
      const [holder, fence, [first, second]] = await lineOf(world, 2);
      await holder.release('s', fence);
      await (first as CaseSession).mustHold('s', 'the first in line');
      await (first as CaseSession).withdraw('s');
      await (first as CaseSession).mustNotHold('s', 'a session that withdrew');
      await expectOrder([second as CaseSession]);
    },
  },
  {
    name: 'a session that withdrew enters the line at the end',
    rule: 'withdraw',
    async run(world) {
      const [holder, fence, [first, second]] = await lineOf(world, 2);
      await (first as CaseSession).withdraw('s');
      await (first as CaseSession).wait('s', fence);
      await holder.release('s', fence);
      await expectOrder([second, first] as CaseSession[]);
    },
  },
];

const sessions: readonly Case[] = [
  {
    name: 'a session that ends gives back what it holds, leaves every line and is forgotten',
    rule: 'session',
    async run(world) {
      const [holder, fence, [first, second]] = await lineOf(world, 2);
      await holder.take('other');
      await (first as CaseSession).wait('other', (await holder.fenceOf('other')) as bigint, 'urgent');
      await (first as CaseSession).end();
      await expectPulse(holder, [], [{ kind: 'contended', slot: 's', fence }]);
      await holder.end();
      await (second as CaseSession).mustHold('s', 'the next in line that is left');
      await (second as CaseSession).take('other', 'try');
      for (const ended of [holder, first] as CaseSession[]) {
        expectSame('the beat of a session that has ended', await ended.beat('s'), null);
        expectSame('its acquire', await ended.acquire('free'), { state: 'dead' });
        expectSame('its holdings', await ended.holdings(), {});
        await ended.release('s', fence);
        await ended.withdraw('s');
        await ended.end();
      }
      await (second as CaseSession).mustHold('s', 'the next in line that is left');
    },
  },
  {
    name: 'a session that was never opened is not known',
    rule: 'session',
    async run(world) {
      const known = await world.session();
      const fence = await known.take('s');
      const { id } = await world.session().then(async (gone) => {
        await gone.end();
        return gone;
      });
      const store = world.store();
      expectSame('its beat', await store.beat(id, ['s']), null);
      for (const mode of MODES) {
        expectSame('its acquire of a held slot', await store.acquire(id, { slot: 's', mode }), { state: 'dead' });
        expectSame('its acquire of a free slot', await store.acquire(id, { slot: 'free', mode }), { state: 'dead' });
      }
      await expectPulse(known, [], []);
      await known.release('s', fence);
      await known.take('free', 'try');
    },
  },
  {
    name: 'a session that beats keeps its slots beyond its ttl',
    rule: 'session',
    async run(world) {
      const { ttlMs } = world;
      const holder = await world.session({ ttlMs });
      const fence = await holder.take('s');
      const waiter = await world.session({ ttlMs });
      await waiter.wait('s', fence);
      for (let tenths = 0; tenths < 30; tenths += 1) {
        await world.pass(ttlMs / 10);
        await expectPulse(holder, [], [{ kind: 'contended', slot: 's', fence }]);
        await expectPulse(waiter, ['s'], []);
      }
      expectSame('the fence in the holdings', await holder.fenceOf('s'), fence);
    },
  },
  {
    name: 'a session that has expired is removed by the beat of another one, and never comes back',
    rule: 'session',
    async run(world) {
      const [dead, fence] = await deadHolder(world);
      for (let n = 0; n < 2; n += 1) {
        expectSame('the beat of a session that was removed', await dead.beat(), null);
        expectSame('its acquire of its slot', await dead.acquire('s'), { state: 'dead' });
        expectSame('its acquire of a free slot', await dead.acquire('free'), { state: 'dead' });
      }
      await dead.release('free', fence);
    },
  },
  {
    name: 'a slot whose holder is gone goes to the first in line, and not to a session that asks earlier',
    rule: 'session',
    async run(world) {
      const [dead, fence, waiter] = await deadHolder(world);
      const late = await world.session();
      expectSame("the answer to acquire with 'try'", await late.acquire('s', 'try'), { state: 'busy' });
      const next = await waiter.mustHold('s', 'the first in line');
      claim(next > fence, `the fence must be greater than that of the dead holder: got ${next} after ${fence}`);
      await late.wait('s', next);
      await dead.release('s', fence);
      await dead.withdraw('s');
      await dead.end();
      expectSame('the fence in the holdings', await waiter.fenceOf('s'), next);
      await waiter.release('s', next);
      await expectOrder([late]);
    },
  },
  {
    name: 'a session that waits for a dead holder is granted the slot when it asks again',
    rule: 'session',
    async run(world) {
      const [, fence, waiter] = await deadHolder(world);
      claim((await waiter.take('s')) > fence, 'the fence must be greater than that of the dead holder');
      await expectPulse(waiter, [], []);
    },
  },
  {
    name: "a slot whose holder is gone is granted to 'try' where no session waits",
    rule: 'session',
    async run(world) {
      const [dead, fence, waiter] = await deadHolder(world);
      await waiter.withdraw('s');
      const late = await world.session();
      claim((await late.take('s', 'try')) > fence, 'the fence must be greater than that of the dead holder');
      await dead.mustNotHold('s', 'a session that was removed');
    },
  },
  {
    name: 'a beat counts the slots of the session, and says when a holder for which it waits expires',
    rule: 'session',
    async run(world) {
      const ttlMs = 20 * world.ttlMs;
      const waiter = await world.session({ ttlMs });
      expectSame('the answer to a beat', await waiter.pulse(), { news: [], held: 0, nextMs: null });
      const first = await world.session({ ttlMs });
      await waiter.wait('first', await first.take('first'));
      await world.pass(world.ttlMs / 2);
      const second = await world.session({ ttlMs });
      await waiter.wait('second', await second.take('second'));
      await waiter.take('own');
      const { held, nextMs } = await waiter.pulse('first', 'second');
      expectSame('the count of the slots of the session', held, 1);
      claim(nextMs !== null && nextMs > 0 && nextMs <= ttlMs, `a holder expires within ${ttlMs} ms, got ${nextMs}`);
      const last = (await waiter.pulse('second')).nextMs;
      claim(last !== null && last <= ttlMs, `the last holder expires within ${ttlMs} ms, got ${last}`);
      claim(nextMs < last, `the first holder expires before the last one: got ${nextMs} and ${last} ms`);
      expectSame('the time of a session that waits for no slot', (await waiter.pulse()).nextMs, null);
    },
  },
  {
    name: 'a beat reports the grant of a slot for which the session waits',
    rule: 'session',
    async run(world) {
      const [holder, fence, [next]] = await lineOf(world, 1);
      await expectPulse(next as CaseSession, ['s'], []);
      await holder.release('s', fence);
      const granted = await (next as CaseSession).mustHold('s', 'the next in line');
      const news: LeaseNews = { kind: 'granted', slot: 's', fence: granted, contended: false };
      await expectPulse(next as CaseSession, ['s'], [news]);
      await expectPulse(next as CaseSession, [], []);
    },
  },
  {
    name: 'the holdings of one slot are that one alone',
    rule: 'session',
    async run(world) {
      const session = await world.session();
      const fence = await session.take('one');
      await session.take('other');
      const one = await session.store.holdings(session.id, 'one');
      expectSame('the holdings of one slot', new Map(one), new Map([['one', fence]]));
      expectSame('of a slot of no session', new Map(await session.store.holdings(session.id, 'free')), new Map());
    },
  },
  {
    name: 'every operation can be done twice',
    rule: 'session',
    async run(world) {
      const store = (): FaultyStore => {
        const faulty = new FaultyStore(world.store());
        for (const operation of OPERATIONS) faulty.plan(operation, 'twice', { times: 100 });
        return faulty;
      };
      const [holder, first] = [await world.session({ store: store() }), await world.session({ store: store() })];
      const second = await world.session({ store: store() });
      const fence = await holder.take('s');
      for (const waiter of [first, second]) await waiter.wait('s', fence);
      await second.wait('s', fence, 'urgent');
      await expectPulse(holder, [], [{ kind: 'revoked', slot: 's', fence }]);
      await holder.release('s', fence);
      await second.mustHold('s', 'the replacement');
      await second.withdraw('s');
      await expectOrder([first]);
      await second.end();
    },
  },
];

const looks: readonly Case[] = [
  {
    name: 'a look shows each session by its name, with what it holds and waits for, and when it expires',
    rule: 'look',
    async run(world) {
      const ttlMs = 20 * world.ttlMs;
      const late = await world.session({ name: 'b late', ttlMs: 2 * ttlMs });
      const [first, same] = [await world.session({ name: 'a', ttlMs }), await world.session({ name: 'a', ttlMs })];
      for (const slot of ['x', 'y']) await first.wait(slot, await late.take(slot));
      await late.wait('z', await first.take('z'));
      await world.pass(world.ttlMs / 10);
      const { processes } = await first.look();
      const figures = processes.map(({ name, isSelf, held, waiting }) => [name, isSelf, held, waiting]);
      const ofSame = ['a', false, 0, 0];
      const ofFirst = ['a', true, 1, 2];
      const isFirst = figures[0]?.[1] === true;
      const expected = [...(isFirst ? [ofFirst, ofSame] : [ofSame, ofFirst]), ['b late', false, 2, 1]];
      expectSame('the name, isSelf, held and waiting of each process', figures, expected);
      const left = processes.map(({ expiresInMs }) => expiresInMs);
      for (const [i, most] of [ttlMs, ttlMs, 2 * ttlMs].entries()) {
        const ms = left[i] as number;
        claim(ms > most - ttlMs && ms < most, `a session of ${most} ms expires within that time, got ${ms}`);
      }
      await same.end();
      expectSame('how many are shown when one has ended', (await first.look()).processes.length, 2);
    },
  },
  {
    name: 'a look shows who holds a slot, with its fence, and which processes wait for it, in order',
    rule: 'look',
    async run(world) {
      const holder = await world.session({ name: 'holder' });
      const fence = await holder.take('s');
      const line = [];
      for (const name of ['one', 'two', 'three']) line.push(await world.session({ name }));
      for (const waiter of line) await waiter.wait('s', fence);
      const urgent = await world.session({ name: 'urgent' });
      await urgent.wait('s', fence, 'urgent');
      const shown = { slot: 's', holder: 'holder', isOurs: true, fence };
      const names = ['urgent', 'one', 'two', 'three'];
      expectSame('the slots', (await holder.look()).slots, [{ ...shown, line: names, waiting: 4 }]);
      const some = (await urgent.look({ lineLimit: 2 })).slots;
      expectSame('the slots, with two of the line', some, [
        { ...shown, isOurs: false, line: ['urgent', 'one'], waiting: 4 },
      ]);
      await (line[1] as CaseSession).withdraw('s');
      await holder.release('s', fence);
      const next = await urgent.mustHold('s', 'the replacement');
      expectSame('the slots, once it was passed on', (await urgent.look()).slots, [
        { slot: 's', holder: 'urgent', isOurs: true, fence: next, line: ['one', 'three'], waiting: 2 },
      ]);
    },
  },
  {
    name: 'a look shows the slots whose name contains the text, by name, and whether there are more',
    rule: 'look',
    async run(world) {
      const session = await world.session();
      const slots = ['b:2', 'b:1', 'a', 'B:1', 'b*1', 'c b:1 c'];
      for (const slot of slots) await session.take(slot);
      const expectNames = async (q: string, limit: number, expected: readonly string[], more: boolean) => {
        const look = await session.look({ q, limit });
        const got = [look.slots.map(({ slot }) => slot), look.more];
        expectSame(`the names with ${JSON.stringify(q)}, at most ${limit}, and more`, got, [expected, more]);
      };
      await expectNames('', 6, ['B:1', 'a', 'b*1', 'b:1', 'b:2', 'c b:1 c'], false);
      await expectNames('', 5, ['B:1', 'a', 'b*1', 'b:1', 'b:2'], true);
      await expectNames('b:1', 200, ['b:1', 'c b:1 c'], false);
      await expectNames('b:1', 1, ['b:1'], true);
      await expectNames('b*1', 200, ['b*1'], false);
      await expectNames('b:1 ', 200, ['c b:1 c'], false);
      await expectNames('nothing', 200, [], false);
    },
  },
  {
    name: 'a look finds some of thousands of slots, of several sessions',
    rule: 'look',
    async run(world) {
      const [many, few] = (await world.sessions(2)) as [CaseSession, CaseSession];
      const slots = Array.from({ length: MANY }, (_, i) => `slot ${i + MANY}`);
      await Promise.all(slots.map((slot) => many.take(slot)));
      for (const slot of ['slot 0', 'slot 9', 'a slot']) await few.take(slot);
      const { processes, slots: first, more } = await few.look({ limit: 3 });
      expectSame('how many they hold', new Set(processes.map(({ held }) => held)), new Set([MANY, 3]));
      const owned = first.map(({ slot, isOurs }) => [slot, isOurs]);
      expectSame('the first slots', owned, [
        ['a slot', true],
        ['slot 0', true],
        [`slot ${MANY}`, false],
      ]);
      claim(more, 'there are more slots than three');
      const found = (await few.look({ q: `${2 * MANY - 1}` })).slots.map(({ slot }) => slot);
      expectSame('the slot with that number', found, [`slot ${2 * MANY - 1}`]);
    },
  },
  {
    name: 'a look by a process without a session shows the same, and makes no session',
    rule: 'look',
    async run(world) {
      const store = world.store();
      const look = () => store.look(undefined, { q: '', limit: 200, lineLimit: 20 });
      expectSame('the look at an empty store', await look(), { processes: [], slots: [], more: false });
      claim(await world.world.isEmpty(), 'a look is all that was done, and the store is not empty');
      const session = await world.session({ name: 'a' });
      const fence = await session.take('s');
      const { processes, slots } = await look();
      expectSame(
        'the processes',
        processes.map(({ name, isSelf, held }) => [name, isSelf, held]),
        [['a', false, 1]],
      );
      expectSame('the slots', slots, [{ slot: 's', holder: 'a', isOurs: false, fence, line: [], waiting: 0 }]);
    },
  },
  {
    name: 'a look keeps no session alive, and shows one that was removed no more',
    rule: 'look',
    async run(world) {
      const { ttlMs } = world;
      const dead = await world.session({ ttlMs, name: 'dead' });
      const fence = await dead.take('s');
      const waiter = await world.session({ ttlMs, name: 'waiter' });
      await waiter.wait('s', fence);
      await world.until(
        'a session that looks and does not beat is removed',
        async () => {
          await dead.look();
          return !(await waiter.beat('s').then(() => waiter.look())).processes.some(({ name }) => name === 'dead');
        },
        ttlMs / 10,
      );
      expectSame('the beat of a session that was removed', await dead.beat(), null);
      const [slot] = (await waiter.look()).slots;
      // The store passes the slot on at once, or when the first in line asks.
      const expected = slot?.isOurs
        ? { slot: 's', holder: 'waiter', isOurs: true, fence: slot.fence, line: [], waiting: 0 }
        : { slot: 's', isOurs: false, fence, line: ['waiter'], waiting: 1 };
      expectSame('the slot of a session that was removed', slot, expected);
    },
  },
  {
    name: 'a look shows names of slots and processes as they are, and finds each by its own text',
    rule: 'look',
    async run(world) {
      const store = world.store();
      const holder = await world.session({ store, name: HARD_NAMES.slice(0, 30).join('') });
      for (const slot of HARD_NAMES) await holder.take(slot);
      const waiter = await world.session({ store, name: `'"\\ \u{1f680} %` });
      await waiter.wait('a', (await holder.fenceOf('a')) as bigint);
      for (const q of HARD_NAMES) {
        const found = (await holder.look({ q })).slots.map(({ slot }) => slot);
        const expected = new Set(HARD_NAMES.filter((slot) => slot.includes(q)));
        expectSame(`the slots with ${JSON.stringify(q)}`, new Set(found), expected);
      }
      const slot = (await waiter.look()).slots.find((one) => one.slot === 'a');
      expectSame('the name of the holder', slot?.holder, HARD_NAMES.slice(0, 30).join(''));
      expectSame('the line', slot?.line, [`'"\\ \u{1f680} %`]);
    },
  },
];

const fences: readonly Case[] = [
  {
    name: 'the fences of a slot grow over releases, withdrawals and ends of sessions',
    rule: 'fence',
    async run(world) {
      let last = -1n;
      const expectGreater = (fence: bigint): void => {
        claim(fence > last, `a fence must be greater than every earlier one: got ${fence} after ${last}`);
        last = fence;
      };
      for (let n = 0; n < 4; n += 1) {
        const [a, b] = (await world.sessions(2)) as [CaseSession, CaseSession];
        expectGreater(await a.take('s'));
        await a.take('another slot');
        await b.wait('s', last);
        await a.release('s', last);
        expectGreater(await b.mustHold('s', 'the next in line'));
        await b.withdraw('s');
        expectGreater(await a.take('s'));
        await a.end();
        expectGreater(await b.take('s'));
        await b.release('s', last, false);
        await b.end();
      }
    },
  },
  {
    name: `the fences of a slot grow over ${RACES.toLocaleString('en')} asks by sessions that race for it`,
    rule: 'fence',
    async run(world) {
      let left = RACES;
      let last = -1n;
      const race = async (session: CaseSession): Promise<void> => {
        while (left > 0) {
          left -= 1;
          const answer = await session.acquire('s', 'try');
          if (answer.state !== 'granted') continue;
          claim(
            answer.fence > last,
            `a fence must be greater than every earlier one: got ${answer.fence} after ${last}`,
          );
          last = answer.fence;
          await session.release('s', answer.fence, false);
        }
      };
      await Promise.all((await world.sessions(RACERS)).map(race));
      claim(last > -1n, 'no session was granted the slot');
    },
  },
];

/** Texts that a store may confuse with each other, or with something of its own. */
export const HARD_NAMES: readonly string[] = [
  ' ',
  '  ',
  ' padded ',
  'two words',
  'a\tb\nc\r\nd',
  'A',
  'a',
  "it's",
  '"quoted"',
  '\\',
  "'; drop table slot; --",
  '$1',
  '%',
  '_',
  '*',
  '?',
  '[a]',
  '{a}',
  ':',
  'a:b',
  'slot:a',
  'a/b',
  '../a',
  '0',
  '00',
  '1e3',
  'null',
  'undefined',
  'true',
  '__proto__',
  'constructor',
  'toString',
  '\u0001',
  '\u00e9',
  'e\u0301',
  '\u2028',
  '\ufeff',
  '\u{1f680}',
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  'x'.repeat(1_024),
  `${'x'.repeat(1_023)}y`,
  '\u{1f680}'.repeat(500),
];

const names: readonly Case[] = [
  {
    name: 'slots with hard names are kept apart, and named as they were asked for',
    rule: 'names',
    async run(world) {
      const [holder, waiter] = (await world.sessions(2)) as [CaseSession, CaseSession];
      const fences = new Map<string, bigint>();
      for (const name of HARD_NAMES) fences.set(name, await holder.take(name));
      for (const name of HARD_NAMES) await waiter.wait(name, fences.get(name) as bigint);
      for (const name of HARD_NAMES)
        expectSame(`the fence of ${JSON.stringify(name)}`, await holder.fenceOf(name), fences.get(name));
      const told = new Set((await holder.pulse()).news.map(({ slot }) => slot));
      expectSame('the slots that a beat of the holder names', told, new Set(HARD_NAMES));
      await holder.end();
      const { news, held } = await waiter.pulse(...HARD_NAMES);
      expectSame('the count of slots passed on', held, HARD_NAMES.length);
      expectSame('the slots granted by a beat', new Set(news.map(({ slot }) => slot)), new Set(HARD_NAMES));
      for (const [name, fence] of await waiter.store.holdings(waiter.id)) await waiter.release(name, fence);
      expectSame('the count of slots that are left', (await waiter.pulse()).held, 0);
    },
  },
];

/** Waits for news. The sessions do not beat meanwhile. */
async function expectHeard(world: CaseWorld, session: CaseSession, news: LeaseNews): Promise<void> {
  const text = `the news '${news.kind}' of slot ${JSON.stringify(news.slot)}`;
  await world.until(`a session hears ${text} without a beat`, () => kinds(session.heard).includes(news.kind));
  expectSame(text, session.heard.filter(({ kind }) => kind === news.kind)[0], news);
}

export const newsCases: readonly Case[] = [
  {
    name: 'a session that waits hears of its grant, with the fence, and whether another one waits',
    rule: 'news',
    async run(world) {
      const [holder, fence, [first, second]] = (await lineOf(world, 2)) as [
        CaseSession,
        bigint,
        [CaseSession, CaseSession],
      ];
      await holder.release('s', fence);
      const granted = await first.mustHold('s', 'the first in line');
      await expectHeard(world, first, { kind: 'granted', slot: 's', fence: granted, contended: true });
      await first.release('s', granted);
      const last = await second.mustHold('s', 'the second in line');
      await expectHeard(world, second, { kind: 'granted', slot: 's', fence: last, contended: false });
    },
  },
  {
    name: 'the holder hears that a session waits, and that a replacement waits',
    rule: 'news',
    async run(world) {
      const [holder, fence] = await lineOf(world, 1);
      await expectHeard(world, holder, { kind: 'contended', slot: 's', fence });
      await (await world.session()).wait('s', fence, 'urgent');
      await expectHeard(world, holder, { kind: 'revoked', slot: 's', fence });
    },
  },
  {
    name: 'a replacement hears that a later one took its place, and not that its own repetition did',
    rule: 'news',
    async run(world) {
      const [holder, fence] = await lineOf(world, 0);
      const [early, late] = (await world.sessions(2)) as [CaseSession, CaseSession];
      await early.wait('s', fence, 'urgent');
      await late.wait('s', fence, 'urgent');
      await late.wait('s', fence, 'urgent');
      await expectHeard(world, early, { kind: 'superseded', slot: 's' });
      await holder.release('s', fence);
      await world.until('a session hears of its grant', () => kinds(late.heard).includes('granted'));
      expectSame('the kinds of news that the later replacement hears', kinds(late.heard), ['granted']);
    },
  },
  {
    name: 'news come for slots with hard names',
    rule: 'news',
    async run(world) {
      const [holder, waiter] = (await world.sessions(2)) as [CaseSession, CaseSession];
      for (const name of HARD_NAMES) await waiter.wait(name, await holder.take(name));
      await holder.end();
      const granted = () => waiter.heard.filter(({ kind }) => kind === 'granted').map(({ slot }) => slot);
      await world.until('a session hears of all its grants', () => new Set(granted()).size >= HARD_NAMES.length);
      expectSame('the slots that the news name', new Set(granted()), new Set(HARD_NAMES));
    },
  },
  {
    name: 'a session hears its own news only, and none after it has stopped listening',
    rule: 'news',
    async run(world) {
      const [holder, fence, [first, second]] = (await lineOf(world, 2)) as [
        CaseSession,
        bigint,
        [CaseSession, CaseSession],
      ];
      await expectHeard(world, holder, { kind: 'contended', slot: 's', fence });
      first.stopListening();
      await holder.release('s', fence);
      await first.release('s', await first.mustHold('s', 'the first in line'));
      await world.until('a session hears of its grant', () => second.heard.length > 0);
      expectSame('what a session hears that has stopped listening', first.heard, []);
      expectSame('the kinds of news that the last in line hears', [...new Set(kinds(second.heard))], ['granted']);
      expectSame('the kinds of news that the holder hears', [...new Set(kinds(holder.heard))], ['contended']);
    },
  },
];

export const storeCases: readonly Case[] = [
  ...grants,
  ...lines,
  ...replacements,
  ...releases,
  ...withdrawals,
  ...sessions,
  ...looks,
  ...fences,
  ...names,
];
