// A store that does a call again and late, that answers what makes no sense, or that throws.

import type { LeaseStore } from 'slotvisor/fleet';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FleetClient, fleetOf } from '../../support/fleet-client.ts';

const idOf = (client: FleetClient): string => client.leases.stats().session as string;

describe('a call that the store does again, late', () => {
  test('takes a request out of its line until the next beat only', async () => {
    const { clock, fleet, a, b, granted } = fleetOf(2);
    const first = await granted(a, 's');
    const waits = b.ask('s');
    await clock.settle();
    fleet.engine.withdraw(idOf(b), 's');
    await clock.advance(1_000);
    await first.lease.release();
    await clock.settle();
    expect(waits.isSettled).toBe(true);
  });

  test('and grants a slot again costs the lease, and the slot is given back once it is released', async () => {
    const { clock, fleet, a, b, granted } = fleetOf(2);
    const { lease } = await granted(a, 's');
    fleet.engine.acquire(idOf(a), { slot: 's', mode: 'wait' });
    const waits = b.ask('s');
    await clock.advance(3_000);
    expect([lease.lost.aborted, waits.isSettled]).toEqual([true, false]);
    await lease.release();
    await clock.settle();
    expect(waits.isSettled).toBe(true);
  });

  test('and grants a slot again gives it to no other process while its body ends, where another slot is missing', async () => {
    const { clock, fleet, a, b, granted } = fleetOf(2);
    const { lease } = await granted(a, 's');
    const missing = await granted(a, 't');
    fleet.engine.acquire(idOf(a), { slot: 's', mode: 'wait' });
    fleet.engine.release(idOf(a), { slot: 't', fence: missing.lease.fence, contended: false });
    const waits = b.ask('s');
    await clock.advance(1_500);
    expect([lease.lost.aborted, waits.isSettled]).toEqual([true, false]);
  });
});

test('a request that is called off leaves the slot to a body that was given up and is alive', async () => {
  const { clock, a, b, granted } = fleetOf(2);
  const { lease } = await granted(a, 's');
  const waits = b.ask('s');
  await clock.settle();
  a.store.plan('acquire', 'hangAfter');
  const next = a.ask('s');
  await clock.settle();
  next.cancel();
  a.store.letGo();
  await clock.settle();
  expect([lease.held, waits.isSettled]).toEqual([true, false]);
  await lease.release();
  await clock.settle();
  expect(waits.isSettled).toBe(true);
});

/** A process whose store has some operations of its own. */
function clientOf(operations: Partial<LeaseStore>, onTrouble?: () => void) {
  const { clock, fleet } = fleetOf(0);
  const over = (store: LeaseStore): LeaseStore => Object.assign(store, operations);
  const client = new FleetClient(fleet, { ttlMs: 6_000, clock, ...(onTrouble && { onTrouble }) }, over);
  return { clock, client };
}

describe('a store', () => {
  const answers = [undefined, {}, { state: 'other' }, { state: 'waiting' }, { state: 'granted', fence: 7 }];
  for (const answer of answers)
    test(`that answers an ask with ${JSON.stringify(answer)} is asked again after a while, and may be called off`, async () => {
      let asks = 0;
      const acquire = async () => {
        asks += 1;
        return answer as never;
      };
      const { clock, client } = clientOf({ acquire });
      const asked = client.ask('s');
      await clock.advance(1_000);
      expect([asks > 1, asks < 10]).toEqual([true, true]);
      asked.cancel();
      await clock.settle();
      expect(asked.answer).toBeNull();
    });

  test('that answers without a promise is understood, and the request can be called off', async () => {
    const { clock, client } = clientOf({ acquire: (() => ({ state: 'waiting', fence: 1n })) as never });
    const asked = client.ask('s');
    await clock.settle();
    asked.cancel();
    await clock.settle();
    expect(asked.answer).toBeNull();
  });

  test('that knows no session is asked again after a while', async () => {
    let asks = 0;
    const acquire = async () => {
      asks += 1;
      return { state: 'dead' } as const;
    };
    const { clock, client } = clientOf({ acquire });
    client.ask('s');
    await clock.advance(1_000);
    expect([asks > 1, asks < 10]).toEqual([true, true]);
  });

  test('that says with each failed beat that news were lost is asked no more often', async () => {
    let beats = 0;
    let broken = (): void => {};
    const { clock, client } = clientOf({
      listen: async (_session, _hear, onBroken) => {
        broken = onBroken;
        return () => {};
      },
      beat: async () => {
        beats += 1;
        broken();
        throw new Error('no beat');
      },
    });
    client.ask('s');
    await clock.advance(2_900);
    expect([beats > 5, beats < 25]).toEqual([true, true]);
  });

  for (const pulse of [undefined, 7, {}, { news: 3 }])
    test(`that answers a beat with ${JSON.stringify(pulse)} renews nothing`, async () => {
      const { clock, client } = clientOf({ beat: async () => pulse as never });
      const asked = client.ask('s');
      await clock.advance(3_000);
      expect(asked.lease.held).toBe(false);
      expect(client.troubles[0]).toContain('beat: ');
    });

  test('that has news which make no sense is heard no further, and its beat counts', async () => {
    const news = [null, undefined, {}, { kind: 'other', slot: 's' }] as never;
    const { clock, client } = clientOf({ beat: async () => ({ news, held: 1, nextMs: null }) });
    const asked = client.ask('s');
    await clock.advance(4_000);
    expect(asked.lease.held).toBe(true);
    expect(client.troubles[0]).toContain('listen: ');
  });

  test('whose news cannot be ended still loses its leases with its session', async () => {
    const listen = async () => () => {
      throw new Error('no end');
    };
    const { clock, client } = clientOf({ listen });
    const asked = client.ask('s');
    await clock.settle();
    client.store.cut(true);
    await clock.advance(3_000);
    expect([asked.lease.lost.aborted, asked.lease.held]).toEqual([true, false]);
    expect(client.troubles.at(-1)).toBe('listen: no end');
  });
});

test('a rejection of an async onTrouble is ignored', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const { clock, client } = clientOf({}, async () => {
    throw new Error('from the listener');
  });
  client.store.plan('acquire', 'failBefore');
  client.ask('s');
  await clock.settle();
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
});
