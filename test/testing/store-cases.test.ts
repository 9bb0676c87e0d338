// Each fault is planted in the store in memory. The case that it breaks must fail, and each case
// must fail for one fault at least.

import type { HeldSlot, LeaseAsk, LeaseStore } from 'slotvisor/fleet';
import { type ConformanceCase, type LeaseWorld, leaseConformance } from 'slotvisor/testing';
import { describe, expect, test } from 'vitest';
import { memoryWorlds } from '../support/memory-world.ts';
import { failuresOf, loadFaultyFleet, type PlantedFault } from '../support/planted-store.ts';

const isOnStore = ({ rule }: ConformanceCase): boolean => rule !== 'client' && rule !== 'faults';

/** They take three times as long as all others together: they run for the faults of their own. */
const LONG = [
  'a look finds some of thousands of slots, of several sessions',
  'the fences of a slot grow over 10,000 asks by sessions that race for it',
];

const grants: readonly PlantedFault[] = [
  {
    name: 'a slot has many holders',
    from: 'if (row === undefined || row.session === session) return',
    to: 'if (row === undefined || mode !== "try") return',
    caughtBy: 'one of many sessions that ask at once is granted the slot, and all others wait for it',
  },
  {
    name: 'acquire by the holder is waiting',
    from: 'if (row === undefined || row.session === session) return',
    to: 'if (row === undefined) return',
    caughtBy: 'a session that holds a slot is granted it again, in every mode, with a greater fence',
  },
  {
    name: 'a repeated grant has the fence of the first one',
    from: 'const row = { session, fence: this.#lastFence,',
    to: 'const mine = this.#slots.get(slot); const row = { session, fence: mine?.session === session ? mine.fence : this.#lastFence,',
    caughtBy: 'a session that holds a slot is granted it again, in every mode, with a greater fence',
  },
  {
    name: 'try enters the line',
    from: "if (mode !== 'try') this.#enter",
    to: 'this.#enter',
    caughtBy: "a slot of another session is busy for 'try', which enters no line",
  },
  {
    name: 'try waits',
    from: "if (mode === 'try') return { state: 'busy' };",
    to: '',
    caughtBy: "a slot of another session is busy for 'try', which enters no line",
  },
  {
    name: 'try is refused a free slot',
    from: "if (!this.#sessions.has(session)) return { state: 'dead' };",
    to: "if (!this.#sessions.has(session)) return { state: 'dead' }; if (mode === 'try' && !this.#slots.has(slot)) return { state: 'busy' };",
    caughtBy: 'a free slot is granted, in every mode',
  },
  {
    name: 'a session holds 499 slots at most',
    from: 'const row = this.#slots.get(slot);\n    if (row === undefined ||',
    to: "const row = this.#slots.get(slot);\n    if (this.#heldBy(session).length === 499) return { state: 'busy' };\n    if (row === undefined ||",
    caughtBy: '500 slots asked for at once are all granted, and all given back at once',
  },
  {
    name: "the answer 'waiting' has the fence of the last grant of any slot",
    from: "return { state: 'waiting', fence: row.fence };",
    to: "return { state: 'waiting', fence: this.#lastFence };",
    caughtBy: "the answer 'waiting' has the fence of the present holder",
  },
  {
    name: "the answer 'waiting' has the fence of the first holder",
    from: "return { state: 'waiting', fence: row.fence };",
    to: "return { state: 'waiting', fence: 1n };",
    caughtBy: "the answer 'waiting' has the fence of the present holder",
  },
];

