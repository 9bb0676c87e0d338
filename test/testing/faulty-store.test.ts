import type { LeaseNews, LeaseStore } from 'slotvisor/fleet';
import { VirtualClock } from 'slotvisor/testing';
import { expect, test, vi } from 'vitest';
import { FaultyStore, StoreTrouble } from '../../src/testing/faulty-store.ts';
import { MemoryFleet } from '../support/memory-store.ts';

const CONTENDED: LeaseNews = { kind: 'contended', slot: 's', fence: 1n };
const ORPHAN: LeaseNews = { kind: 'orphan', slot: 's' };

/** A store that counts its calls, and tells what the test says. */
function counting() {
  const inner = new MemoryFleet(new VirtualClock()).store();
  const open = vi.spyOn(inner, 'open');
  const told: ((news: LeaseNews) => void)[] = [];
  inner.listen = async (_session, hear) => {
    told.push(hear);
    return () => void told.splice(told.indexOf(hear), 1);
  };
  const tell = (...news: LeaseNews[]): void => {
    for (const one of news) for (const hear of told) hear(one);
  };
  return { inner: inner as LeaseStore, open, tell, store: new FaultyStore(inner) };
}

test('a call that fails before it is done does not reach the store, and one that fails afterwards does', async () => {
  const { store, open } = counting();
  store.plan('open', 'failBefore');
  store.plan('open', 'failAfter', { error: new Error('no answer') });
  await expect(store.open('a', 'host:1', 1_000)).rejects.toThrow('failBefore');
  expect(open).toHaveBeenCalledTimes(0);
  await expect(store.open('a', 'host:1', 1_000)).rejects.toThrow('no answer');
  expect(open).toHaveBeenCalledTimes(1);
  await store.open('a', 'host:1', 1_000);
  expect(open).toHaveBeenCalledTimes(2);
});

test('a call that is done twice has the answer of the second time', async () => {
  const { store } = counting();
  await store.open('a', 'host:1', 1_000);
  store.plan('acquire', 'twice');
  const answer = await store.acquire('a', { slot: 's', mode: 'wait' });
  expect(answer).toMatchObject({ state: 'granted', fence: (await store.holdings('a')).get('s') });
});

test.for(['hangBefore', 'hangAfter'] as const)('a call with the fault %s ends when it is let go', async (fault) => {
  const { store, open } = counting();
  store.plan('open', fault);
  let isOver = false;
  const opening = store.open('a', 'host:1', 1_000).then(() => {
    isOver = true;
  });
  await new VirtualClock().settle();
  expect([isOver, store.hanging, store.pending]).toEqual([false, 1, 1]);
  expect(open).toHaveBeenCalledTimes(fault === 'hangBefore' ? 0 : 1);
  store.letGo();
  await opening;
  expect([store.hanging, store.pending]).toEqual([0, 0]);
});

test('a plan is for one operation and so many calls, and can be cleared', async () => {
  const { store } = counting();
  store.plan('beat', 'failBefore', { times: 2 });
  await store.open('a', 'host:1', 1_000);
  await expect(store.beat('a', [])).rejects.toThrow(StoreTrouble);
  store.clearPlans();
  await store.beat('a', []);
  expect(store.calls).toEqual(['open', 'beat', 'beat']);
});

test('a cut network fails calls and loses news, and its end is told to those who listen', async () => {
  const { store, tell } = counting();
  const [hear, broken] = [vi.fn(), vi.fn()];
  const stop = await store.listen('a', hear, broken);
  store.cut(true);
  await expect(store.open('a', 'host:1', 1_000)).rejects.toThrow('the network to the store is cut');
  tell(CONTENDED);
  expect([hear.mock.calls, broken.mock.calls]).toEqual([[], []]);
  store.cut(false);
  store.cut(false);
  expect(broken).toHaveBeenCalledTimes(1);
  tell(CONTENDED);
  expect(hear).toHaveBeenCalledTimes(1);
  stop();
  tell(CONTENDED);
  expect(hear).toHaveBeenCalledTimes(1);
});

test('an answer that is under way when the network is cut is lost', async () => {
  const { store, open } = counting();
  store.plan('open', 'hangAfter');
  const opening = store.open('a', 'host:1', 1_000);
  await new VirtualClock().settle();
  store.cut(true);
  store.letGo();
  await expect(opening).rejects.toThrow('the network to the store is cut');
  expect(open).toHaveBeenCalledTimes(1);
});

test('news pass, are lost, come twice, or are held until they are delivered', async () => {
  const { store, tell } = counting();
  const heard: LeaseNews[] = [];
  await store.listen(
    'a',
    (news) => heard.push(news),
    () => {},
  );
  tell(CONTENDED);
  expect(heard.splice(0)).toEqual([CONTENDED]);
  store.news = 'lost';
  tell(CONTENDED);
  store.news = 'doubled';
  tell(ORPHAN);
  expect(heard.splice(0)).toEqual([ORPHAN, ORPHAN]);
  store.news = 'held';
  tell(CONTENDED, ORPHAN);
  expect(heard).toEqual([]);
  store.heldNews.reverse();
  store.deliverNews();
  expect(heard).toEqual([ORPHAN, CONTENDED]);
});

test('an error of its own says whether it lasts, and the store says it of all others', () => {
  const { inner, store } = counting();
  inner.isPermanent = (error) => error === 'no such table';
  expect(store.isPermanent(new StoreTrouble('once'))).toBe(false);
  expect(store.isPermanent(new StoreTrouble('always', true))).toBe(true);
  expect(store.isPermanent('no such table')).toBe(true);
  expect(store.isPermanent('busy')).toBe(false);
});

test('close closes the store', async () => {
  const { inner, store } = counting();
  const close = vi.spyOn(inner, 'close');
  await store.close();
  expect([store.isClosed, close.mock.calls.length]).toEqual([true, 1]);
});