const lines: readonly PlantedFault[] = [
  {
    name: 'the last in line is first',
    from: '|| a.seq - b.seq',
    to: '|| b.seq - a.seq',
    caughtBy: 'a slot that is released goes to the sessions that wait, in the order of their arrival',
  },
  {
    name: 'a session that asks again goes to the end of the line',
    from: 'else mine.isUrgent ||= isUrgent;',
    to: 'else Object.assign(mine, { seq: this.#draw(), isUrgent: isUrgent || mine.isUrgent });',
    caughtBy: 'a session that asks again keeps its place in line',
  },
  {
    name: 'a session has the place of its first ask for ever',
    from: 'left.push({ session, seq: this.#draw(), isUrgent });',
    to: 'left.push({ session, seq: [...this.#sessions.keys()].indexOf(session), isUrgent });',
    caughtBy: 'a session that gave its slot back enters the line at the end',
  },
  {
    name: 'a session that was granted a slot stays in line',
    from: 'this.#leave(session, slot);\n    this.#lastFence',
    to: 'this.#lastFence',
    caughtBy: 'a slot that is released goes to the sessions that wait, in the order of their arrival',
  },
];

const replacements: readonly PlantedFault[] = [
  {
    name: 'a replacement does not go first',
    from: ' + (isUrgent ? 0 : 1)',
    to: '',
    caughtBy: 'a replacement goes before the line, and the line keeps its order',
  },
  {
    name: 'an earlier replacement stays in line',
    from: 'const left = line.filter((waiter) => !isSuperseded(waiter));',
    to: 'const left = [...line];',
    caughtBy: 'a replacement takes the place of an earlier one, which waits no more',
  },
  {
    name: 'a replacement supersedes itself',
    from: '&& waiter.isUrgent && waiter.session !== session;',
    to: '&& waiter.isUrgent;',
    caughtBy: 'a replacement hears that a later one took its place, and not that its own repetition did',
  },
  {
    name: 'a replacement that asks again leaves the line',
    from: 'else mine.isUrgent ||= isUrgent;',
    to: 'else if (mine.isUrgent) left.splice(left.indexOf(mine), 1); else mine.isUrgent = isUrgent;',
    caughtBy: 'a replacement that asks again keeps its place',
  },
  {
    name: 'a replacement supersedes all that wait',
    from: 'isUrgent && waiter.isUrgent &&',
    to: 'isUrgent &&',
    caughtBy: 'a replacement goes before the line, and the line keeps its order',
  },
  {
    name: 'a session that waits is not made urgent',
    from: 'else mine.isUrgent ||= isUrgent;',
    to: '',
    caughtBy: 'a session that waits becomes a replacement when it asks again with urgent',
  },
  {
    name: 'a holder that knows of a waiting session is not revoked',
    from: 'if (wanted <= row.wanted) return;',
    to: 'if (row.wanted > 0) return;',
    caughtBy: 'a beat of the holder reports that a session waits, and that a replacement waits',
  },
  {
    name: 'a replacement that withdrew still asks for the slot',
    from: 'if (row !== undefined) row.wanted = wantedBy(this.#lineOf(slot));',
    to: '',
    caughtBy: 'a replacement that withdraws leaves the line as it was',
  },
  {
    name: 'a grant forgets the line',
    from: 'wanted: wantedBy(this.#lineOf(slot)) };',
    to: 'wanted: 0 as Wanted };',
    caughtBy: 'the line that a replacement went before is known to it with the grant',
  },
];

const releases: readonly PlantedFault[] = [
  {
    name: 'release does not look at the fence',
    from: 'if (row?.session === session && row.fence === fence)',
    to: 'if (row?.session === session)',
    caughtBy: 'a release with another fence, or by another session, changes nothing',
  },
  {
    name: 'release does not look at the session',
    from: 'if (row?.session === session && row.fence === fence)',
    to: 'if (row?.fence === fence)',
    caughtBy: 'a release with another fence, or by another session, changes nothing',
  },
  {
    name: 'release looks at nothing',
    from: 'if (row?.session === session && row.fence === fence)',
    to: 'if (row !== undefined)',
    caughtBy: 'a second release changes nothing for the next holder',
  },
  {
    name: 'release fails for a slot that is not held',
    from: 'if (row?.session === session && row.fence === fence)',
    to: 'if (row === undefined) throw new Error("no such slot"); if (row.session === session && row.fence === fence)',
    caughtBy: 'a slot that a session never had can be released, withdrawn and looked for',
  },
  {
    name: 'a release without a hint of a waiting session only frees the slot',
    from: 'release(session: string, { slot, fence }: HeldSlot): void {\n    const row = this.#slots.get(slot);',
    to: 'release(session: string, { slot, fence, contended }: HeldSlot): void {\n    const row = this.#slots.get(slot);\n    if (!contended && row?.session === session && row.fence === fence) { this.#slots.delete(slot); return; }',
    caughtBy: 'a release by a process that knows of no waiting session still passes the slot on',
  },
  {
    name: 'a slot is passed on to a session that has expired',
    from: '2 * this.#beatsMissed(session) + ',
    to: '',
    caughtBy: 'a slot is passed on to the first in line that is alive',
  },
  {
    name: 'a slot that is released keeps a row without a holder',
    from: 'this.#slots.delete(slot);',
    to: "this.#slots.set(slot, { session: '', fence: 0n, wanted: 0 });",
    caughtBy: 'a slot that is released while no session waits is free, and nothing of it is stored',
  },
];

const withdrawals: readonly PlantedFault[] = [
  {
    name: 'withdraw keeps the grant',
    from: 'if (this.holderOf(slot) === session) this.#passOn(slot);',
    to: '',
    caughtBy: 'a slot that was granted to a session that withdraws goes to the next in line',
  },
  {
    name: 'withdraw frees the slot of another session',
    from: 'if (this.holderOf(slot) === session) this.#passOn(slot);',
    to: 'this.#passOn(slot);',
    caughtBy: 'a session that withdraws leaves the line, and its holder learns of it',
  },
  {
    name: 'withdraw leaves no line',
    from: 'this.#leave(session, slot);\n    if (this.holderOf',
    to: 'if (this.holderOf',
    caughtBy: 'a session that withdrew enters the line at the end',
  },
];

const sessions: readonly PlantedFault[] = [
  {
    name: 'end forgets the lines',
    from: 'for (const slot of [...this.#lines.keys()]) this.#leave(session, slot);',
    to: '',
    caughtBy: 'a session that ends gives back what it holds, leaves every line and is forgotten',
  },
  {
    name: 'end keeps the slots',
    from: 'for (const [slot] of this.#heldBy(session)) this.#passOn(slot);',
    to: '',
    caughtBy: 'a session that ends gives back what it holds, leaves every line and is forgotten',
  },
  {
    name: 'end keeps the session',
    from: 'this.#passOn(slot);\n    this.#sessions.delete(session);',
    to: 'this.#passOn(slot);',
    caughtBy: 'a session that was never opened is not known',
  },
  {
    name: 'a session comes back after it was removed',
    from: 'if (row === undefined) return null;',
    to: 'if (row === undefined) { this.open(session, 1_000); return this.beat(session, waiting); }',
    caughtBy: 'a session that has expired is removed by the beat of another one, and never comes back',
  },
  {
    name: 'a session that is not known can ask',
    from: "if (!this.#sessions.has(session)) return { state: 'dead' };",
    to: '',
    caughtBy: 'a session that was never opened is not known',
  },
  {
    name: 'beats do not renew',
    from: 'row.expiresMs = this.#nowMs() + row.ttlMs;\n    row.spared = 0;',
    to: '',
    caughtBy: 'a session that beats keeps its slots beyond its ttl',
  },
  {
    name: 'no session is ever removed',
    from: 'row.spared = 0;\n    this.#reap();',
    to: '',
    caughtBy: 'a session that waits for a dead holder is granted the slot when it asks again',
  },
  {
    name: 'a slot whose holder is gone goes to the session that asks',
    from: 'const next = this.#passOn(slot, session);',
    to: 'const next = this.#grant(session, slot);',
    caughtBy: 'a slot whose holder is gone goes to the first in line, and not to a session that asks earlier',
  },
  {
    name: 'a slot whose holder is gone is busy for try',
    from: 'if (next === undefined) return this.#grantAtOnce(session, slot);',
    to: "if (next === undefined) return mode === 'try' ? { state: 'busy' } : this.#grantAtOnce(session, slot);",
    caughtBy: "a slot whose holder is gone is granted to 'try' where no session waits",
  },
  {
    name: 'a beat counts the slots of all sessions',
    from: 'held: held.length,',
    to: 'held: this.#slots.size,',
    caughtBy: 'a beat counts the slots of the session, and says when a holder for which it waits expires',
  },
  {
    name: 'a beat tells the time of the last holder to expire',
    from: 'Math.min(...untilMs)',
    to: 'Math.max(...untilMs)',
    caughtBy: 'a beat counts the slots of the session, and says when a holder for which it waits expires',
  },
  {
    name: 'a beat reports no grant',
    from: "return [{ kind: 'granted', slot, fence: row.fence, contended: row.wanted > 0 }];",
    to: 'return [];',
    caughtBy: 'a beat reports the grant of a slot for which the session waits',
  },
  {
    name: 'a beat reports no replacement to the holder',
    from: 'return wanted === 0 ? []',
    to: 'return wanted !== 1 ? []',
    caughtBy: 'a beat of the holder reports that a session waits, and that a replacement waits',
  },
  {
    name: 'a beat does not report that a replacement was superseded',
    from: "return [{ kind: 'superseded', slot }];",
    to: 'return [];',
    caughtBy: 'a replacement takes the place of an earlier one, which waits no more',
  },
  {
    name: 'a beat reports no orphan',
    from: "? [{ kind: 'orphan', slot }] : [];",
    to: '? [] : [];',
    caughtBy: "a slot whose holder is gone is granted to 'try' where no session waits",
  },
  {
    name: 'the holdings of one slot are all',
    from: 'slot === undefined || name === slot',
    to: 'true',
    caughtBy: 'the holdings of one slot are that one alone',
  },
];

const looks: readonly PlantedFault[] = [
  {
    name: 'a look counts the places of all sessions',
    from: '.filter((waiter) => waiter.session === id).length,',
    to: '.length,',
    caughtBy: 'a look shows each session by its name, with what it holds and waits for, and when it expires',
  },
  {
    name: 'a look takes processes with the same name for one',
    from: 'isSelf: id === session,',
    to: 'isSelf: name === this.#sessions.get(session ?? id)?.name,',
    caughtBy: 'a look shows each session by its name, with what it holds and waits for, and when it expires',
  },
  {
    name: 'a look says when a session would have expired at the start',
    from: 'expiresInMs: Math.max(0, expiresMs - this.#nowMs()),',
    to: 'expiresInMs: expiresMs,',
    caughtBy: 'a look shows each session by its name, with what it holds and waits for, and when it expires',
  },
  {
    name: 'a look shows the line by arrival alone',
    from: '(isUrgent ? 0 : seq)',
    to: 'seq',
    caughtBy: 'a look shows who holds a slot, with its fence, and which processes wait for it, in order',
  },
  {
    name: 'a look counts the line that it shows',
    from: 'waiting: line.length,',
    to: 'waiting: Math.min(line.length, lineLimit),',
    caughtBy: 'a look shows who holds a slot, with its fence, and which processes wait for it, in order',
  },
  ...[
    ['as a pattern', 'new RegExp(q).test(slot)'],
    ['in small letters', 'slot.toLowerCase().includes(q.toLowerCase())'],
    ['from the start of a name', 'slot.startsWith(q)'],
  ].map(([how, text]) => ({
    name: `a look finds a text ${how}`,
    from: 'slot.includes(q)',
    to: text as string,
    caughtBy: 'a look shows the slots whose name contains the text, by name, and whether there are more',
  })),
  {
    name: 'a look shows slots by their grant',
    from: 'filter((slot) => slot.includes(q)).sort()',
    to: 'filter((slot) => slot.includes(q))',
    caughtBy: 'a look shows the slots whose name contains the text, by name, and whether there are more',
  },
  {
    name: 'a look says that there are more where there are as many',
    from: 'more: names.length > limit,',
    to: 'more: names.length >= limit,',
    caughtBy: 'a look shows the slots whose name contains the text, by name, and whether there are more',
  },
  {
    name: 'a look walks 1,000 slots',
    from: '[...this.#slots.keys()].filter',
    to: '[...this.#slots.keys()].slice(0, 1_000).filter',
    caughtBy: 'a look finds some of thousands of slots, of several sessions',
  },
  {
    name: 'a look makes a session',
    from: 'const names = [...this.#slots.keys()]',
    to: "this.open(session ?? 'looks', 60_000); const names = [...this.#slots.keys()]",
    caughtBy: 'a look by a process without a session shows the same, and makes no session',
  },
  {
    name: 'a look renews the session',
    from: 'const names = [...this.#slots.keys()]',
    to: 'this.beat(session as string, []); const names = [...this.#slots.keys()]',
    caughtBy: 'a look keeps no session alive, and shows one that was removed no more',
  },
  {
    name: 'a look shows an unknown holder by its session',
    from: '...(known && { holder: known.name }),',
    to: 'holder: known?.name ?? holder,',
    caughtBy: 'a look keeps no session alive, and shows one that was removed no more',
  },
  {
    name: 'a look shows names of processes cut',
    from: '.name);\n    return {\n      slot,',
    to: '.name.trim().slice(0, 5));\n    return {\n      slot,',
    caughtBy: 'a look shows names of slots and processes as they are, and finds each by its own text',
  },
];

const fences: readonly PlantedFault[] = [
  {
    name: 'fences are drawn in pairs, the greater one first',
    from: 'fence: this.#lastFence,',
    to: 'fence: this.#lastFence ^ 1n,',
    caughtBy: 'the fences of a slot grow over releases, withdrawals and ends of sessions',
  },
  {
    name: 'a free slot forgets its last fence',
    from: 'this.#lastFence += 1n;',
    to: 'this.#lastFence = (this.#slots.get(slot)?.fence ?? 0n) + 1n;',
    caughtBy: 'the fences of a slot grow over 10,000 asks by sessions that race for it',
  },
];

const names: readonly PlantedFault[] = [
  ...[
    ['trimmed', 'slot.trim()'],
    ['in small letters', 'slot.toLowerCase()'],
    ['normalized', 'slot.normalize()'],
    ['cut', 'slot.slice(0, 1_000)'],
    ['numbers', 'String(Number(slot) || slot)'],
  ].map(([how, text]) => ({
    name: `names are kept ${how}`,
    from: "if (!this.#sessions.has(session)) return { state: 'dead' };",
    to: `if (!this.#sessions.has(session)) return { state: 'dead' }; slot = ${text};`,
    caughtBy: 'slots with hard names are kept apart, and named as they were asked for',
  })),
];

const news: readonly PlantedFault[] = [
  {
    name: 'a grant is not told',
    from: "this.#tell(next.session, { kind: 'granted'",
    to: "void ({ kind: 'granted'",
    caughtBy: 'a session that waits hears of its grant, with the fence, and whether another one waits',
  },
  {
    name: 'the holder is told nothing',
    from: 'this.#tell(row.session, {',
    to: 'void ({',
    caughtBy: 'the holder hears that a session waits, and that a replacement waits',
  },
  {
    name: 'a superseded replacement is not told',
    from: "if (isSuperseded(waiter)) this.#tell(waiter.session, { kind: 'superseded', slot });",
    to: 'void waiter;',
    caughtBy: 'a replacement hears that a later one took its place, and not that its own repetition did',
  },
  {
    name: 'news name the slot without spaces',
    from: "this.#tell(next.session, { kind: 'granted', slot,",
    to: "this.#tell(next.session, { kind: 'granted', slot: slot.trim(),",
    caughtBy: 'news come for slots with hard names',
  },
  {
    name: 'all sessions hear all news',
    in: 'memory-store.ts',
    from: 'for (const hear of this.#hearers.get(session) ?? []) hear(news);',
    to: 'for (const hearers of this.#hearers.values()) for (const hear of hearers) hear(news);',
    caughtBy: 'a session hears its own news only, and none after it has stopped listening',
  },
  {
    name: 'a session that has stopped listening still hears',
    in: 'memory-store.ts',
    from: 'isOver = true;\n        hearers.delete(onNews);',
    to: '',
    caughtBy: 'a session hears its own news only, and none after it has stopped listening',
  },
];

const ALL = [grants, lines, replacements, releases, withdrawals, sessions, looks, fences, names, news].flat();

describe('a fault in the store fails its case', () => {
  const failed = new Set<string>();

  test.for(ALL)('$name', async (fault) => {
    const isMeant = (one: ConformanceCase) =>
      isOnStore(one) && (!LONG.includes(one.name) || one.name === fault.caughtBy);
    const failures = await failuresOf(memoryWorlds(loadFaultyFleet(fault)), isMeant);
    for (const name of failures) failed.add(name);
    expect(failures).toContain(fault.caughtBy);
  });

  test('and each case fails for one of the faults', () => {
    const cases = leaseConformance({ open: memoryWorlds() }).filter(isOnStore);
    expect(cases.map(({ name }) => name).filter((name) => !failed.has(name))).toEqual([]);
  });
});

test('a fence that is drawn before the slot is taken fails the case of the race, and no other case of fences', async () => {
  const failures = await failuresOf(earlyFences, ({ rule }) => rule === 'fence');
  expect(failures).toEqual(['the fences of a slot grow over 10,000 asks by sessions that race for it']);
});

/** A world whose stores draw a fence before they ask, and take some time in between. */
async function earlyFences(): Promise<LeaseWorld> {
  const world = await memoryWorlds()();
  let last = 0n;
  const own = new Map<bigint, bigint>(); // by the fence of the store in memory
  const draw = (): bigint => {
    last += 1n;
    return last;
  };
  const ownOf = (fence: bigint): bigint => own.get(fence) ?? (own.set(fence, draw()).get(fence) as bigint);
  const storeOver = (store: LeaseStore): LeaseStore => ({
    ...bound(store),
    acquire: async (session: string, ask: LeaseAsk) => {
      const drawn = draw();
      for (let turns = (drawn * 7n) % 40n; turns > 0n; turns -= 1n) await Promise.resolve();
      const answer = await store.acquire(session, ask);
      if (answer.state === 'waiting') return { ...answer, fence: ownOf(answer.fence) };
      if (answer.state === 'granted') own.set(answer.fence, drawn);
      return answer.state === 'granted' ? { ...answer, fence: drawn } : answer;
    },
    release: (session: string, held: HeldSlot) => {
      const [fence] = [...own].find(([, mine]) => mine === held.fence) ?? [held.fence];
      return store.release(session, { ...held, fence });
    },
    holdings: async (session: string, slot?: string) =>
      new Map([...(await store.holdings(session, slot))].map(([name, fence]) => [name, ownOf(fence)])),
  });
  return { ...world, store: () => storeOver(world.store()) };
}

const bound = (store: LeaseStore): LeaseStore => ({
  open: (...all) => store.open(...all),
  beat: (...all) => store.beat(...all),
  acquire: (...all) => store.acquire(...all),
  release: (...all) => store.release(...all),
  withdraw: (...all) => store.withdraw(...all),
  holdings: (...all) => store.holdings(...all),
  look: (...all) => store.look(...all),
  end: (...all) => store.end(...all),
  listen: (...all) => store.listen(...all),
  isPermanent: (error) => store.isPermanent(error),
  close: () => store.close(),
});
